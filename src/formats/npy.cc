#include "formats/npy.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "formats/anomaly.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::load_le;

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

tl::unexpected<base::Error> malformed(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the .npy header {}", why));
}

// Multiplies, or says that the product is over 63 bits: NumPy counts in int64.
base::Result<std::uint64_t> times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  const bool over = __builtin_mul_overflow(a, b, &product) || product > INT64_MAX;
  if (over) return malformed("describes too large an array");
  return product;
}

base::Result<std::uint64_t> times(std::uint64_t size, const std::vector<std::uint64_t>& shape) {
  for (const std::uint64_t dimension : shape) {
    HF_TRY(size, times(size, dimension));
  }
  return size;
}

bool one_of(std::uint64_t value, std::initializer_list<std::uint64_t> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Whether NumPy has a type of this kind and of this number of bytes (or characters, or whatever follows the
// kind).
bool is_known_type(char kind, std::uint64_t count) {
  switch (kind) {
    case 'b':
      return count == 1;
    case 'i':
    case 'u':
      return one_of(count, {1, 2, 4, 8});
    case 'f':
      return one_of(count, {2, 4, 8, 12, 16});
    case 'c':
      return one_of(count, {8, 16, 24, 32});
    case 'm':
    case 'M':
      return count == 8;
    case 'O':
    case 'S':
    case 'U':
    case 'V':
      return true;
    default:
      return false;
  }
}

// "<f8", "|O", "<M8[ns]": the array interface's typestr.
base::Result<NpyType> parse_typestr(std::string_view text) {
  const auto unknown = [&] {
    return fail(ErrorCode::kUnsupported,
                fmt::format("the .npy header has the type {}, which is not known", quote(text)));
  };
  std::string_view rest = text;
  NpyType type;
  if (rest.find_first_of("<>|") == 0) {
    type.byte_order = rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty()) return unknown();
  type.kind = rest.front();
  rest.remove_prefix(1);
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
  const bool counted = error == std::errc() && count <= INT32_MAX;
  if (!counted && !(type.kind == 'O' && rest.empty())) return unknown();
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  const bool dated = type.kind == 'm' || type.kind == 'M';
  if (dated && rest.starts_with('[') && rest.find(']') == rest.size() - 1) rest = {};
  if (!rest.empty() || !is_known_type(type.kind, count)) return unknown();
  type.holds_objects = type.kind == 'O';
  type.size = type.kind == 'O' ? 8 : type.kind == 'U' ? std::uint64_t{count} * 4 : count;
  return type;
}

// A parser of the header's literal: strings, integers, True and False, tuples, lists, and the one dictionary.
class Parser {
 public:
  Parser(std::string_view text, std::uint8_t version) : text_(text), version_(version) {}

  base::Result<NpyHeader> header();

 private:
  base::Result<> member(NpyHeader& header, std::string_view key, std::array<bool, 3>& seen);
  base::Result<NpyType> descr(int depth);
  base::Result<NpyType> structure(int depth);
  base::Result<NpyField> field(int depth);
  base::Result<NpyType> subarray(NpyType type);
  base::Result<std::vector<std::uint64_t>> shape();
  base::Result<std::string> string();
  base::Result<std::uint64_t> integer();
  base::Result<bool> boolean();

  void skip_space() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  bool next_is(char c) {
    skip_space();
    return text_.starts_with(c);
  }
  bool take(std::string_view token) {
    skip_space();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  base::Result<> expect(std::string_view token) {
    if (take(token)) return {};
    return malformed(fmt::format("lacks a {} at {}", quote(token), quote(text_.substr(0, 20))));
  }
  // After an item: the comma before the next, or the end of the list.
  base::Result<bool> more(char close) {
    if (take(",")) return !next_is(close);
    if (next_is(close)) return false;
    return malformed(fmt::format("goes on with {} where a comma should be", quote(text_.substr(0, 20))));
  }

  std::string_view text_;
  std::uint8_t version_;
};

base::Result<std::uint64_t> Parser::integer() {
  skip_space();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  const auto digits = static_cast<std::size_t>(end - text_.data());
  const bool leading_zero = digits > 1 && text_.front() == '0';
  if (error != std::errc() || leading_zero) return malformed("has a number that is no size");
  text_.remove_prefix(digits);
  if (version_ < 3) take("L");  // Python 2's long integers
  return value;
}

base::Result<bool> Parser::boolean() {
  if (take("True")) return true;
  if (take("False")) return false;
  return malformed("has a fortran_order that is neither True nor False");
}

base::Result<std::string> Parser::string() {
  skip_space();
  if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return malformed("lacks a text");
  const char delimiter = text_.front();
  const std::size_t end = text_.find(delimiter, 1);
  if (end == text_.npos) return malformed("has a text without end");
  const std::string_view inside = text_.substr(1, end - 1);
  if (inside.find_first_of("\\\n") != inside.npos) {
    return fail(ErrorCode::kUnsupported, "the .npy header has a name with an escape; rename the field");
  }
  text_.remove_prefix(end + 1);
  return std::string(inside);
}

base::Result<std::vector<std::uint64_t>> Parser::shape() {
  HF_CHECK(expect("("));
  std::vector<std::uint64_t> dimensions;
  bool comma = false;
  while (!next_is(')')) {
    if (dimensions.size() == NpyHeader::kMaxDimensions) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the .npy header has more than {} dimensions", NpyHeader::kMaxDimensions));
    }
    HF_TRY(const std::uint64_t dimension, integer());
    dimensions.push_back(dimension);
    comma = take(",");
    if (!comma && !next_is(')')) return malformed("has a shape without a comma");
  }
  HF_CHECK(expect(")"));
  if (dimensions.size() == 1 && !comma) return malformed("has a shape that is no tuple");
  return dimensions;
}

base::Result<NpyType> Parser::subarray(NpyType type) {
  HF_TRY(std::vector<std::uint64_t> dimensions, shape());
  HF_TRY(type.size, times(type.size, dimensions));
  // A subarray of subarrays is one with both shapes.
  type.shape.insert(type.shape.begin(), dimensions.begin(), dimensions.end());
  return type;
}

base::Result<NpyField> Parser::field(int depth) {
  HF_CHECK(expect("("));
  NpyField field;
  if (take("(")) {  // a title before the name
    HF_CHECK(string());
    HF_CHECK(expect(","));
    HF_TRY(field.name, string());
    HF_CHECK(expect(")"));
  } else {
    HF_TRY(field.name, string());
  }
  HF_CHECK(expect(","));
  HF_TRY(field.type, descr(depth));
  HF_TRY(const bool shaped, more(')'));
  if (shaped) {
    HF_TRY(field.type, subarray(std::move(field.type)));
  }
  HF_CHECK(expect(")"));
  return field;
}

base::Result<NpyType> Parser::structure(int depth) {
  HF_CHECK(expect("["));
  NpyType type;
  for (bool next = !next_is(']'); next;) {
    HF_TRY(NpyField one, field(depth + 1));
    one.offset = type.size;
    const bool over = __builtin_add_overflow(type.size, one.type.size, &type.size);
    if (over) return malformed("describes too large an item");
    type.holds_objects = type.holds_objects || one.type.holds_objects;
    type.fields.push_back(std::move(one));
    HF_TRY(next, more(']'));
  }
  HF_CHECK(expect("]"));
  return type;
}

base::Result<NpyType> Parser::descr(int depth) {
  if (depth > NpyHeader::kMaxDepth) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the .npy header's type is nested deeper than {}", NpyHeader::kMaxDepth));
  }
  if (next_is('[')) return structure(depth);
  if (take("(")) {
    HF_TRY(NpyType type, descr(depth + 1));
    HF_CHECK(expect(","));
    HF_TRY(type, subarray(std::move(type)));
    HF_CHECK(expect(")"));
    return type;
  }
  HF_TRY(const std::string text, string());
  return parse_typestr(text);
}

base::Result<> Parser::member(NpyHeader& header, std::string_view key, std::array<bool, 3>& seen) {
  constexpr std::array<std::string_view, 3> kKeys = {"descr", "fortran_order", "shape"};
  const auto index = static_cast<std::size_t>(std::find(kKeys.begin(), kKeys.end(), key) - kKeys.begin());
  if (index == kKeys.size()) return malformed(fmt::format("has the unknown key {}", quote(key)));
  if (std::exchange(seen[index], true)) return malformed(fmt::format("has the key {} twice", quote(key)));
  switch (index) {
    case 0: {
      HF_TRY(header.type, descr(0));
      return {};
    }
    case 1: {
      HF_TRY(header.fortran_order, boolean());
      return {};
    }
    default: {
      HF_TRY(header.shape, shape());
      return {};
    }
  }
}

base::Result<NpyHeader> Parser::header() {
  NpyHeader header{.version = version_, .type = {}, .shape = {}};
  std::array<bool, 3> seen{};
  HF_CHECK(expect("{"));
  for (bool next = !next_is('}'); next;) {
    HF_TRY(const std::string key, string());
    HF_CHECK(expect(":"));
    HF_CHECK(member(header, key, seen));
    HF_TRY(next, more('}'));
  }
  HF_CHECK(expect("}"));
  skip_space();
  if (!text_.empty()) return malformed("goes on after its dictionary");
  if (seen != std::array{true, true, true}) return malformed("lacks descr, fortran_order or shape");
  return header;
}

}  // namespace

