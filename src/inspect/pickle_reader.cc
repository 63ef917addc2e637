#include "inspect/pickle_reader.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace holdfast::inspect {

void PickleReader::fill(std::size_t count) {
  HF_ASSERT(count <= kBufferBytes);
  if (ended_ || end_ - begin_ >= count) return;
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  base_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  while (end_ < count && !ended_) {
    auto got = stream_->read({buffer_.get() + end_, kBufferBytes - end_});
    if (!got) error_ = std::move(got).error();
    ended_ = !got || *got == 0;
    if (!ended_) end_ += *got;
  }
}

PickleReader::Step PickleReader::read_tail(PickleTail tail, PickleInstruction& instruction) {
  if (tail == PickleTail::kPayload) return read_text(instruction);
  const std::size_t lines = tail == PickleTail::kTwoLines ? 2 : 1;
  // With this much at hand, a newline that is not found is too far away, and reading on moves no line that is
  // kept.
  fill(lines * (kMaxText + 1));
  instruction.cut = false;
  instruction.second = {};
  for (std::size_t i = 0; i < lines; ++i) {
    const auto line = read_line(instruction.cut);
    if (!line) return Step::kTruncated;
    (i == 0 ? instruction.text : instruction.second) = *line;
  }
  if (instruction.cut) instruction.text = instruction.second = {};
  return Step::kInstruction;
}

PickleReader::Step PickleReader::read_text(PickleInstruction& instruction) {
  const auto shown = static_cast<std::size_t>(std::min<std::uint64_t>(instruction.number, kMaxText));
  if (end_ - begin_ < shown) fill(shown);
  if (end_ - begin_ < shown) return Step::kTruncated;
  instruction.text = base::as_text({buffer_.get() + begin_, shown});
  payload_left_ = instruction.number > kMaxText ? instruction.number : 0;
  if (payload_left_ == 0) begin_ += shown;
  return Step::kInstruction;
}

std::optional<std::string_view> PickleReader::read_line(bool& cut) {
  bool first = true;
  for (;;) {
    const std::uint8_t* from = buffer_.get() + begin_;
    const std::size_t window = std::min(end_ - begin_, kMaxText + 1);
    const void* newline = window == 0 ? nullptr : std::memchr(from, '\n', window);
    if (newline != nullptr) {
      const auto length = static_cast<std::size_t>(static_cast<const std::uint8_t*>(newline) - from);
      begin_ += length + 1;
      return first ? base::as_text({from, length}) : std::string_view{};
    }
    begin_ += window;
    first = false;
    cut = true;
    if (begin_ == end_) fill(1);
    if (begin_ == end_) return std::nullopt;
  }
}

std::size_t PickleReader::read_payload(base::MutableByteView to) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(to.size(), payload_left_));
  if (wanted == 0) return 0;
  if (begin_ == end_) fill(1);
  const std::size_t count = std::min(wanted, end_ - begin_);
  std::memcpy(to.data(), buffer_.get() + begin_, count);
  begin_ += count;
  payload_left_ -= count;
  return count;
}

bool PickleReader::skip_payload() {
  const std::uint64_t left = payload_left_;
  payload_left_ = 0;
  return skip(left);
}

bool PickleReader::skip(std::uint64_t count) {
  while (count > 0) {
    if (begin_ == end_) fill(1);
    if (begin_ == end_) return false;
    const std::uint64_t step = std::min<std::uint64_t>(count, end_ - begin_);
    begin_ += static_cast<std::size_t>(step);
    count -= step;
  }
  return true;
}

base::ByteView PickleReader::peek(std::size_t count) {
  if (end_ - begin_ < count) fill(count);
  return {buffer_.get() + begin_, std::min(count, end_ - begin_)};
}

void PickleReader::enter_frame(std::uint64_t size) {
  expect_no_frame();
  frame_end_ = size < kNoFrame - position() ? position() + size : kNoFrame - 1;
}

void PickleReader::expect_no_frame() {
  if (frame_end_ != kNoFrame && position() != frame_end_ && !frame_fault_) frame_fault_ = position();
  frame_end_ = kNoFrame;
}

void PickleReader::forget_frame() {
  frame_end_ = kNoFrame;
  frame_fault_.reset();
}

}  // namespace holdfast::inspect
