// The command line and, re-executed, the jailed worker that reads untrusted
// files.
#include <string_view>

#include "cli/app.h"
#include "intake/inspect_worker.h"

namespace {

using holdfast::base::ErrorCode;
using holdfast::base::Result;

// No server is linked in: the commands on files work, the others say why they
// do not.
class WithoutServer final : public holdfast::cli::Backend {
public:
  Result<holdfast::cli::ExitCode>
  serve(const holdfast::cli::ServeOptions & /*options*/) override {
    return refuse();
  }
  Result<holdfast::cli::ApiResponse>
  send_in_process(const std::filesystem::path & /*state*/,
                  const holdfast::base::Config & /*settings*/,
                  const holdfast::cli::ApiRequest & /*request*/) override {
    return refuse();
  }

private:
  static tl::unexpected<holdfast::base::Error> refuse() {
    return holdfast::base::fail(ErrorCode::kUnsupported,
                                "this build of holdfast has no server");
  }
};

} // namespace

int main(int argc, char **argv) {
  if (argc == 2 &&
      std::string_view(argv[1]) == holdfast::intake::kInspectWorkerArgument) {
    return holdfast::intake::run_inspect_worker();
  }
  WithoutServer backend;
  return holdfast::cli::run(argc, argv, HOLDFAST_VERSION, backend);
}
