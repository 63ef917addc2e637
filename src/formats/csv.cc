#include "formats/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

namespace {

constexpr std::size_t kInitialBuffer = 128UL << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr char kQuote = '"';

}  // namespace

base::Result<CsvReader> CsvReader::create(Stream& input, const CsvOptions& options) {
  if (std::string_view("\"\r\n\0", 4).find(options.separator) != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument,
                "a CSV separator can't be a quote, a line end or NUL; use a comma or a tab");
  }
  return CsvReader(input, options);
}

CsvReader::CsvReader(Stream& input, const CsvOptions& options)
    : input_(&input), options_(options), buffer_(kInitialBuffer) {
  for (const char c : {options.separator, kQuote, '\r', '\n', '\0'}) {
    special_[static_cast<unsigned char>(c)] = true;
  }
}

tl::unexpected<base::Error> CsvReader::fault(ErrorCode code, std::size_t position, std::string_view what) {
  const std::string_view before(buffer_.data() + begin_, position - begin_);
  const auto lines = static_cast<std::uint64_t>(std::ranges::count(before, '\n'));
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  error_ = base::Error{code, fmt::format("CSV line {}, column {}: {}", next_line_ + lines, column, what)};
  return fail(*error_);
}

// Moves the current record to the buffer's start and reads more behind it.
base::Result<> CsvReader::fill() {
  if (end_ - begin_ > kMaxRecordBytes) {
    return fault(ErrorCode::kLimitExceeded, begin_,
                 fmt::format("the record has more than {} bytes", kMaxRecordBytes));
  }
  std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
  end_ -= begin_;
  begin_ = 0;
  if (end_ + 1 == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  const base::MutableByteView room(reinterpret_cast<std::uint8_t*>(buffer_.data()) + end_,
                                   buffer_.size() - end_ - 1);
  HF_TRY(const std::size_t got, input_->read(room));
  input_ended_ = got == 0;
  end_ += got;
  buffer_[end_] = '\n';
  return {};
}

base::Result<> CsvReader::skip_byte_order_mark() {
  started_ = true;
  while (end_ < kByteOrderMark.size() && !input_ended_) HF_CHECK(fill());
  if (std::string_view(buffer_.data(), end_).starts_with(kByteOrderMark)) {
    next_ = begin_ = kByteOrderMark.size();
  }
  return {};
}

base::Result<> CsvReader::add_field(std::size_t begin, std::size_t end) {
  if (end - begin > kMaxFieldBytes) {
    return fault(ErrorCode::kLimitExceeded, begin,
                 fmt::format("the field has more than {} bytes", kMaxFieldBytes));
  }
  if (fields_.size() == kMaxColumns) {
    return fault(ErrorCode::kLimitExceeded, begin,
                 fmt::format("the record has more than {} fields", kMaxColumns));
  }
  fields_.emplace_back(buffer_.data() + begin, end - begin);
  return {};
}

// From the opening quote to behind the closing one.
base::Result<CsvReader::Scan> CsvReader::scan_quoted(std::size_t& position) {
  const std::size_t begin = position + 1;
  std::size_t at = begin;
  bool escaped = false;
  for (;;) {
    const void* found = std::memchr(buffer_.data() + at, kQuote, end_ - at);
    if (found == nullptr) {
      if (!input_ended_) return Scan::kNeedsMore;
      return fault(ErrorCode::kDataCorrupt, position, "the quote that opens here is never closed");
    }
    at = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    if (at + 1 == end_ && !input_ended_) return Scan::kNeedsMore;
    if (buffer_[at + 1] != kQuote) break;
    escaped = true;
    at += 2;
  }
  quoted_ = true;
  if (escaped) escaped_.push_back(fields_.size());
  HF_CHECK(add_field(begin, at));
  if (fields_.back().find('\0') != std::string_view::npos) {
    return fault(ErrorCode::kDataCorrupt, position, "the field has a NUL byte");
  }
  position = at + 1;
  return Scan::kRecord;
}

// The fast way through unquoted fields that a separator follows. Stops at the first field that is another.
std::size_t CsvReader::scan_plain_fields(std::size_t position) {
  for (;;) {
    const std::size_t begin = position;
    while (!special_[static_cast<unsigned char>(buffer_[position])]) ++position;
    const bool plain = buffer_[position] == options_.separator && position - begin <= kMaxFieldBytes;
    if (!plain || fields_.size() == kMaxColumns) return begin;
    fields_.emplace_back(buffer_.data() + begin, position - begin);
    ++position;
  }
}

base::Result<CsvReader::Scan> CsvReader::scan_field(std::size_t& position) {
  if (position < end_ && buffer_[position] == kQuote) return scan_quoted(position);
  const std::size_t begin = position;
  while (!special_[static_cast<unsigned char>(buffer_[position])]) ++position;
  if (position == end_ && !input_ended_) return Scan::kNeedsMore;
  HF_CHECK(add_field(begin, position));
  return Scan::kRecord;
}

// At the byte behind a field that no separator follows.
base::Result<CsvReader::Scan> CsvReader::end_of_line(std::size_t position) {
  if (position == end_ && !input_ended_) return Scan::kNeedsMore;
  next_ = std::min(position + 1, end_);
  if (buffer_[position] == '\n') return Scan::kRecord;
  if (buffer_[position] == '\r') {
    if (position + 1 == end_ && !input_ended_) return Scan::kNeedsMore;
    next_ = position + 2;
    if (position + 1 < end_ && buffer_[position + 1] == '\n') return Scan::kRecord;
    return fault(ErrorCode::kDataCorrupt, position,
                 "a carriage return without a line feed; save the file with CRLF or LF");
  }
  if (buffer_[position] == '\0') {
    return fault(ErrorCode::kDataCorrupt, position, "a NUL byte; if the file is UTF-16, save it as UTF-8");
  }
  if (buffer_[position] == kQuote) {
    return fault(ErrorCode::kDataCorrupt, position,
                 "a quote within an unquoted field; quote the field and double it");
  }
  return fault(ErrorCode::kDataCorrupt, position, "text follows the quote that closes the field");
}

// Finds the fields from begin_ on. Starts anew when it is called again with more.
base::Result<CsvReader::Scan> CsvReader::scan() {
  fields_.clear();
  escaped_.clear();
  quoted_ = false;
  for (std::size_t position = begin_;; ++position) {
    position = scan_plain_fields(position);
    HF_TRY(const Scan field, scan_field(position));
    if (field == Scan::kNeedsMore) return field;
    if (position == end_ || buffer_[position] != options_.separator) return end_of_line(position);
  }
}

// Closes up what stands between doubled quotes, in the buffer.
void CsvReader::unescape(std::string_view& field) {
  char* const begin = buffer_.data() + (field.data() - buffer_.data());
  char* to = begin;
  for (std::size_t i = 0; i < field.size(); ++i) {
    *to++ = field[i];
    if (field[i] == kQuote) ++i;
  }
  field = {begin, static_cast<std::size_t>(to - begin)};
}

base::Result<> CsvReader::finish_record() {
  line_ = next_line_;
  if (columns_ == 0) columns_ = fields_.size();
  if (fields_.size() != columns_) {
    return fault(ErrorCode::kDataCorrupt, begin_,
                 fmt::format("{} fields where the first record has {}", fields_.size(), columns_));
  }
  if (quoted_) {
    const std::string_view& last = fields_.back();
    const std::string_view text(buffer_.data() + begin_, last.data() + last.size());
    next_line_ += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
  }
  ++next_line_;
  for (const std::size_t index : escaped_) unescape(fields_[index]);
  return {};
}

base::Result<std::optional<std::span<const std::string_view>>> CsvReader::next() {
  if (error_) return fail(*error_);
  if (!started_) HF_CHECK(skip_byte_order_mark());
  for (;;) {
    begin_ = next_;
    for (;;) {
      if (begin_ == end_ && input_ended_) return std::nullopt;
      HF_TRY(const Scan outcome, begin_ == end_ ? base::Result<Scan>(Scan::kNeedsMore) : scan());
      if (outcome == Scan::kRecord) break;
      HF_CHECK(fill());
    }
    if (!options_.skip_blank_lines || !blank()) break;
    ++next_line_;
  }
  HF_CHECK(finish_record());
  return std::span<const std::string_view>(fields_);
}

}  // namespace holdfast::formats
