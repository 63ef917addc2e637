#include "formats/inflate.h"

#include <fmt/format.h>
#include <zlib.h>

#include <limits>
#include <optional>

#include "formats/buffered.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

namespace {

// inflateInit2's windowBits: the largest window, with the wrapper that the format has.
int window_bits(DeflateFormat format) {
  switch (format) {
    case DeflateFormat::kRaw:
      return -MAX_WBITS;
    case DeflateFormat::kZlib:
      return MAX_WBITS;
    case DeflateFormat::kGzip:
      return MAX_WBITS + 16;
  }
  return MAX_WBITS;
}

bool starts_member(DeflateFormat format, base::ByteView next) {
  if (next.size() < 2) return false;
  if (format == DeflateFormat::kGzip) return next[0] == 0x1F && next[1] == 0x8B;
  return (next[0] & 0x0FU) == Z_DEFLATED &&
         base::load_be<std::uint16_t>(next) % 31 == 0;  // RFC 1950 section 2.2
}

base::Error describe(int status) {
  if (status == Z_MEM_ERROR) return {ErrorCode::kUnavailable, "no memory to expand the data"};
  // Z_BUF_ERROR: no progress, and there always is room for output.
  if (status == Z_BUF_ERROR) return {ErrorCode::kDataCorrupt, "the compressed data is truncated"};
  return {ErrorCode::kDataCorrupt, "the compressed data is damaged"};
}

}  // namespace

struct InflateStream::State {
  State(Stream& stream, DeflateFormat its_format, const DecompressLimits& its_limits)
      : input(stream), format(its_format), limits(its_limits) {}
  ~State() { inflateEnd(&z); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  base::Result<std::size_t> step(base::MutableByteView buffer);
  base::Result<> finish_member();
  base::Result<> check_limits() const;

  BufferedReader input;
  DeflateFormat format;
  DecompressLimits limits;
  z_stream z{};
  std::uint64_t output = 0;
  std::uint64_t members = 1;
  bool ended = false;
  std::optional<base::Error> fault;
  Anomalies anomalies;
};

base::Result<> InflateStream::State::check_limits() const {
  if (output > limits.max_output) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the data expands beyond {} bytes", limits.max_output));
  }
  if (output > DecompressLimits::kRatioFloor && output / limits.max_ratio > input.position()) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the data expands more than {}-fold", limits.max_ratio));
  }
  return {};
}

base::Result<> InflateStream::State::finish_member() {
  ended = true;
  if (format == DeflateFormat::kRaw) return {};
  HF_TRY(base::ByteView next, input.peek(2));
  while (format == DeflateFormat::kGzip && !next.empty() && next[0] == 0) {  // tapes pad with zeros
    input.consume(1);
    HF_TRY(next, input.peek(2));
  }
  if (next.empty()) return {};
  if (!starts_member(format, next)) {
    anomalies.add(AnomalyKind::kTrailingData, input.position(),
                  "bytes follow the end of the compressed data");
    return {};
  }
  ended = false;
  ++members;
  inflateReset(&z);
  return {};
}

// One call of inflate(), also at the end of input, since zlib may hold output back: gives what it produced,
// and keeps what went wrong for the next call where it produced any.
base::Result<std::size_t> InflateStream::State::step(base::MutableByteView buffer) {
  HF_TRY(const base::ByteView at_hand, input.peek(1));
  const auto room = static_cast<uInt>(std::min<std::size_t>(buffer.size(), std::numeric_limits<uInt>::max()));
  z.next_in = const_cast<Bytef*>(at_hand.data());  // zlib's interface; it does not write there
  z.avail_in = static_cast<uInt>(at_hand.size());
  z.next_out = buffer.data();
  z.avail_out = room;
  const int status = inflate(&z, Z_NO_FLUSH);
  input.consume(at_hand.size() - z.avail_in);
  const std::size_t produced = room - z.avail_out;
  output += produced;

  auto outcome = check_limits();
  if (outcome && status == Z_STREAM_END) outcome = finish_member();
  if (outcome && status != Z_OK && status != Z_STREAM_END) outcome = fail(describe(status));
  if (!outcome) fault = std::move(outcome).error();
  return produced;
}

base::Result<InflateStream> InflateStream::open(Stream& input, DeflateFormat format,
                                                const DecompressLimits& limits) {
  auto state = std::make_unique<State>(input, format, limits);
  if (inflateInit2(&state->z, window_bits(format)) != Z_OK) {
    return fail(ErrorCode::kUnavailable, "no memory to expand the data");
  }
  return InflateStream(std::move(state));
}

InflateStream::InflateStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
InflateStream::InflateStream(InflateStream&&) noexcept = default;
InflateStream& InflateStream::operator=(InflateStream&&) noexcept = default;
InflateStream::~InflateStream() = default;

base::Result<std::size_t> InflateStream::read(base::MutableByteView buffer) {
  State& state = *state_;
  while (!buffer.empty()) {
    if (state.fault) return fail(*state.fault);
    if (state.ended) return 0;
    auto produced = state.step(buffer);
    if (!produced) state.fault = produced.error();
    if (!produced || *produced > 0) return produced;
  }
  return 0;
}

std::uint64_t InflateStream::consumed() const { return state_->input.position(); }
std::uint64_t InflateStream::members() const { return state_->members; }
const Anomalies& InflateStream::anomalies() const { return state_->anomalies; }

}  // namespace holdfast::formats
