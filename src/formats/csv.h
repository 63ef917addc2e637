#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "formats/source.h"

// Reads CSV (RFC 4180) record by record. Strict: all records have as many fields as the first, a quote stands
// only around a whole field or doubled within one, lines end in CRLF or LF. A UTF-8 byte order mark is
// skipped; otherwise bytes are given as they are. Not thread-safe.

namespace holdfast::formats {

struct CsvOptions {
  char separator = ',';
  bool skip_blank_lines = false;  // otherwise a blank line is a record of one empty field
};

class CsvReader {
 public:
  static constexpr std::size_t kMaxFieldBytes = 1UL << 20;
  static constexpr std::size_t kMaxRecordBytes = 16UL << 20;
  static constexpr std::size_t kMaxColumns = 1UL << 16;

  // `input` outlives the reader. kInvalidArgument for a separator that is a quote, NUL or a line end.
  static base::Result<CsvReader> create(Stream& input, const CsvOptions& options = {});

  // The fields of the next record, without quotes, valid until the next call; absent at the end.
  // kDataCorrupt, with line and column, where the text is not CSV; kLimitExceeded over the bounds above. An
  // error stays.
  base::Result<std::optional<std::span<const std::string_view>>> next();
  // The line, from 1, on which the record that next() gave last begins.
  [[nodiscard]] std::uint64_t line() const { return line_; }

 private:
  enum class Scan : std::uint8_t { kRecord, kNeedsMore };

  CsvReader(Stream& input, const CsvOptions& options);

  base::Result<> fill();
  base::Result<> skip_byte_order_mark();
  base::Result<Scan> scan();
  std::size_t scan_plain_fields(std::size_t position);
  base::Result<Scan> scan_field(std::size_t& position);
  base::Result<Scan> scan_quoted(std::size_t& position);
  base::Result<Scan> end_of_line(std::size_t position);
  base::Result<> add_field(std::size_t begin, std::size_t end);
  base::Result<> finish_record();
  void unescape(std::string_view& field);
  [[nodiscard]] bool blank() const { return fields_.size() == 1 && fields_[0].empty() && !quoted_; }
  // Keeps and gives an error at a place in the buffer.
  tl::unexpected<base::Error> fault(base::ErrorCode code, std::size_t position, std::string_view what);

  Stream* input_;
  CsvOptions options_;
  std::array<bool, 256> special_{};  // bytes that end an unquoted field
  std::vector<char> buffer_;         // with a line feed at end_, where every scan stops
  std::size_t begin_ = 0;            // of the current record
  std::size_t next_ = 0;             // behind it
  std::size_t end_ = 0;
  bool started_ = false;
  bool input_ended_ = false;
  std::uint64_t line_ = 0;       // of the current record
  std::uint64_t next_line_ = 1;  // of the one behind it
  std::size_t columns_ = 0;      // of the first record; 0 before
  std::vector<std::string_view> fields_;
  std::vector<std::size_t> escaped_;  // indices of fields that hold doubled quotes
  bool quoted_ = false;               // a field of the current record is
  std::optional<base::Error> error_;
};

}  // namespace holdfast::formats
