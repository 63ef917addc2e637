#include "worker/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace holdfast::worker {

using base::Bytes;
using base::ErrorCode;
using base::fail;
using base::MutableByteView;
using base::Result;

std::array<std::uint8_t, kFrameHeaderBytes> frame_header(std::size_t size) {
  HF_ASSERT(size <= kMaxFrameBytes);
  std::array<std::uint8_t, kFrameHeaderBytes> header{};
  for (std::size_t i = 0; i < header.size(); ++i) header[i] = static_cast<std::uint8_t>(size >> (8 * i));
  return header;
}

MutableByteView FrameDecoder::wanted() {
  if (header_filled_ < header_.size()) return MutableByteView(header_).subspan(header_filled_);
  if (body_filled_ == body_.size()) {
    body_.resize(std::min(length_, std::max(kFirstBytes, 2 * body_filled_)));
  }
  return MutableByteView(body_).subspan(body_filled_);
}

Result<bool> FrameDecoder::advance(std::size_t count) {
  if (header_filled_ == header_.size()) {
    HF_ASSERT(count <= body_.size() - body_filled_);
    body_filled_ += count;
    return body_filled_ == length_;
  }
  HF_ASSERT(count <= header_.size() - header_filled_);
  header_filled_ += count;
  if (header_filled_ < header_.size()) return false;
  length_ = base::load_le<std::uint32_t>(header_);
  if (length_ > kMaxFrameBytes) {
    return fail(
        ErrorCode::kLimitExceeded,
        fmt::format("a frame of {} bytes was announced; at most {} are allowed", length_, kMaxFrameBytes));
  }
  return length_ == 0;
}

Bytes FrameDecoder::take() {
  HF_ASSERT(header_filled_ == header_.size() && body_filled_ == length_);
  header_filled_ = 0;
  body_filled_ = 0;
  return std::exchange(body_, {});
}

}  // namespace holdfast::worker
