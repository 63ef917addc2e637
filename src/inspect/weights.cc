#include "inspect/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "formats/anomaly.h"
#include "inspect/hidden_content.h"
#include "inspect/low_bits.h"
#include "inspect/weight_range.h"

namespace holdfast::inspect {

using base::ByteView;
using formats::quote;

namespace {

constexpr std::string_view kProgram = "weights.program";  // told each time

constexpr Rule kRules[] = {
    {.id = "weights.constant",
     .severity = Severity::kInfo,
     .title = "Weights that are all the same",
     .explanation = "Training leaves no large tensor of one value. It may be a mask or one that was never "
                    "trained; it may also have been wiped.",
     .remedy = "Compare it with the model's own release, and evaluate the model.",
     .practice = "P24",
     .risk = "R04",
     .atlas = "AML.T0018"},
    {.id = "weights.hidden-content",
     .severity = Severity::kLow,
     .title = "Archive, pickle or text where numbers should be",
     .explanation = "A tensor's bytes, or the low bits of its numbers, hold what has a header of its own. "
                    "Weights are a place to carry "
                    "data past scanners; alone it runs nothing, it takes a loader that fetches it. Some "
                    "training libraries keep a pickle of their state in a tensor of bytes.",
     .remedy =
         "Find out who wrote it. Round the weights (to float16 and back) to be rid of what low bits hold.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0018"},
    {.id = "weights.left-out",
     .severity = Severity::kInfo,
     .title = "More of the weights is strange than is listed",
     .explanation =
         "Of each kind of finding twenty are listed, and the low bits of 16 MiB of odd ones are put "
         "together and searched. Of a file that has more, the rest is counted here; many strange "
         "tensors may be there to hide one among them.",
     .remedy =
         "Ask the model's maker why its weights are unlike others, or round them (to float16 and back).",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0018"},
    {.id = "weights.low-bits",
     .severity = Severity::kLow,
     .title = "Part of a tensor whose low bits are unlike the rest",
     .explanation =
         "The lowest bits of trained float32 weights are even, as thrown coins are; in one stretch "
         "of this tensor they are not, though in all the rest they are. Data that is hidden there "
         "unencrypted does that. So may weights that were put together from several sources. What "
         "was encrypted before does not show.",
     .remedy = "Compare the tensor with the model's own release, or round the weights (to float16 and back).",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0018"},
    {.id = "weights.not-numbers",
     .severity = Severity::kLow,
     .title = "Tensor whose bytes are no numbers of its type",
     .explanation = "A large part of its values is beyond anything that a network computes with, as it is "
                    "when other data, ciphertext or another type stands there.",
     .remedy = "Ask the model's maker what the tensor holds; compare it with the model's own release.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0018"},
    {.id = "weights.out-of-range",
     .severity = Severity::kLow,
     .title = "Weights out of the range of trained ones",
     .explanation = "Single values that are no numbers, infinite or beyond 10^9 stand among ordinary ones: a "
                    "training that diverged, a flipped bit of an exponent, or a value that was set to make "
                    "the network answer as somebody wants.",
     .remedy = "Evaluate the model before you use it, and compare the tensor with the model's own release.",
     .practice = "P24",
     .risk = "R04",
     .atlas = "AML.T0018"},
    {.id = kProgram,
     .severity = Severity::kHigh,
     .title = "Program inside of weights",
     .explanation = "A tensor's bytes, or the low bits of its numbers, hold the whole header of a program or "
                    "the first line of a script. It doesn't run by being loaded as weights; it is there to "
                    "be carried past scanners and run by something else.",
     .remedy = "Don't use the model. Report it to where it came from, and look for what unpacks it.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0018"},
};

constexpr std::size_t kStartBytes = 512;  // of what low bits come to at a tensor's start
// Standard deviations: see LowBitCounts::oddness. Training leaves less than kEven; generators of random
// float32 numbers, by which weights begin, leave up to 13. Of 2048 groups, a float32 window's, 45 is the most
// there can be.
constexpr double kEven = 6.5;
constexpr double kOdd = 14;
constexpr double kVeryOdd = 30;
constexpr std::uint64_t kFewestGroups = 256;  // of a window that is judged

}  // namespace

// One tensor, window by window. The window before is kept, since what begins in it may show only in the next.
class TensorScan {
 public:
  TensorScan(WeightInspector& inspector, const WeightTensor& tensor)
      : inspector_(inspector),
        tensor_(tensor),
        type_(tensor.type.value_or(WeightType::kOpaque)),
        buffer_(2 * WeightInspector::kWindowBytes) {}

  base::Result<> run(formats::Stream& bytes) {
    while (true) {
      HF_TRY(const std::size_t got, fill(bytes));
      if (got == 0) break;
      window(got);
      if (got < WeightInspector::kWindowBytes) break;
    }
    search(held_);
    conclude();
    return {};
  }

 private:
  // Reads a window behind the one before.
  base::Result<std::size_t> fill(formats::Stream& bytes) {
    constexpr std::size_t kWindow = WeightInspector::kWindowBytes;
    if (held_ > kWindow) {
      std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(held_ - kWindow), kWindow, buffer_.begin());
      base_ += held_ - kWindow;
      searched_ -= std::min(searched_, held_ - kWindow);
      held_ = kWindow;
    }
    std::size_t got = 0;
    while (got < kWindow) {
      HF_TRY(const std::size_t step,
             bytes.read(base::MutableByteView(buffer_).subspan(held_ + got, kWindow - got)));
      if (step == 0) break;
      got += step;
    }
    return got;
  }

  void window(std::size_t got) {
    const ByteView fresh = ByteView(buffer_).subspan(held_, got);
    const bool first = base_ + held_ == 0;
    if (first && !tensor_.type) type_ = guess_weight_type(fresh).value_or(WeightType::kOpaque);
    held_ += got;
    search(held_ - std::min(held_, kHiddenHeaderBytes));
    if (type_ == WeightType::kOpaque) return;
    range_.add(fresh, type_);
    LowBitCounts counts;
    counts.add(fresh, width_of(type_));
    judge(counts, fresh);
    if (first) start_of_low_bits();
    // Rounded numbers have even more to count, and nothing to hide behind.
    if (counts.oddness() > kOdd && counts.zero_share() < 0.9) unpack();
  }

  // The bytes as they are, up to `to` in the buffer.
  void search(std::size_t to) {
    if (to <= searched_) return;
    const ByteView bytes = ByteView(buffer_).first(held_);
    while (const auto found = find_hidden_content(bytes, searched_, to)) {
      report(found->content, base_ + found->offset, fmt::format("at byte {}", base_ + found->offset));
      searched_ = found->offset + 1;
      if (++hits_ >= kMaxHits) break;
    }
    searched_ = to;
  }

  void start_of_low_bits() {
    for (const Packing& packing : packings(mantissa_of(type_))) {
      bits_.clear();
      unpack_low_bits(ByteView(buffer_).first(held_), width_of(type_), 0, packing, kStartBytes, bits_);
      const auto found = hidden_at_start(bits_);
      if (found) return in_low_bits(*found, packing, 0);
    }
  }

  // Where in a window of numbers data begins is not known: it is tried at each number that a byte may begin
  // at.
  void unpack() {
    if (in_low_bits_) return;
    if (inspector_.unpacked_ >= WeightInspector::kMaxUnpacked) {
      ++inspector_.not_unpacked_;
      return;
    }
    ++inspector_.unpacked_;
    const ByteView numbers = ByteView(buffer_).first(held_);
    for (const Packing& packing : packings(mantissa_of(type_))) {
      const unsigned period = packing.bits % 8 == 0   ? 1
                              : packing.bits % 4 == 0 ? 2
                              : packing.bits % 2 == 0 ? 4
                                                      : 8;
      for (unsigned first = 0; first < period; ++first) {
        bits_.clear();
        unpack_low_bits(numbers, width_of(type_), first, packing, numbers.size(), bits_);
        const auto found = find_hidden_content(bits_, 0, bits_.size());
        if (!found) continue;
        const std::uint64_t number = base_ / width_of(type_) + first + found->offset * 8 / packing.bits;
        return in_low_bits(*found, packing, number);
      }
    }
  }

  void in_low_bits(const HiddenPlace& found, Packing packing, std::uint64_t number) {
    in_low_bits_ = true;
    report(found.content, number * width_of(type_),
           fmt::format("in the lowest {} of each number, from number {} on",
                       packing.bits == 1 ? "bit" : fmt::format("{} bits", packing.bits), number));
  }

  void report(const HiddenContent& content, std::uint64_t offset, const std::string& where) {
    inspector_.add(content.runs ? kProgram : "weights.hidden-content", tensor_, offset,
                   fmt::format("{} holds {} {}", name(), content.what, where));
  }

  // Windows of one kind in the middle of another: see conclude.
  void judge(const LowBitCounts& counts, ByteView fresh) {
    if (type_ != WeightType::kFloat32 && type_ != WeightType::kFloat64) return;
    if (counts.groups() < kFewestGroups) return;
    const double oddness = counts.oddness();
    if (oddness < kEven) {
      ++even_;
      last_odd_ = false;
    } else if (oddness > kVeryOdd && counts.zero_share() < 0.5 && !repeats(fresh)) {
      if (!last_odd_) {
        ++odd_runs_;
        odd_at_ = base_ + held_ - fresh.size();
      }
      ++odd_;
      last_odd_ = true;
    } else {
      ++neither_;  // the edge of such a stretch, if there are no more than two
    }
  }

  // Rows that were never trained, tables and masks repeat their numbers, which makes their bits odd honestly.
  [[nodiscard]] bool repeats(ByteView fresh) const {
    constexpr std::size_t kSample = 2048;
    const unsigned width = width_of(type_);
    std::vector<std::uint64_t> seen;
    for (std::size_t i = 0; i < kSample && (i + 1) * width <= fresh.size(); ++i) {
      std::uint64_t bits = 0;
      for (unsigned b = 0; b < width; ++b)
        bits |= static_cast<std::uint64_t>(fresh[i * width + b]) << (8 * b);
      seen.push_back(bits);
    }
    const std::size_t total = seen.size();
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    return seen.size() * 100 < total * 98;
  }

  void conclude() {
    if (type_ == WeightType::kOpaque) return;
    if (!in_low_bits_ && odd_runs_ == 1 && neither_ <= 2 && even_ >= std::max<std::uint64_t>(4, odd_)) {
      inspector_.add(
          "weights.low-bits", tensor_, odd_at_,
          fmt::format("in {} the low bits are uneven around byte {}, and even in the rest", name(), odd_at_));
    }
    conclude_range();
  }

  void conclude_range() {
    constexpr std::uint64_t kFewest = 1024;
    const auto& r = range_;
    if (r.count < kFewest) return;
    const std::uint64_t wild = r.beyond_absurd + r.not_a_number;
    const std::uint64_t at = r.first_strange * width_of(type_);
    if (tensor_.type && wild * 4 > r.count && r.not_a_number + r.infinite < r.count &&
        wild - r.not_a_number > r.count / 20) {
      return inspector_.add(
          "weights.not-numbers", tensor_, at,
          fmt::format("of the {} values of {}, {} are no numbers or absurdly large", r.count, name(), wild));
    }
    // A mask is made of such values; a stray one stands among ordinary ones.
    const std::uint64_t strange = r.not_a_number + r.infinite + r.beyond_far;
    const bool stray = strange > 0 && strange * 100 <= r.count && r.beyond_ordinary <= r.beyond_far &&
                       r.zeros * 2 < r.count && r.like_first * 2 < r.count;
    if (stray) {
      inspector_.add(
          "weights.out-of-range", tensor_, at,
          fmt::format("of the {} values of {}, {} are no numbers, {} infinite and {} beyond 10^9; the "
                      "first is number {}",
                      r.count, name(), r.not_a_number, r.infinite, r.beyond_far, r.first_strange));
    }
    if (r.like_first == r.count && r.count >= 4 * kFewest)
      inspector_.add("weights.constant", tensor_, 0,
                     fmt::format("all {} values of {} are the same", r.count, name()));
  }

  [[nodiscard]] std::string name() const {
    return tensor_.name.empty() ? "the tensor" : fmt::format("the tensor {}", quote(tensor_.name));
  }

  static constexpr std::size_t kMaxHits = 10;

  WeightInspector& inspector_;
  const WeightTensor& tensor_;
  WeightType type_;
  base::Bytes buffer_;        // the window before and the one at hand
  std::size_t held_ = 0;      // bytes of buffer_
  std::uint64_t base_ = 0;    // of buffer_ in the tensor
  std::size_t searched_ = 0;  // of buffer_
  std::size_t hits_ = 0;
  base::Bytes bits_;
  bool in_low_bits_ = false;
  WeightRange range_;
  std::uint64_t even_ = 0;  // windows
  std::uint64_t odd_ = 0;
  std::uint64_t neither_ = 0;
  std::uint64_t odd_runs_ = 0;
  std::uint64_t odd_at_ = 0;
  bool last_odd_ = false;
};

base::Result<> WeightInspector::look_at(formats::Stream& bytes, const WeightTensor& tensor) {
  if (depth_ == WeightDepth::kAll) return TensorScan(*this, tensor).run(bytes);
  std::array<std::uint8_t, kHiddenHeaderBytes> head{};
  std::size_t got = 0;
  while (got < head.size()) {
    HF_TRY(const std::size_t step, bytes.read(base::MutableByteView(head).subspan(got)));
    if (step == 0) break;
    got += step;
  }
  if (const auto content = hidden_content(ByteView(head).first(got))) {
    add(content->runs ? kProgram : "weights.hidden-content", tensor, 0,
        fmt::format("{} begins as {}",
                    tensor.name.empty() ? "the tensor" : fmt::format("the tensor {}", quote(tensor.name)),
                    content->what));
  }
  return {};
}

base::Result<> WeightInspector::look_at(const formats::Source& file, std::uint64_t size,
                                        const WeightTensor& tensor) {
  const auto range = formats::RangeSource::create(file, tensor.offset, size);
  if (!range) return {};
  formats::SourceStream stream(*range);
  return look_at(stream, tensor);
}

void WeightInspector::add(std::string_view rule, const WeightTensor& tensor, std::uint64_t offset,
                          std::string message) {
  if (rule != kProgram && ++seen_[rule] > kMaxNamed) return;
  findings_.add(rule, tensor.path, tensor.offset + offset, std::move(message));
}

void WeightInspector::finish(const std::string& path) {
  for (const auto& [rule, seen] : seen_) {
    if (seen > kMaxNamed)
      findings_.add("weights.left-out", path, std::nullopt,
                    fmt::format("{} more findings of {} are not listed", seen - kMaxNamed, rule));
  }
  if (not_unpacked_ > 0) {
    findings_.add(
        "weights.left-out", path, std::nullopt,
        fmt::format("the low bits of {} more stretches of {} KiB are as odd as those of the {} that were "
                    "put together and searched, and were not searched",
                    not_unpacked_, kWindowBytes >> 10, unpacked_));
  }
}

std::span<const Rule> weight_rules() { return kRules; }

}  // namespace holdfast::inspect
