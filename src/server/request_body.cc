#include "server/request_body.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::server {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr int kMaxJsonDepth = 16;

// Left free by what is sent, of the disk: what the log and the database need to go on.
constexpr std::uint64_t kMostRoomKept = 512UL << 20;
constexpr std::uint64_t kShareKept = 20;  // a twentieth, where that is less

// kUnavailable where `bytes` more would leave less. A file system that does not tell is let pass.
Result<> leave_room(int fd, std::uint64_t bytes) {
  struct statvfs disk{};
  if (::fstatvfs(fd, &disk) != 0 || disk.f_blocks == 0) return {};
  const std::uint64_t kept = std::min(kMostRoomKept, disk.f_blocks * disk.f_frsize / kShareKept);
  if (disk.f_bavail * disk.f_frsize >= kept + bytes) return {};
  return fail(ErrorCode::kUnavailable,
              "the server's disk is almost full, so it takes no files; make room there, and try again");
}

}  // namespace

Result<nlohmann::json> read_json_body(Call& call) {
  HF_TRY(const std::string text, read_body(call.body, call.max_body_bytes));
  if (text.empty()) return nlohmann::json::object();
  auto value = base::parse_json(text, {.max_bytes = call.max_body_bytes, .max_depth = kMaxJsonDepth});
  if (!value) return fail(ErrorCode::kInvalidArgument, "the body is no JSON: " + value.error().message);
  if (value->is_object()) return *std::move(value);
  return fail(ErrorCode::kInvalidArgument, "the body must be a JSON object");
}

Result<Parameters> read_form_body(Call& call) {
  HF_TRY(std::string text, read_body(call.body, call.max_body_bytes));
  for (char& c : text) {
    if (c == '+') c = ' ';
  }
  // A form has the syntax of a query.
  for (std::size_t at = 0; (at = text.find(' ', at)) != std::string::npos; at += 3)
    text.replace(at, 1, "%20");
  auto target = parse_target("/?" + text);
  if (!target) return fail(ErrorCode::kInvalidArgument, "the body is no form: " + target.error().message);
  return Parameters(target->query.begin(), target->query.end());
}

Result<formats::FileSource> spool_body(Call& call, const std::filesystem::path& folder,
                                       std::uint64_t max_bytes) {
  constexpr std::size_t kPiece = 1UL << 18;
  base::UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd.valid()) return base::fail_errno("cannot keep what is being sent", errno);
  call.body.limit(max_bytes);
  base::Bytes piece(kPiece);
  std::uint64_t taken = 0;
  for (;;) {
    HF_TRY(const std::size_t got, call.body.read(piece));
    if (got == 0) break;
    // Twice: it is sealed into its place beside this copy.
    taken += got;
    HF_CHECK(leave_room(fd.get(), taken + got));
    HF_CHECK(base::write_full(fd.get(), base::ByteView(piece).first(got)));
  }
  return formats::FileSource::adopt(std::move(fd));
}

}  // namespace holdfast::server
