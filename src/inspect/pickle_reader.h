#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "formats/source.h"
#include "inspect/pickle_opcodes.h"

// Cuts a stream of bytes into pickle instructions, through one buffer whatever the stream's length.

namespace holdfast::inspect {

// One instruction with its argument. `text` and `second` are valid until the reader's next verb.
struct PickleInstruction {
  std::uint64_t offset = 0;
  PickleOp op = PickleOp::kStop;
  // The fixed argument, little-endian and unsigned; of a payload, its size.
  std::uint64_t number = 0;
  // A line without its newline, or the payload's first kMaxText bytes.
  std::string_view text;
  std::string_view second;
  bool cut = false;  // a line was longer than kMaxText; both texts are left empty
};

// Not thread-safe. The caller keeps the stream alive.
class PickleReader {
 public:
  static constexpr std::size_t kBufferBytes = 64UL << 10;
  static constexpr std::size_t kMaxText = 1024;

  enum class Step : std::uint8_t { kInstruction, kEnd, kTruncated, kInvalid };

  explicit PickleReader(formats::Stream& stream)
      : stream_(&stream), buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes + kSlack)) {}

  // The next instruction. A payload of more than kMaxText bytes is left to read_payload() or skip_payload(),
  // one of which the caller must use up before the next step. kEnd where nothing is left, kTruncated where an
  // argument is cut off, kInvalid at a byte that is no instruction.
  Step next(PickleInstruction& instruction) {
    if (end_ - begin_ <= kLongestFixed) fill(kLongestFixed + 1);
    if (position() >= frame_end_) expect_no_frame();
    if (begin_ == end_) return Step::kEnd;
    const std::uint8_t byte = buffer_[begin_];
    const PickleOpShape shape = kPickleShapes[byte];
    instruction.offset = position();
    instruction.op = static_cast<PickleOp>(byte);
    if (shape.is_bare()) {  // most are; and the processor need not wait for the table to know where the next
                            // begins
      instruction.number = 0;
      ++begin_;
      return Step::kInstruction;
    }
    if (!shape.exists()) return Step::kInvalid;
    if (end_ - begin_ <= shape.fixed()) return Step::kTruncated;
    instruction.number = fixed_argument(shape.fixed());
    begin_ += 1U + shape.fixed();
    return shape.has_tail() ? read_tail(shape.tail(), instruction) : Step::kInstruction;
  }

  // Bytes of the last instruction's payload that were not given out yet; none of them where `text` holds it
  // whole.
  [[nodiscard]] std::uint64_t payload_left() const { return payload_left_; }
  // Reads on in the payload; 0 at its end, or where the stream ends before.
  std::size_t read_payload(base::MutableByteView to);
  // False where the stream ends before the payload does.
  bool skip_payload();

  // Raw bytes that lie between instructions. False where the stream ends before.
  bool skip(std::uint64_t count);
  // Up to `count` (at most kBufferBytes) of the bytes to come, fewer only where the stream ends.
  base::ByteView peek(std::size_t count);
  // From here on `count` bytes are a payload.
  void begin_payload(std::uint64_t count) { payload_left_ = count; }

  [[nodiscard]] std::uint64_t position() const { return base_ + begin_; }

  // Frames (PEP 3154) only say how much to read ahead, yet unpicklers part company over one that does not end
  // with an instruction: the C one drops what is left in its buffer, reads on, or fails, after the kind of
  // file it was given; the Python one fails. So a frame that is left too early, too late, or for another is
  // remembered as a fault.
  void enter_frame(std::uint64_t size);
  // Before bytes that the frame must not reach into: raw data, or the end of the pickle.
  void expect_no_frame();
  [[nodiscard]] std::optional<std::uint64_t> frame_fault() const { return frame_fault_; }
  void forget_frame();

  // Why the stream could not be read on; it then looks like its end.
  [[nodiscard]] const std::optional<base::Error>& error() const { return error_; }

 private:
  static constexpr std::size_t kLongestFixed = 8;
  static constexpr std::size_t kSlack = 16;  // so that a fixed argument is loaded whole at any place
  static constexpr std::uint64_t kNoFrame = std::numeric_limits<std::uint64_t>::max();

  [[nodiscard]] std::uint64_t fixed_argument(unsigned size) const {
    if (size == 0) return 0;
    std::uint64_t eight = 0;
    std::memcpy(&eight, buffer_.get() + begin_ + 1, sizeof(eight));
    if constexpr (std::endian::native == std::endian::big) eight = __builtin_bswap64(eight);
    return eight & (~std::uint64_t{0} >> (64 - 8 * size));
  }
  void fill(std::size_t count);
  Step read_tail(PickleTail tail, PickleInstruction& instruction);
  Step read_text(PickleInstruction& instruction);
  // The line at begin_, consumed with its newline; nothing where the stream ends before it.
  std::optional<std::string_view> read_line(bool& cut);

  formats::Stream* stream_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t base_ = 0;  // of the buffer's first byte
  std::uint64_t payload_left_ = 0;
  std::uint64_t frame_end_ = kNoFrame;
  std::optional<std::uint64_t> frame_fault_;
  std::optional<base::Error> error_;
  bool ended_ = false;
};

}  // namespace holdfast::inspect
