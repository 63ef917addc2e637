#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

// The wire of a worker: frames, each a 32-bit little-endian length and that many bytes. No I/O here.

namespace holdfast::worker {

// In either direction. What is larger (a model, an archive) goes as a descriptor.
inline constexpr std::size_t kMaxFrameBytes = 64UL << 20;
inline constexpr std::size_t kFrameHeaderBytes = 4;

// `size` is at most kMaxFrameBytes.
std::array<std::uint8_t, kFrameHeaderBytes> frame_header(std::size_t size);

// Reads one frame after another from a stream that comes in pieces of any size. It asks for no byte beyond
// the frame at hand, and its memory follows what has arrived (at most twice that, from kFirstBytes up), not
// what the header announces. Not thread-safe.
class FrameDecoder {
 public:
  static constexpr std::size_t kFirstBytes = 64UL << 10;

  // Where the stream's next bytes go. Never empty; valid until the next call.
  [[nodiscard]] base::MutableByteView wanted();
  // The first `count` bytes of wanted() have been filled. True once the frame is whole; then take() it.
  // kLimitExceeded when its header announces more than kMaxFrameBytes: the stream is of no more use.
  base::Result<bool> advance(std::size_t count);
  // Whether any byte of the frame at hand has come.
  [[nodiscard]] bool started() const { return header_filled_ > 0; }
  // The whole frame. The next one begins.
  [[nodiscard]] base::Bytes take();

 private:
  std::array<std::uint8_t, kFrameHeaderBytes> header_{};
  std::size_t header_filled_ = 0;
  std::size_t length_ = 0;  // known once the header is filled
  base::Bytes body_;
  std::size_t body_filled_ = 0;
};

}  // namespace holdfast::worker