base::Result<NpyHeader> read_npy_header(BufferedReader& reader, std::uint64_t file_size) {
  std::array<std::uint8_t, 8> start{};
  HF_CHECK(reader.read_exactly(start));
  if (!base::as_text(start).starts_with(kMagic)) {
    return fail(ErrorCode::kDataCorrupt, "no .npy file: its magic is missing");
  }
  const std::uint8_t version = start[6];
  if (version < 1 || version > 3 || start[7] != 0) {
    return fail(ErrorCode::kUnsupported, fmt::format("the .npy file has version {}.{}", version, start[7]));
  }
  std::array<std::uint8_t, 4> length_bytes{};
  HF_CHECK(reader.read_exactly(base::MutableByteView(length_bytes).first(version == 1 ? 2 : 4)));
  const auto length = load_le<std::uint32_t>(length_bytes);
  if (length > NpyHeader::kMaxBytes) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("the .npy header has {} bytes, over the limit of {}",
                                                       length, NpyHeader::kMaxBytes));
  }
  base::Bytes text(length);
  HF_CHECK(reader.read_exactly(text));
  HF_TRY(NpyHeader header, Parser(base::as_text(text), version).header());
  header.data_offset = start.size() + (version == 1 ? 2U : 4U) + length;
  const std::uint64_t following = file_size - std::min(file_size, header.data_offset);
  HF_TRY(header.data_size, times(header.type.size, header.shape));
  if (header.type.holds_objects) header.data_size = following;
  if (header.data_size > following) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the .npy file is truncated: its header says {} bytes of data, there are {}",
                            header.data_size, following));
  }
  header.trailing_size = following - header.data_size;
  return header;
}

}  // namespace holdfast::formats
