#include "keys/key_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/assert.h"
#include "base/file.h"

namespace holdfast::keys {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;
using std::filesystem::path;

Secret joined(std::initializer_list<base::ByteView> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  base::Bytes bytes;
  bytes.reserve(size);  // so that no copy is left behind unwiped
  for (const auto part : parts) base::append(bytes, part);
  return Secret(std::move(bytes));
}

std::optional<Head> head_of(const Secret& payload) {
  const auto line = payload.reveal_text().substr(0, kMaxHeadBytes);
  const auto end = line.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto space = std::min(line.find(' '), end);
  Head head{.kind = line.substr(0, space), .created = {}, .size = end + 1};
  if (space == end) return head;
  std::int64_t microseconds = 0;
  const auto* last = line.data() + end;
  const auto read = std::from_chars(line.data() + space + 1, last, microseconds);
  if (read.ec != std::errc() || read.ptr != last) return std::nullopt;
  head.created = base::Timestamp::from_microseconds(microseconds);
  return head;
}

base::ByteView content_of(const Secret& payload) {
  const auto head = head_of(payload);
  HF_ASSERT(head.has_value());  // material() looked
  return payload.reveal().subspan(head->size);
}

tl::unexpected<base::Error> damaged(const std::string& full) {
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("the key {} holds something else than its kind says", full));
}

Result<> make_folder(const path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return base::sync_folder(folder.parent_path());
  if (errno == EEXIST) return {};
  return base::fail_errno(fmt::format("cannot make the folder {}", folder.string()), errno);
}

KeyName blob_key_name(const base::WorkspaceId& workspace) {
  return {.workspace = workspace, .purpose = "blobs", .subject = "content"};
}

path key_path(const path& folder, const std::string& full) {
  return folder / fmt::format("{}{}", full, kKeyEnding);
}

path mark_path(const path& folder, const std::string& full) {
  return folder / fmt::format("{}{}", full, kMarkEnding);
}

}  // namespace holdfast::keys
