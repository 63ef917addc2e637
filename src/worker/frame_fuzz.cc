#include <algorithm>

#include "base/assert.h"
#include "worker/frame.h"

// The stream of a hostile worker, cut at every size that a socket may give: the first byte says how large the
// pieces are. The same frames must come as from reading it straight, and no memory is held for what has not
// come.

namespace {

using holdfast::base::ByteView;
using holdfast::base::load_le;

struct Straight {
  ByteView stream;
  bool refused = false;

  // The next whole frame of the stream; empty and false where there is none.
  bool next(ByteView& frame) {
    if (stream.size() < holdfast::worker::kFrameHeaderBytes) return false;
    const std::size_t length = load_le<std::uint32_t>(stream);
    refused = length > holdfast::worker::kMaxFrameBytes;
    const ByteView body = stream.subspan(holdfast::worker::kFrameHeaderBytes);
    if (refused || body.size() < length) return false;
    frame = body.first(length);
    stream = body.subspan(length);
    return true;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  ByteView stream(data + 1, size - 1);
  const std::size_t step = std::size_t{data[0]} + 1;
  Straight straight{stream};
  holdfast::worker::FrameDecoder decoder;
  ByteView expected;
  while (!stream.empty()) {
    const auto room = decoder.wanted();
    HF_ASSERT(!room.empty());
    HF_ASSERT(room.size() <= std::max(size, holdfast::worker::FrameDecoder::kFirstBytes));
    const std::size_t count = std::min({room.size(), stream.size(), step});
    std::copy_n(stream.begin(), count, room.begin());
    stream = stream.subspan(count);
    const auto whole = decoder.advance(count);
    if (!whole) {
      HF_ASSERT(!straight.next(expected) && straight.refused);
      return 0;
    }
    if (*whole) {
      HF_ASSERT(straight.next(expected));
      HF_ASSERT(std::ranges::equal(decoder.take(), expected));
    }
  }
  HF_ASSERT(!straight.next(expected) && !straight.refused);
  return 0;
}
