#include "worker/frame.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::worker {
namespace {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;

Bytes framed(ByteView body) {
  const auto header = frame_header(body.size());
  Bytes stream(header.begin(), header.end());
  base::append(stream, body);
  return stream;
}

// Feeds the stream in pieces of at most `step`, and gives the frames that are whole.
base::Result<std::vector<Bytes>> decode(ByteView stream, std::size_t step) {
  FrameDecoder decoder;
  std::vector<Bytes> frames;
  while (!stream.empty()) {
    const auto room = decoder.wanted();
    const std::size_t count = std::min({room.size(), stream.size(), step});
    std::copy_n(stream.begin(), count, room.begin());
    stream = stream.subspan(count);
    HF_TRY(const bool whole, decoder.advance(count));
    if (whole) frames.push_back(decoder.take());
  }
  return frames;
}

TEST(FrameHeader, IsTheLengthInLittleEndian) {
  EXPECT_EQ(frame_header(0x01020304), (std::array<std::uint8_t, 4>{4, 3, 2, 1}));
}

TEST(FrameDecoder, GivesTheSameFramesHoweverTheStreamIsCut) {
  const std::vector<Bytes> frames{{}, {1}, Bytes(300, 7), {}, Bytes(2 * FrameDecoder::kFirstBytes + 1, 9)};
  Bytes stream;
  for (const auto& frame : frames) base::append(stream, framed(frame));
  for (const std::size_t step : {1UL, 2UL, 3UL, 5UL, 4096UL, stream.size()}) {
    EXPECT_EQ(decode(stream, step).value(), frames) << "in steps of " << step;
  }
}

TEST(FrameDecoder, GivesNothingBeforeTheLastByte) {
  const Bytes stream = framed(base::as_bytes("frame"));
  for (std::size_t size = 0; size < stream.size(); ++size) {
    EXPECT_TRUE(decode(ByteView(stream).first(size), 1).value().empty()) << size;
  }
}

TEST(FrameDecoder, TakesTheLargestFrameAndRefusesTheNext) {
  Bytes header;
  base::append_le(header, static_cast<std::uint32_t>(kMaxFrameBytes));
  EXPECT_TRUE(decode(header, 4).has_value());
  for (const std::uint32_t size : {static_cast<std::uint32_t>(kMaxFrameBytes + 1), 0xffffffffU}) {
    header.clear();
    base::append_le(header, size);
    EXPECT_EQ(decode(header, 4).error().code, ErrorCode::kLimitExceeded);
  }
}

TEST(FrameDecoder, HoldsNoMoreMemoryThanTwiceWhatHasCome) {
  Bytes header;
  base::append_le(header, static_cast<std::uint32_t>(kMaxFrameBytes));
  FrameDecoder decoder;
  std::copy(header.begin(), header.end(), decoder.wanted().begin());
  ASSERT_FALSE(decoder.advance(header.size()).value());
  std::size_t come = 0;
  for (int pieces = 0; pieces < 5; ++pieces) {
    const std::size_t room = decoder.wanted().size();
    EXPECT_LE(room, std::max(come, FrameDecoder::kFirstBytes));
    ASSERT_FALSE(decoder.advance(room).value());
    come += room;
  }
}

TEST(FrameDecoder, AsksForNoByteBeyondTheFrame) {
  FrameDecoder decoder;
  const auto header = frame_header(10);
  ASSERT_EQ(decoder.wanted().size(), header.size());
  std::copy(header.begin(), header.end(), decoder.wanted().begin());
  ASSERT_FALSE(decoder.advance(header.size()).value());
  EXPECT_EQ(decoder.wanted().size(), 10U);
}

}  // namespace
}  // namespace holdfast::worker
