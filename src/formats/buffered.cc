#include "formats/buffered.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

base::Result<> BufferedReader::fill(std::size_t count) {
  std::copy(buffer_.get() + begin_, buffer_.get() + end_, buffer_.get());
  end_ -= begin_;
  begin_ = 0;
  while (end_ < count) {
    HF_TRY(const std::size_t got, stream_->read({buffer_.get() + end_, kCapacity - end_}));
    if (got == 0) break;
    end_ += got;
  }
  return {};
}

base::Result<std::size_t> BufferedReader::read(base::MutableByteView to) {
  if (begin_ == end_) {
    if (to.size() >= kCapacity) {
      HF_TRY(const std::size_t got, stream_->read(to));
      position_ += got;
      return got;
    }
    HF_CHECK(fill(std::min<std::size_t>(to.size(), 1)));
  }
  const std::size_t count = std::min(to.size(), end_ - begin_);
  std::copy_n(buffer_.get() + begin_, count, to.begin());
  consume(count);
  return count;
}

base::Result<> BufferedReader::read_exactly(base::MutableByteView to) {
  while (!to.empty()) {
    HF_TRY(const std::size_t got, read(to));
    if (got == 0) return fail(ErrorCode::kDataCorrupt, "the data is truncated");
    to = to.subspan(got);
  }
  return {};
}

base::Result<> BufferedReader::skip(std::uint64_t count) {
  while (count > 0) {
    HF_TRY(const base::ByteView at_hand, peek(1));
    if (at_hand.empty()) return fail(ErrorCode::kDataCorrupt, "the data is truncated");
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(count, at_hand.size()));
    consume(step);
    count -= step;
  }
  return {};
}

}  // namespace holdfast::formats
