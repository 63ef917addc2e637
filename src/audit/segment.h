#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/strong.h"

// The files of bodies/: sealed bodies in the order of their records, and after each group of them the signed
// checkpoint that makes it count. Text, one JSON object a line, in the one form that the functions here
// write, so that a changed byte can't go unseen. A file holds kRecordsPerSegment records.

namespace holdfast::audit {

inline constexpr std::uint64_t kRecordsPerSegment = 1024;
// A body of the largest record, as base64 in its line.
inline constexpr std::size_t kMaxLineBytes = 64UL << 10;
inline constexpr std::size_t kMaxSegmentBytes = 96UL << 20;

struct BodyLine {
  std::uint64_t index = 0;
  base::Digest commitment;
  base::Digest sealed;          // sealed_digest (record.h) of the body that is or was there
  base::WorkspaceId workspace;  // empty where the body was destroyed
  base::Bytes body;             // likewise

  [[nodiscard]] bool destroyed() const { return body.empty(); }
  [[nodiscard]] base::Bytes entry() const;
  friend bool operator==(const BodyLine&, const BodyLine&) = default;
};

struct CheckpointLine {
  std::string note;
  friend bool operator==(const CheckpointLine&, const CheckpointLine&) = default;
};

using SegmentLine = std::variant<BodyLine, CheckpointLine>;

// With the line feed at its end.
std::string format_line(const SegmentLine& line);

// A line without its line feed. kDataCorrupt unless it is as format_line() writes it.
base::Result<SegmentLine> parse_line(std::string_view line);

// The bytes of a segment, up to where it ended when this began: another process may append to it.
base::Result<base::Bytes> read_segment(const std::filesystem::path& file);

// The lines of a segment's text one after the other, and where they stand in it.
class SegmentReader {
 public:
  explicit SegmentReader(std::string_view text) : text_(text) {}
  // None at the end, and where what is left has no line feed.
  [[nodiscard]] std::optional<std::string_view> next();
  [[nodiscard]] std::size_t position() const { return position_; }  // behind the last line given

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace holdfast::audit
