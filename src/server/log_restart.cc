#include "server/log_restart.h"

#include <fcntl.h>

#include "base/file.h"

namespace holdfast::server {

using base::ErrorCode;
using base::Result;

namespace {

// More than recovery and the first records take, so that the next start does not stop at once.
constexpr std::size_t kRoomBytes = 8UL << 20;

Result<> try_room(const std::filesystem::path& folder) {
  const base::UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!fd.valid()) return base::fail_errno("cannot make a file", errno);
  HF_CHECK(base::write_full(fd.get(), base::Bytes(kRoomBytes)));
  return ::fsync(fd.get()) == 0 ? Result<>() : Result<>(base::fail_errno("cannot sync a file", errno));
}

}  // namespace

LogState look_at_log(const Installation& installation) {
  const auto flushed = installation.log().flush();
  if (flushed) return LogState::kStands;
  // A disk that fails is no better for a new start.
  if (flushed.error().code != ErrorCode::kUnavailable) return LogState::kStopped;
  if (!try_room(installation.options().state / "log")) return LogState::kStopped;
  // A log that was merely busy said the same.
  return installation.log().flush() ? LogState::kStands : LogState::kMayGoOn;
}

}  // namespace holdfast::server
