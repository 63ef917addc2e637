#pragma once

#include <algorithm>
#include <memory>

#include "base/assert.h"
#include "formats/source.h"

// Looks ahead in a Stream: bytes are peeked at, then consumed. One buffer of kCapacity, whatever the stream's
// length. Not thread-safe; the caller keeps the stream alive and reads it through this object alone.

namespace holdfast::formats {

class BufferedReader {
 public:
  static constexpr std::size_t kCapacity = 64UL << 10;

  explicit BufferedReader(Stream& stream)
      : stream_(&stream), buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kCapacity)) {}

  // What is at hand without a read: the fast way through many small items.
  [[nodiscard]] base::ByteView buffered() const { return {buffer_.get() + begin_, end_ - begin_}; }
  // Bytes consumed since the start.
  [[nodiscard]] std::uint64_t position() const { return position_; }

  // At least `count` bytes (at most kCapacity), fewer only where the stream ends. Valid until the next call.
  base::Result<base::ByteView> peek(std::size_t count) {
    HF_ASSERT(count <= kCapacity);
    if (end_ - begin_ < count) HF_CHECK(fill(count));
    return buffered();
  }

  // Drops `count` of the bytes in buffered().
  void consume(std::size_t count) {
    HF_ASSERT(count <= end_ - begin_);
    begin_ += count;
    position_ += count;
  }

  // As Stream::read, from what is at hand first.
  base::Result<std::size_t> read(base::MutableByteView to);
  // Fills `to`, or kDataCorrupt ("truncated").
  base::Result<> read_exactly(base::MutableByteView to);
  // kDataCorrupt ("truncated") where the stream ends before.
  base::Result<> skip(std::uint64_t count);

 private:
  base::Result<> fill(std::size_t count);

  Stream* stream_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace holdfast::formats
