#pragma once

#include <cstdint>
#include <functional>

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

}  // namespace holdfast::crypto
