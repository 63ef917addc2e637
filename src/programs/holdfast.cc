// The command line, the server, and, re-executed, the jailed worker that reads untrusted files.
#include <string_view>

#include "cli/app.h"
#include "intake/inspect_worker.h"
#include "programs/server_backend.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == holdfast::intake::kInspectWorkerArgument) {
    return holdfast::intake::run_inspect_worker();
  }
  ServerBackend backend(HOLDFAST_VERSION);
  return holdfast::cli::run(argc, argv, HOLDFAST_VERSION, backend);
}
