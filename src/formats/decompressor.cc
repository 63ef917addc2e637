#include "formats/decompressor.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <optional>

#include "formats/buffered.h"
#include "formats/codec.h"
#include "formats/inflate.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

base::Error no_memory_to_expand() { return {ErrorCode::kUnavailable, "no memory to expand the data"}; }
base::Error damaged_data() { return {ErrorCode::kDataCorrupt, "the compressed data is damaged"}; }
base::Error too_much_memory(std::uint64_t needed, std::uint64_t allowed) {
  return {ErrorCode::kUnsupported,
          fmt::format("the compressed data needs {} KiB of memory to expand, and {} KiB may be held here",
                      needed >> 10, allowed >> 10)};
}

namespace {

// Enough of what follows a member to know another by.
constexpr std::size_t kStartBytes = 16;

// A codec with what all formats share: members, limits, and faults that wait until all before them was given.
class CodecDecompressor final : public Decompressor {
 public:
  CodecDecompressor(std::unique_ptr<Codec> codec, Stream& input, const DecompressLimits& limits)
      : codec_(std::move(codec)), input_(input), limits_(limits) {}
  ~CodecDecompressor() override { budget().change(held_, 0); }
  CodecDecompressor(const CodecDecompressor&) = delete;
  CodecDecompressor& operator=(const CodecDecompressor&) = delete;

  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    while (!buffer.empty()) {
      if (fault_) return fail(*fault_);
      if (ended_) return 0;
      auto produced = step(buffer);
      if (!produced) fault_ = produced.error();
      if (!produced || *produced > 0) return produced;
    }
    return 0;
  }
  [[nodiscard]] std::uint64_t consumed() const override { return input_.position(); }
  [[nodiscard]] std::uint64_t members() const override { return members_; }
  [[nodiscard]] const Anomalies& anomalies() const override { return anomalies_; }

 private:
  MemoryBudget& budget() { return limits_.memory != nullptr ? *limits_.memory : own_; }

  base::Result<std::size_t> step(base::MutableByteView buffer) {
    HF_TRY(const base::ByteView at_hand, input_.peek(1));
    Codec::Step done = codec_->step(at_hand, buffer, held_ + budget().left());
    input_.consume(done.taken);
    output_ += done.given;
    const std::uint64_t now = codec_->memory();
    budget().change(held_, now);
    held_ = now;
    if (!done.fault && !done.ended && at_hand.empty() && done.given == 0) {
      done.fault = base::Error{ErrorCode::kDataCorrupt, "the compressed data is truncated"};
    }
    auto outcome = done.fault ? base::Result<>(fail(*done.fault)) : check_limits();
    if (outcome && done.ended) outcome = finish_member();
    if (!outcome) fault_ = std::move(outcome).error();
    return done.given;
  }

  [[nodiscard]] base::Result<> check_limits() const {
    if (output_ > limits_.max_output) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the data expands beyond {} bytes", limits_.max_output));
    }
    if (output_ > DecompressLimits::kRatioFloor && output_ / limits_.max_ratio > input_.position()) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the data expands more than {}-fold", limits_.max_ratio));
    }
    return {};
  }

  base::Result<> finish_member() {
    ended_ = true;
    HF_TRY(base::ByteView next, input_.peek(kStartBytes));
    const std::size_t padding = codec_->padding();
    while (padding > 0 && next.size() >= padding &&
           std::ranges::all_of(next.first(padding), [](std::uint8_t byte) { return byte == 0; })) {
      input_.consume(padding);
      HF_TRY(next, input_.peek(kStartBytes));
    }
    if (next.empty()) return {};
    if (!codec_->starts(next)) {
      anomalies_.add(AnomalyKind::kTrailingData, input_.position(),
                     "bytes follow the end of the compressed data");
      return {};
    }
    ended_ = false;
    ++members_;
    return codec_->restart();
  }

  std::unique_ptr<Codec> codec_;
  BufferedReader input_;
  DecompressLimits limits_;
  MemoryBudget own_;
  std::uint64_t held_ = 0;
  std::uint64_t output_ = 0;
  std::uint64_t members_ = 1;
  bool ended_ = false;
  std::optional<base::Error> fault_;
  Anomalies anomalies_;
};

}  // namespace

std::unique_ptr<Decompressor> decompress_by(std::unique_ptr<Codec> codec, Stream& input,
                                            const DecompressLimits& limits) {
  return std::make_unique<CodecDecompressor>(std::move(codec), input, limits);
}

namespace {

base::Result<std::unique_ptr<Decompressor>> over(base::Result<std::unique_ptr<Codec>> codec, Stream& input,
                                                 const DecompressLimits& limits) {
  HF_TRY(auto made, std::move(codec));
  return decompress_by(std::move(made), input, limits);
}

base::Result<std::unique_ptr<Decompressor>> inflater(DeflateFormat format, Stream& input,
                                                     const DecompressLimits& limits) {
  HF_TRY(auto stream, InflateStream::open(input, format, limits));
  return std::make_unique<InflateStream>(std::move(stream));
}

}  // namespace

bool is_compressed(Format format) {
  constexpr std::array kCompressed = {Format::kZlib, Format::kGzip, Format::kBzip2, Format::kXz,
                                      Format::kLzma, Format::kZstd, Format::kLz4};
  return std::ranges::find(kCompressed, format) != kCompressed.end();
}

base::Result<std::unique_ptr<Decompressor>> open_decompressor(Format format, Stream& input,
                                                              const DecompressLimits& limits) {
  switch (format) {
    case Format::kZlib:
      return inflater(DeflateFormat::kZlib, input, limits);
    case Format::kGzip:
      return inflater(DeflateFormat::kGzip, input, limits);
    case Format::kBzip2:
      return over(make_bzip2_codec(), input, limits);
    case Format::kXz:
      return over(make_xz_codec(), input, limits);
    case Format::kLzma:
      return over(make_lzma_codec(), input, limits);
    case Format::kZstd:
      return over(make_zstd_codec(), input, limits);
    case Format::kLz4:
      return over(make_lz4_codec(), input, limits);
    default:
      return fail(ErrorCode::kUnsupported, fmt::format("{} is no compressed data", to_string(format)));
  }
}

bool is_lzma_alone(base::ByteView head) {
  // Properties, the dictionary's size, the size of what it expands to, and the range coder's first byte.
  if (head.size() < 14 || head[0] >= 9 * 5 * 5 || head[13] != 0) return false;
  const auto dictionary = base::load_le<std::uint32_t>(head.subspan(1));
  const auto size = base::load_le<std::uint64_t>(head.subspan(5));
  constexpr std::uint64_t kUnknownSize = ~0ULL;
  constexpr std::uint64_t kMaxSize = 1ULL << 38;  // liblzma's own sense of what is sound
  if (size != kUnknownSize && size >= kMaxSize) return false;
  if (head[0] == 0x5D && head[1] == 0) return true;  // all that joblib asks for
  const bool one_bit = std::has_single_bit(dictionary);
  const bool two_bits = std::popcount(dictionary) == 2 && (dictionary & (dictionary >> 1)) != 0;
  return dictionary == 0xFFFFFFFF || one_bit || two_bits;
}

}  // namespace holdfast::formats
