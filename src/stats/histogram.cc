#include "stats/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "stats/sketch_bytes.h"

namespace holdfast::stats {
namespace {

using base::Result;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSmallest = 0x1p-64;
constexpr double kBeyond = 0x1p64;
constexpr std::uint64_t kMaxParsedCount = 1ULL << 62;  // of all buckets together: sums can't wrap

// The lower end of a bucket above zero, counted from 2^-64 on.
double lower_end(std::size_t bucket) {
  constexpr unsigned kPerOctave = LogLinearHistogram::kBucketsPerOctave;
  const double scaled = 1 + static_cast<double>(bucket % kPerOctave) / kPerOctave;
  return std::ldexp(scaled, static_cast<int>(bucket / kPerOctave) - 64);
}

bool holds_values(std::span<const std::uint64_t> counts) {
  return std::any_of(counts.begin(), counts.end(), [](std::uint64_t count) { return count > 0; });
}

}  // namespace

// Makes room for the octaves from `first` to `last`.
void LogLinearHistogram::Side::cover(unsigned first, unsigned last) {
  if (counts.empty()) first_octave = first;
  if (first < first_octave) {
    counts.insert(counts.begin(), std::size_t{first_octave - first} * kBucketsPerOctave, 0);
    first_octave = first;
  }
  counts.resize(std::max(counts.size(), std::size_t{last - first_octave + 1} * kBucketsPerOctave));
}

void LogLinearHistogram::merge(const LogLinearHistogram& other) {
  not_finite_ += other.not_finite_;
  zeros_ += other.zeros_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  for (std::size_t sign = 0; sign < sides_.size(); ++sign) {
    Side& side = sides_[sign];
    const Side& from = other.sides_[sign];
    side.beyond += from.beyond;
    if (from.counts.empty()) continue;
    side.cover(from.first_octave,
               static_cast<unsigned>(from.first_octave + from.counts.size() / kBucketsPerOctave - 1));
    const std::size_t offset = std::size_t{from.first_octave - side.first_octave} * kBucketsPerOctave;
    for (std::size_t i = 0; i < from.counts.size(); ++i) side.counts[offset + i] += from.counts[i];
  }
}

std::uint64_t LogLinearHistogram::count() const {
  std::uint64_t sum = zeros_;
  for (const Side& side : sides_) {
    sum += side.beyond;
    for (const std::uint64_t count : side.counts) sum += count;
  }
  return sum;
}

std::vector<LogLinearHistogram::Bucket> LogLinearHistogram::buckets() const {
  const auto& [above, below] = sides_;
  std::vector<Bucket> result;
  const auto add = [&](double low, double high, std::uint64_t count) {
    if (count > 0) result.push_back({.low = low, .high = high, .count = count});
  };
  add(-kInfinity, -kBeyond, below.beyond);
  for (std::size_t i = below.counts.size(); i-- > 0;) {
    const std::size_t bucket = std::size_t{below.first_octave} * kBucketsPerOctave + i;
    add(-lower_end(bucket + 1), -lower_end(bucket), below.counts[i]);
  }
  add(-kSmallest, kSmallest, zeros_);
  for (std::size_t i = 0; i < above.counts.size(); ++i) {
    const std::size_t bucket = std::size_t{above.first_octave} * kBucketsPerOctave + i;
    add(lower_end(bucket), lower_end(bucket + 1), above.counts[i]);
  }
  add(kBeyond, kInfinity, above.beyond);
  return result;
}

std::optional<LogLinearHistogram::Quantile> LogLinearHistogram::quantile(double probability) const {
  HF_ASSERT(probability >= 0 && probability <= 1);
  const double rank = std::max(1.0, std::ceil(probability * static_cast<double>(count())));
  std::uint64_t seen = 0;
  std::optional<Quantile> found;
  for (const Bucket& bucket : buckets()) {
    const double low = std::max(bucket.low, min_);
    const double high = std::min(bucket.high, max_);
    found = Quantile{.value = low + (high - low) / 2, .low = low, .high = high};
    seen += bucket.count;
    if (static_cast<double>(seen) >= rank) break;
  }
  return found;
}

std::vector<std::uint64_t> LogLinearHistogram::counts_between(std::span<const double> edges) const {
  std::vector<std::uint64_t> counts(edges.size() + 1);
  for (const Bucket& bucket : buckets()) {
    const double middle = bucket.low / 2 + bucket.high / 2;
    const auto bin = std::lower_bound(edges.begin(), edges.end(), middle) - edges.begin();
    counts[static_cast<std::size_t>(bin)] += bucket.count;
  }
  return counts;
}

void LogLinearHistogram::append_to(base::Bytes& to) const {
  append_head(to, 'H');
  append_varint(to, not_finite_);
  append_varint(to, zeros_);
  append_double(to, min_);
  append_double(to, max_);
  for (const std::size_t sign : {std::size_t{1}, std::size_t{0}}) {
    const Side& side = sides_[sign];
    append_varint(to, side.beyond);
    append_varint(to, side.counts.empty() ? 0 : side.first_octave + 1);
    if (side.counts.empty()) continue;
    append_varint(to, side.counts.size() / kBucketsPerOctave - 1);
    for (const std::uint64_t count : side.counts) append_varint(to, count);
  }
}

Result<LogLinearHistogram::Side> LogLinearHistogram::parse_side(SketchReader& reader) {
  Side side;
  HF_TRY(side.beyond, reader.varint());
  HF_TRY(const std::uint64_t first, reader.varint(kOctaves));
  if (first == 0) return side;
  side.first_octave = static_cast<unsigned>(first - 1);
  HF_TRY(const std::uint64_t more, reader.varint(kOctaves - first));
  side.counts.resize((more + 1) * kBucketsPerOctave);
  for (std::uint64_t& count : side.counts) {
    HF_TRY(count, reader.varint());
  }
  const std::span<const std::uint64_t> counts(side.counts);
  HF_CHECK(reader.require(
      holds_values(counts.first(kBucketsPerOctave)) && holds_values(counts.last(kBucketsPerOctave)),
      "an octave at its end is empty"));
  return side;
}

// Whether the smallest and the largest value lie in the first and the last bucket.
bool LogLinearHistogram::extremes_fit() const {
  const std::vector<Bucket> all = buckets();
  if (all.empty()) return min_ == kInfinity && max_ == -kInfinity;
  LogLinearHistogram probe;
  probe.add(min_);
  probe.add(max_);
  if (probe.not_finite() > 0) return false;
  const std::vector<Bucket> extremes = probe.buckets();
  const bool same_bits = std::bit_cast<std::uint64_t>(probe.min_) == std::bit_cast<std::uint64_t>(min_) &&
                         std::bit_cast<std::uint64_t>(probe.max_) == std::bit_cast<std::uint64_t>(max_);
  return same_bits && extremes.front().low == all.front().low && extremes.back().low == all.back().low &&
         (min_ == max_ || count() > 1);
}

Result<LogLinearHistogram> LogLinearHistogram::parse(base::ByteView bytes) {
  SketchReader reader(bytes, "histogram");
  LogLinearHistogram histogram;
  HF_CHECK(reader.head('H'));
  HF_TRY(histogram.not_finite_, reader.varint());
  HF_TRY(histogram.zeros_, reader.varint());
  HF_TRY(histogram.min_, reader.number());
  HF_TRY(histogram.max_, reader.number());
  HF_TRY(histogram.sides_[1], parse_side(reader));
  HF_TRY(histogram.sides_[0], parse_side(reader));
  HF_CHECK(reader.end());
  double total = 0;
  for (const Bucket& bucket : histogram.buckets()) total += static_cast<double>(bucket.count);
  HF_CHECK(reader.require(total <= static_cast<double>(kMaxParsedCount), "its counts are too large"));
  HF_CHECK(reader.require(histogram.extremes_fit(), "its extremes do not fit its buckets"));
  return histogram;
}

}  // namespace holdfast::stats
