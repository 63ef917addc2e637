#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

// How bytes come into this module and leave it, so that memory does not grow with a file. An object is used
// by one thread at a time; what it refers to is kept alive by the caller.

namespace holdfast::crypto {

class Reader {
 public:
  virtual ~Reader() = default;
  // Reads up to buffer.size() bytes; 0 means the end, and stays so.
  virtual base::Result<std::size_t> read(base::MutableByteView buffer) = 0;
};

// Random access over a known size.
class RandomReader {
 public:
  virtual ~RandomReader() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Fills `buffer` from `offset`; gives fewer bytes only where the end comes before.
  virtual base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const = 0;
};

class Writer {
 public:
  virtual ~Writer() = default;
  // Takes all of `bytes`, or fails.
  virtual base::Result<> write(base::ByteView bytes) = 0;
};

// Called with the count of bytes read so far, about once a MiB, in the thread that does the work.
using Progress = std::function<void(std::uint64_t bytes_done)>;

// From the front of `bytes`.
class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(base::ByteView bytes) : rest_(bytes) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

 private:
  base::ByteView rest_;
};

// From the position of a descriptor on.
class FdReader final : public Reader {
 public:
  explicit FdReader(int fd) : fd_(fd) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

 private:
  int fd_;
};

class FdWriter final : public Writer {
 public:
  explicit FdWriter(int fd) : fd_(fd) {}
  base::Result<> write(base::ByteView bytes) override;

 private:
  int fd_;
};

// Gives lines first, and then what follows them, of another reader.
class LineReader final : public Reader {
 public:
  explicit LineReader(Reader& source) : source_(&source) {}
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  // The first byte that read() would give; none at the end.
  base::Result<std::optional<std::uint8_t>> peek();
  // The next line with its LF, or what is left before the end without one; none at the end. kLimitExceeded
  // where the line without its LF is longer than max_bytes.
  base::Result<std::optional<std::string>> read_line(std::size_t max_bytes);
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

 private:
  base::Result<> refill();
  Reader* source_;
  base::Bytes buffer_;
  base::ByteView rest_;
};

// Reads until `buffer` is full or the reader ends; gives the count.
base::Result<std::size_t> read_full(Reader& reader, base::MutableByteView buffer);

// Writes what `reader` gives until its end. The buffer is wiped: it may have held a secret.
base::Result<> copy(Reader& reader, Writer& writer, const Progress& progress = {});

}  // namespace holdfast::crypto
