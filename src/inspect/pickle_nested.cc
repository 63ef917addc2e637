#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "inspect/pickle_machine.h"

// Pickles within the constants of a pickle, and array data read as one.

namespace holdfast::inspect {
namespace {

// "cm\nn\n": the shortest that names something.
constexpr std::uint64_t kShortestNested = 5;

// What is left of the current payload.
class PayloadStream final : public formats::Stream {
 public:
  explicit PayloadStream(PickleReader& reader) : reader_(&reader) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    return reader_->read_payload(buffer);
  }

 private:
  PickleReader* reader_;
};

// UTF-8 text as the Latin-1 bytes that _codecs.encode(text, "latin1") makes of it; ends where it would fail.
class Latin1Stream final : public formats::Stream {
 public:
  explicit Latin1Stream(formats::Stream& text) : text_(&text) {}

  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    std::size_t written = 0;
    while (written < buffer.size() && !ended_) {
      if (at_ == end_) {
        HF_TRY(end_, text_->read(chunk_));
        at_ = 0;
        ended_ = end_ == 0;
        continue;
      }
      const std::uint8_t byte = chunk_[at_++];
      if (lead_ != 0) {
        buffer[written++] = static_cast<std::uint8_t>(lead_ << 6 | (byte & 0x3F));
        lead_ = 0;
      } else if (byte < 0x80) {
        buffer[written++] = byte;
      } else if (byte == 0xC2 || byte == 0xC3) {
        lead_ = byte;
      } else {
        ended_ = true;
      }
    }
    return written;
  }

 private:
  formats::Stream* text_;
  std::array<std::uint8_t, 4096> chunk_{};
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint8_t lead_ = 0;
  bool ended_ = false;
};

class TextStream final : public formats::Stream {
 public:
  explicit TextStream(std::string_view text) : text_(text) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    const std::size_t count = std::min(buffer.size(), text_.size());
    std::copy_n(text_.begin(), count, buffer.begin());
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
};

bool names_something(std::string_view text) {
  using enum PickleOp;
  constexpr std::array<char, 5> kSigns{'\n', static_cast<char>(kStackGlobal), static_cast<char>(kExt1),
                                       static_cast<char>(kExt2), static_cast<char>(kExt4)};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](char sign) { return text.find(sign) != std::string_view::npos; });
}

PickleJob::Nested judge(const std::vector<Finding>& found, bool torch) {
  PickleJob::Nested nested{.clean_torch = torch, .dangerous = false, .worst = {}};
  Severity worst = Severity::kInfo;
  for (const Finding& finding : found) {
    if (finding.severity >= Severity::kMedium) nested.clean_torch = false;
    nested.dangerous = nested.dangerous || finding.rule_id == "pickle.dangerous-global" ||
                       finding.rule_id == "pickle.nested-pickle";
    if (finding.severity <= worst) continue;
    worst = finding.severity;
    nested.worst = finding.message;
  }
  return nested;
}

}  // namespace

bool may_hide_pickle(const PickleInstruction& constant, bool as_latin1) {
  const std::string_view text = constant.text;
  if (constant.number < kShortestNested) return false;
  // Of what is longer than the text shown, the rest may name something.
  const bool whole = constant.number == text.size();
  if (as_latin1 && text.starts_with("\xC2\x80")) return !whole || names_something(text);
  if (!could_be_pickle(base::as_bytes(text))) return false;
  if (as_latin1) return text.find('\n') != std::string_view::npos;
  return !whole || names_something(text);
}

std::uint64_t PickleMachine::look_into(const PickleInstruction& instruction, bool as_latin1) {
  if (job_.depth >= PickleJob::kMaxDepth) return 0;
  if (++job_.looks > PickleJob::kMaxLooks) {
    job_.report("pickle.too-large", instruction.offset,
                fmt::format("More than {} constants could be pickles; those beyond were not looked into.",
                            PickleJob::kMaxLooks));
    return 0;
  }
  TextStream short_text(instruction.text);
  PayloadStream payload(reader_);
  formats::Stream* raw = &payload;
  if (reader_.payload_left() == 0) raw = &short_text;
  Latin1Stream latin1(*raw);
  PickleReader reader(as_latin1 ? latin1 : *raw);

  Findings found;
  PickleOptions options = job_.options;
  options.container = PickleContainer::kPlain;
  PickleJob nested(options, fmt::format("{}!bytes-at-{}", job_.path, instruction.offset), found,
                   job_.depth + 1);
  const bool torch = run_pickles(nested, reader);
  const PickleJob::Nested judged = judge(found.items(), torch);
  if (judged.dangerous) {
    job_.report("pickle.nested-pickle", instruction.offset,
                fmt::format("A constant holds another pickle, which does harm once anything loads it: {}",
                            judged.worst));
  }
  if (job_.nested.size() >= PickleJob::kMaxNested) return 0;
  job_.nested.push_back(judged);
  return job_.nested.size();
}

void PickleMachine::follow_array_data(std::uint64_t offset) {
  job_.copied += stack_.size() + marks_.size();
  if (job_.copied > PickleJob::kMaxCopied) {
    job_.report(
        "pickle.too-large", offset,
        "Too much stands before the arrays for following what another loader than joblib's makes of them.");
    return;
  }
  PayloadStream data(reader_);
  PickleReader reader(data);
  PickleExplainer* explainer = std::exchange(job_.explainer, nullptr);
  PickleMachine plain(*this, reader, Part::kData);
  const End end = plain.run();
  job_.explainer = explainer;
  if (end == End::kMalformed) return;
  job_.report(
      "pickle.reads-two-ways", offset,
      "A loader other than joblib's would run an array's bytes as instructions and not stop within them.");
}

}  // namespace holdfast::inspect
