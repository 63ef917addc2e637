#include "crypto/age_armor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace holdfast::crypto {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kBegin = "-----BEGIN AGE ENCRYPTED FILE-----";
constexpr std::string_view kEnd = "-----END AGE ENCRYPTED FILE-----";
constexpr std::size_t kColumns = 64;
constexpr std::size_t kBytesPerLine = 48;
constexpr std::size_t kMaxWhiteSpace = 1024;

tl::unexpected<base::Error> damaged(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the ASCII armor of the sealed file is damaged: {}", why));
}

bool is_space(char c) { return std::string_view(" \t\r\n\v\f").find(c) != std::string_view::npos; }

}  // namespace

Result<std::string> AgeArmorReader::next_line(std::size_t max_bytes) {
  auto read = armored_->read_line(max_bytes);
  if (!read && read.error().code == ErrorCode::kLimitExceeded) {
    return damaged("it has a line that is too long");
  }
  HF_TRY(std::optional<std::string> line, std::move(read));
  if (!line) return damaged("it ends too early");
  if (line->ends_with('\n')) line->pop_back();
  if (line->ends_with('\r')) line->pop_back();
  return *std::move(line);
}

Result<> AgeArmorReader::skip_to_body() {
  for (std::size_t skipped = 0; skipped <= kMaxWhiteSpace;) {
    HF_TRY(const std::string line, next_line(kMaxWhiteSpace));
    if (!std::ranges::all_of(line, is_space)) {
      if (line != kBegin) return damaged(fmt::format("it does not begin with the line {}", kBegin));
      place_ = Place::kInside;
      return {};
    }
    skipped += line.size() + 1;
  }
  return damaged("there is too much white space before it");
}

Result<> AgeArmorReader::finish() {
  place_ = Place::kAfter;
  std::array<std::uint8_t, kMaxWhiteSpace + 1> rest{};
  HF_TRY(const std::size_t got, read_full(*armored_, rest));
  if (got > kMaxWhiteSpace || !std::ranges::all_of(base::as_text(ByteView(rest).first(got)), is_space)) {
    return damaged("there is something after it");
  }
  return {};
}

Result<> AgeArmorReader::next_bytes() {
  if (place_ == Place::kBefore) HF_CHECK(skip_to_body());
  HF_TRY(const std::string line, next_line(kColumns + 1));
  if (line == kEnd) return finish();
  if (place_ == Place::kLastLine) return damaged("a line within it is shorter than 64 columns");
  auto bytes = base::base64_decode(line);
  if (line.empty() || line.size() > kColumns || !bytes) {
    return damaged("a line is not canonical base64 in 64 columns");
  }
  if (bytes->size() < kBytesPerLine) place_ = Place::kLastLine;
  line_ = *std::move(bytes);
  rest_ = line_;
  return {};
}

Result<std::size_t> AgeArmorReader::read(base::MutableByteView buffer) {
  if (rest_.empty() && place_ != Place::kAfter) HF_CHECK(next_bytes());
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_ = rest_.subspan(count);
  return count;
}

Result<> AgeArmorWriter::write(ByteView bytes) {
  std::string text;
  if (!begun_) text = fmt::format("{}\n", kBegin);
  begun_ = true;
  base::append(pending_, bytes);
  const std::size_t whole = pending_.size() - pending_.size() % kBytesPerLine;
  for (std::size_t at = 0; at < whole; at += kBytesPerLine) {
    text += fmt::format("{}\n", base::base64_encode(ByteView(pending_).subspan(at, kBytesPerLine)));
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(whole));
  return out_->write(base::as_bytes(text));
}

Result<> AgeArmorWriter::finish() {
  HF_CHECK(write({}));
  std::string text;
  if (!pending_.empty()) text = fmt::format("{}\n", base::base64_encode(pending_));
  return out_->write(base::as_bytes(fmt::format("{}{}\n", text, kEnd)));
}

}  // namespace holdfast::crypto
