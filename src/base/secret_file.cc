#include "base/secret_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace holdfast::base {
namespace {

constexpr mode_t kGroupAndOthers = 077;

Result<> check_private(int fd, const std::filesystem::path& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail_errno(fmt::format("cannot read {}", path.string()), errno);
  if ((status.st_mode & kGroupAndOthers) == 0) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("{} holds a secret, and others have access to it; run: chmod 600 {}", path.string(),
                          path.string()));
}

}  // namespace

Result<Secret> read_secret_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const bool standard_input = path == "-";
  UniqueFd file;
  if (!standard_input) {
    HF_TRY(file, open_regular_file(path));
    HF_CHECK(check_private(file.get(), path));
  }
  Secret buffer(max_bytes + 1);  // the one byte more tells that there is more
  HF_TRY(const std::size_t got, read_full(standard_input ? STDIN_FILENO : file.get(), buffer.writable()));
  if (got <= max_bytes) return Secret::copy_of(buffer.reveal().first(got));
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("{} is larger than the {} bytes allowed here",
                          standard_input ? "standard input" : path.string(), max_bytes));
}

}  // namespace holdfast::base
