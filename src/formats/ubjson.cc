#include "formats/ubjson.h"

#include <fmt/format.h>

#include <optional>

#include "formats/buffered.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

class Reader {
 public:
  explicit Reader(const Source& source) : size_(source.size()), stream_(source), bytes_(stream_) {}
  Result<UbjsonOutline> read();

 private:
  struct Container {
    std::optional<char> type;            // of every element, where it is said once
    std::optional<std::uint64_t> count;  // likewise
  };

  Result<char> marker();
  Result<std::uint64_t> length();
  Result<std::uint64_t> integer(char marker);
  Result<Container> container();
  Result<> value(char marker, int depth);
  Result<> array(int depth);
  Result<> object(int depth);
  Result<> skip(std::uint64_t size);
  Result<bool> ends(const Container& container, std::uint64_t seen, char end);
  [[nodiscard]] tl::unexpected<base::Error> corrupt(std::string_view what) const {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the UBJSON has {} at byte {}", what, bytes_.position()));
  }

  std::uint64_t size_;
  SourceStream stream_;
  BufferedReader bytes_;
  UbjsonOutline outline_;
  std::uint64_t values_ = 0;
};

// Bytes of a value whose size its marker says; 0 for others.
std::uint64_t width_of(char marker) {
  switch (marker) {
    case 'i':
    case 'U':
    case 'C':
      return 1;
    case 'I':
      return 2;
    case 'l':
    case 'd':
      return 4;
    case 'L':
    case 'D':
      return 8;
    default:
      return 0;
  }
}

Result<char> Reader::marker() {
  HF_TRY(const base::ByteView view, bytes_.peek(1));
  if (view.empty()) return corrupt("an end too early");
  const char found = static_cast<char>(view[0]);
  bytes_.consume(1);
  return found;
}

Result<std::uint64_t> Reader::integer(char marker) {
  const std::uint64_t width = width_of(marker);
  if (width == 0 || marker == 'C' || marker == 'd' || marker == 'D')
    return corrupt("a length that is no integer");
  HF_TRY(const base::ByteView view, bytes_.peek(static_cast<std::size_t>(width)));
  if (view.size() < width) return corrupt("an end too early");
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < width; ++i) out = out << 8 | view[i];
  bytes_.consume(static_cast<std::size_t>(width));
  const bool negative = marker != 'U' && (out >> (8 * width - 1)) != 0;
  if (negative) return corrupt("a negative length");
  return out;
}

Result<std::uint64_t> Reader::length() {
  HF_TRY(const char kind, marker());
  return integer(kind);
}

Result<> Reader::skip(std::uint64_t size) {
  if (size > size_ - bytes_.position()) return corrupt("a length beyond the file");
  return bytes_.skip(size);
}

Result<Reader::Container> Reader::container() {
  Container made;
  HF_TRY(base::ByteView view, bytes_.peek(1));
  if (!view.empty() && view[0] == '$') {
    bytes_.consume(1);
    HF_TRY(const char type, marker());
    made.type = type;
    HF_TRY(view, bytes_.peek(1));
    if (view.empty() || view[0] != '#') return corrupt("a type without a count");
  }
  if (!view.empty() && view[0] == '#') {
    bytes_.consume(1);
    HF_TRY(const std::uint64_t count, length());
    made.count = count;
  }
  return made;
}

Result<bool> Reader::ends(const Container& container, std::uint64_t seen, char end) {
  if (container.count) return seen == *container.count;
  HF_TRY(const base::ByteView view, bytes_.peek(1));
  if (view.empty()) return corrupt("an end too early");
  if (static_cast<char>(view[0]) != end) return false;
  bytes_.consume(1);
  return true;
}

Result<> Reader::array(int depth) {
  HF_TRY(const Container made, container());
  // Numbers of one type: XGBoost's arrays.
  if (made.type && width_of(*made.type) > 0) {
    std::uint64_t size = 0;
    if (__builtin_mul_overflow(*made.count, width_of(*made.type), &size))
      return corrupt("a length beyond the file");
    return skip(size);
  }
  for (std::uint64_t seen = 0;; ++seen) {
    HF_TRY(const bool done, ends(made, seen, ']'));
    if (done) return {};
    char kind = made.type.value_or('\0');
    if (!made.type) {
      HF_TRY(kind, marker());
    }
    HF_CHECK(value(kind, depth + 1));
  }
}

Result<> Reader::object(int depth) {
  HF_TRY(const Container made, container());
  for (std::uint64_t seen = 0;; ++seen) {
    HF_TRY(const bool done, ends(made, seen, '}'));
    if (done) return {};
    HF_TRY(const std::uint64_t key_size, length());
    if (key_size > UbjsonOutline::kMaxKeyBytes) return corrupt("a name that is too long");
    std::string key(static_cast<std::size_t>(key_size), '\0');
    HF_CHECK(bytes_.read_exactly({reinterpret_cast<std::uint8_t*>(key.data()), key.size()}));
    if (depth == 0 && outline_.members.size() < 64) outline_.members.push_back(std::move(key));
    char kind = made.type.value_or('\0');
    if (!made.type) {
      HF_TRY(kind, marker());
    }
    HF_CHECK(value(kind, depth + 1));
  }
}

// Recursion is bounded by kMaxDepth.
Result<> Reader::value(char kind, int depth) {
  if (depth > UbjsonOutline::kMaxDepth || ++values_ > UbjsonOutline::kMaxValues) {
    return fail(ErrorCode::kLimitExceeded, "the UBJSON is nested too deep or has too many values");
  }
  if (const std::uint64_t width = width_of(kind); width > 0) return skip(width);
  switch (kind) {
    case 'Z':
    case 'N':
    case 'T':
    case 'F':
      return {};
    case 'S':
    case 'H': {
      HF_TRY(const std::uint64_t size, length());
      return skip(size);
    }
    case '[':
      return array(depth);
    case '{':
      return object(depth);
    default:
      return corrupt("an unknown kind of value");
  }
}

Result<UbjsonOutline> Reader::read() {
  HF_TRY(const char first, marker());
  if (first != '{') return corrupt("no object");
  HF_CHECK(object(0));
  outline_.size = bytes_.position();
  return std::move(outline_);
}

}  // namespace

Result<UbjsonOutline> read_ubjson(const Source& source) { return Reader(source).read(); }

}  // namespace holdfast::formats
