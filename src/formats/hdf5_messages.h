#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

// Parts of read_hdf5: fields of a structure, and the messages of an object header (HDF5 File Format
// Specification 3.0, section IV.A.2).

namespace holdfast::formats {

inline constexpr std::uint64_t kHdf5Undefined = ~0ULL;

// Reads fields one after the other. Past the end everything is zero, as is a number of more than eight bytes,
// and ok() says so.
class Hdf5Fields {
 public:
  explicit Hdf5Fields(base::ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
  [[nodiscard]] std::size_t position() const { return at_; }
  std::uint64_t number(std::size_t width);
  // An address, whose all-ones stand for kHdf5Undefined.
  std::uint64_t address(std::size_t width);
  base::ByteView take(std::uint64_t count);
  void skip(std::uint64_t count) { take(count); }
  // Up to a NUL or the end.
  std::string name();

 private:
  base::ByteView bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

struct Hdf5Widths {
  std::size_t offset = 8;  // of addresses
  std::size_t length = 8;
};

struct Hdf5Message {
  std::uint16_t type = 0;
  std::uint8_t flags = 0;
  base::ByteView body;
  [[nodiscard]] bool shared() const { return (flags & 2U) != 0; }
};

// The messages of one part of a header, of version 1 or 2; absent where they leave it.
std::optional<std::vector<Hdf5Message>> hdf5_messages(base::ByteView part, unsigned version, bool with_order);

struct Hdf5Link {
  enum class Kind : std::uint8_t { kHard, kSoft, kExternal, kOther };
  Kind kind = Kind::kOther;
  std::string name;
  std::uint64_t address = 0;  // of a hard link
  std::string file;           // of an external one
};

// Absent where the message is broken.
std::optional<Hdf5Link> hdf5_link(base::ByteView body, const Hdf5Widths& widths);

// A value that is one text, in place or in the global heap.
struct Hdf5Text {
  std::string name;
  bool is_text = false;
  bool shared = false;  // its type or shape lies elsewhere
  std::string text;     // in place
  std::uint64_t heap = kHdf5Undefined;
  std::uint32_t index = 0;
  std::uint64_t length = 0;  // in the heap
};

std::optional<Hdf5Text> hdf5_attribute(base::ByteView body, const Hdf5Widths& widths);

}  // namespace holdfast::formats
