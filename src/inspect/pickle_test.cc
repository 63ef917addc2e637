#include "inspect/pickle.h"

#include <gmock/gmock-more-matchers.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "inspect/pickle_value.h"

// The corpora under testdata/pickle: hostile/ is the output of tests/corpus/make_hostile_pickles.py, benign/
// is some of the output of tests/corpus/make_benign_pickles.py.

namespace holdfast::inspect {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> files_in(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(HOLDFAST_TESTDATA) / "pickle" / folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Outcome {
  std::vector<Finding> findings;
  PickleSummary summary;

  [[nodiscard]] std::set<std::string> rules() const {
    std::set<std::string> ids;
    for (const auto& finding : findings) ids.insert(finding.rule_id);
    return ids;
  }
  [[nodiscard]] Severity worst() const {
    Severity severity = Severity::kInfo;
    for (const auto& finding : findings) severity = std::max(severity, finding.severity);
    return severity;
  }
};

Outcome inspect(std::string_view bytes, const PickleOptions& options = {}) {
  const formats::MemorySource source(base::as_bytes(bytes));
  formats::SourceStream stream(source);
  Findings findings;
  auto summary = inspect_pickle(stream, "model.pkl", options, findings);
  EXPECT_TRUE(summary.has_value());
  return {.findings = findings.take(), .summary = std::move(summary).value_or(PickleSummary{})};
}

std::string little_endian(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

// Gives the bytes in pieces of one size, as an inflater may.
class PiecemealStream final : public formats::Stream {
 public:
  PiecemealStream(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    const std::size_t count = std::min({piece_, buffer.size(), bytes_.size()});
    std::copy_n(bytes_.begin(), count, buffer.begin());
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
  std::size_t piece_;
};

class RepeatingStream final : public formats::Stream {
 public:
  RepeatingStream(std::string_view first, std::string_view then, std::uint64_t times,
                  std::string_view last = {})
      : now_(first), then_(then), times_(times), last_(last) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (now_.empty() && times_ > 0) {
      now_ = then_;
      --times_;
    } else if (now_.empty()) {
      now_ = std::exchange(last_, {});
    }
    const std::size_t count = std::min(buffer.size(), now_.size());
    std::copy_n(now_.begin(), count, buffer.begin());
    now_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view now_;
  std::string_view then_;
  std::uint64_t times_;
  std::string_view last_;
};

class FailingStream final : public formats::Stream {
 public:
  explicit FailingStream(std::string_view first) : first_(first) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (first_.empty()) return base::fail(base::ErrorCode::kDataCorrupt, "the member's checksum is wrong");
    const std::size_t count = std::min(buffer.size(), first_.size());
    std::copy_n(first_.begin(), count, buffer.begin());
    first_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view first_;
};

constexpr std::string_view kSystem = "cos\nsystem\n(S'true'\ntR.";

TEST(HostilePickles, AreAllFoundWithSeverityHighOrAbove) {
  const auto files = files_in("hostile");
  EXPECT_GE(files.size(), 120U);
  for (const auto& file : files) {
    EXPECT_GE(inspect(read(file)).worst(), Severity::kHigh) << file.filename();
  }
}

// Behind compression only joblib reads them.
TEST(HostilePickles, ThatMisleadAboutJoblibsArraysAreFoundBehindCompressionToo) {
  for (const auto& file : files_in("hostile")) {
    const std::string name = file.filename();
    const bool misleads = name.starts_with("joblib-state-") || name.starts_with("joblib-array-") ||
                          name.starts_with("joblib-method-") || name.starts_with("joblib-objects-");
    if (!misleads) continue;
    EXPECT_GE(inspect(read(file), {.container = PickleContainer::kJoblib}).worst(), Severity::kHigh) << name;
  }
}

TEST(BenignPickles, AreAllClean) {
  const auto files = files_in("benign");
  EXPECT_GE(files.size(), 25U);
  for (const auto& file : files) {
    PickleOptions options;
    if (file.string().ends_with(".data.pkl")) options.container = PickleContainer::kTorchZip;
    const auto outcome = inspect(read(file), options);
    EXPECT_LT(outcome.worst(), Severity::kMedium)
        << file.filename() << ": " << (outcome.findings.empty() ? "" : outcome.findings.front().message);
  }
}

TEST(Pickles, ReadTheSameInPiecesOfAnySize) {
  for (const auto* folder : {"hostile", "benign"}) {
    for (const auto& file : files_in(folder)) {
      const std::string bytes = read(file);
      const auto whole = inspect(bytes);
      for (const std::size_t piece : {1UL, 7UL, 1000UL}) {
        PiecemealStream stream(bytes, piece);
        Findings findings;
        ASSERT_TRUE(inspect_pickle(stream, "model.pkl", {}, findings).has_value());
        ASSERT_EQ(findings.items().size(), whole.findings.size()) << file << " in pieces of " << piece;
        for (std::size_t i = 0; i < findings.items().size(); ++i) {
          EXPECT_EQ(findings.items()[i].message, whole.findings[i].message)
              << file << " in pieces of " << piece;
          EXPECT_EQ(findings.items()[i].offset, whole.findings[i].offset)
              << file << " in pieces of " << piece;
        }
      }
    }
  }
}

// A load that fails at the cut has run all before it.
TEST(Pickles, CutAnywhereKeepTheFindingsBeforeTheCut) {
  const std::string call = std::string(kSystem.substr(0, kSystem.size() - 1));
  const std::string bytes = call + "0" + std::string(64, 'N') + ".";
  for (std::size_t size = call.size(); size < bytes.size(); ++size) {
    const auto outcome = inspect(std::string_view(bytes).substr(0, size));
    EXPECT_THAT(outcome.rules(), AllOf(Contains("pickle.dangerous-global"), Contains("pickle.truncated")))
        << size;
    EXPECT_EQ(outcome.worst(), Severity::kCritical) << size;
  }
}

TEST(Pickles, OfTheCorpusCutAtEachByteAreNeverCalledClean) {
  for (const auto& file : files_in("benign")) {
    const std::string bytes = read(file);
    for (std::size_t size = 0; size < std::min<std::size_t>(bytes.size(), 1500); ++size) {
      const auto outcome = inspect(std::string_view(bytes).substr(0, size));
      const bool between = outcome.rules().empty() && file.filename() == "python-several.pkl";
      const bool at_end = bytes[size == 0 ? 0 : size - 1] == '.';
      EXPECT_TRUE(outcome.worst() >= Severity::kMedium || between || at_end || !outcome.findings.empty())
          << file.filename() << " cut at " << size;
    }
  }
}

TEST(Pickles, ThatAreEmptyAreMalformed) { EXPECT_THAT(inspect("").rules(), ElementsAre("pickle.malformed")); }

TEST(Pickles, OfAnUnknownProtocolAreMalformed) {
  EXPECT_THAT(inspect("\x80\x06N.").rules(), ElementsAre("pickle.malformed"));
  EXPECT_THAT(inspect("\x80\x05N.").rules(), IsEmpty());
}

TEST(Pickles, FailWithTheStreamAndKeepWhatWasFound) {
  FailingStream stream(kSystem.substr(0, kSystem.size() - 1));
  Findings findings;
  const auto summary = inspect_pickle(stream, "model.pkl", {}, findings);
  ASSERT_FALSE(summary.has_value());
  EXPECT_EQ(summary.error().code, base::ErrorCode::kDataCorrupt);
  EXPECT_THAT(findings.items(), ElementsAre(Field(&Finding::rule_id, "pickle.dangerous-global")));
}

TEST(UnknownGlobal, IsRefusedWithItsNameAndWhatWouldAllowIt) {
  const auto outcome = inspect(
      "\x80\x02"
      "cacme.models\nScorer\n)\x81}b.");
  ASSERT_THAT(outcome.rules(), ElementsAre("pickle.unknown-global"));
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("acme.models.Scorer"));
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("\"construct acme.models Scorer\""));
  EXPECT_EQ(outcome.findings[0].offset, 2U);
}

TEST(UnknownGlobal, IsReportedOnceHoweverOftenItIsCalled) {
  std::string bytes = "\x80\x02(";
  for (int i = 0; i < 1000; ++i) bytes += "cacme\nScorer\n)R";
  const auto outcome = inspect(bytes + "l.");
  ASSERT_EQ(outcome.findings.size(), 1U);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr("calls it 1000 times"));
}

TEST(AllowList, OfTheCallerAllowsItsOwnClasses) {
  const auto mine = PickleAllowList::parse("new acme.models Scorer # reviewed").value();
  const auto both = PickleAllowList::builtin().extended_by(mine);
  EXPECT_THAT(inspect("\x80\x02"
                      "cacme.models\nScorer\n)\x81}b.",
                      {.allow = &both})
                  .findings,
              IsEmpty());
  EXPECT_THAT(inspect("\x80\x02"
                      "cacme.models\nScorer\n)R.",
                      {.allow = &both})
                  .rules(),
              ElementsAre("pickle.misused-global"));
  EXPECT_THAT(inspect(kSystem, {.allow = &both}).rules(), ElementsAre("pickle.dangerous-global"));
}

TEST(Python2Names, AreTranslatedBelowProtocolThreeOnly) {
  EXPECT_THAT(inspect("c__builtin__\nset\n(]tR.").findings, IsEmpty());
  EXPECT_THAT(inspect("\x80\x03"
                      "c__builtin__\nset\n(]tR.")
                  .rules(),
              ElementsAre("pickle.unknown-global"));
}

TEST(Torch, ScriptClassesAreAllowedInTheirArchiveOnly) {
  constexpr std::string_view kScript =
      "\x80\x02"
      "c__torch__.nets\nNet\n)\x81}b.";
  EXPECT_THAT(inspect(kScript, {.container = PickleContainer::kTorchZip}).findings, IsEmpty());
  EXPECT_THAT(inspect(kScript).rules(), ElementsAre("pickle.unknown-global"));
}

TEST(Torch, LegacyStoragesAreFollowedToTheirEnd) {
  const std::string bytes = read(fs::path(HOLDFAST_TESTDATA) / "pickle/benign/torch-legacy-tensors.pt");
  EXPECT_THAT(inspect(bytes).findings, IsEmpty());
  EXPECT_THAT(inspect(bytes.substr(0, bytes.size() - 1)).rules(), ElementsAre("pickle.truncated"));
  EXPECT_THAT(inspect(bytes + '\0').rules(), ElementsAre("pickle.trailing-data"));
  EXPECT_THAT(inspect(bytes + std::string(kSystem)).rules(), Contains("pickle.dangerous-global"));
}

TEST(TrailingBytes, AreInspectedAsAPickleWhereTheyCouldBeOne) {
  EXPECT_THAT(inspect(std::string("N.\0\0", 4)).rules(), ElementsAre("pickle.trailing-data"));
  EXPECT_THAT(inspect("N.N.").rules(), ElementsAre("pickle.several"));
  EXPECT_THAT(inspect("N." + std::string(kSystem)).rules(), Contains("pickle.dangerous-global"));
}

// More strings in the memo than it keeps: what is named afterwards is followed all the same.
TEST(Bounds, WhatIsForgottenDoesNotHideWhatFollows) {
  constexpr std::uint64_t kTimes = PickleMemo::kMaxPages * PickleMemo::kPageSlots + 1000;
  const auto findings_with = [](std::string_view last) {
    RepeatingStream stream("\x80\x04",
                           "\x8c\x03"
                           "abc\x94"
                           "0",
                           kTimes, last);
    Findings findings;
    EXPECT_TRUE(inspect_pickle(stream, "model.pkl", {}, findings).has_value());
    return findings.take();
  };
  EXPECT_THAT(findings_with("\x8c\x0b"
                            "collections\x94\x8c\x0bOrderedDict\x94\x93)R."),
              IsEmpty());
  EXPECT_THAT(findings_with("\x8c\x02os\x94\x8c\x06system\x94\x93)R."),
              ElementsAre(Field(&Finding::rule_id, "pickle.dangerous-global")));
}

TEST(Bounds, TooManyWaitingValuesAreRefused) {
  RepeatingStream values("(", "K\x01", 3'000'000);
  Findings findings;
  ASSERT_TRUE(inspect_pickle(values, "model.pkl", {}, findings).has_value());
  EXPECT_THAT(findings.items(), ElementsAre(Field(&Finding::rule_id, "pickle.too-large")));

  RepeatingStream marks("N", "(", 3'000'000);
  Findings more;
  ASSERT_TRUE(inspect_pickle(marks, "model.pkl", {}, more).has_value());
  EXPECT_THAT(more.items(), ElementsAre(Field(&Finding::rule_id, "pickle.too-large")));
}

TEST(Bounds, TooManyGlobalsAreRefusedByNumber) {
  std::string bytes = "(";
  for (int i = 0; i < 6000; ++i) bytes += "cm" + std::to_string(i) + "\nf\n";
  const auto outcome = inspect(bytes + "l.");
  EXPECT_EQ(outcome.summary.globals.size(), 4095U);
  EXPECT_THAT(outcome.rules(), Contains("pickle.too-large"));
}

TEST(Bounds, AConstantIsSkippedWhateverItsSize) {
  const std::string first = "\x80\x04\x8e" + little_endian(300'000'000, 8);
  const std::string zeros(1 << 16, '\0');
  RepeatingStream stream(first, zeros, 300'000'000 / zeros.size() + 1);
  Findings findings;
  ASSERT_TRUE(inspect_pickle(stream, "model.pkl", {}, findings).has_value());
  // What follows the constant are zeros, too.
  EXPECT_THAT(findings.items(), ElementsAre(Field(&Finding::rule_id, "pickle.malformed")));
}

TEST(NestedPickles, AreFollowedToAFixedDepth) {
  std::string bytes(kSystem);
  for (int i = 0; i < 3; ++i)
    bytes =
        "\x80\x04"
        "B" +
        little_endian(bytes.size(), 4) + bytes + ".";
  EXPECT_THAT(inspect(bytes).rules(), ElementsAre("pickle.nested-pickle"));
}

TEST(CouldBePickle, IsTrueWhereALoaderWouldRunSomething) {
  const auto could = [](std::string_view text) { return could_be_pickle(base::as_bytes(text)); };
  EXPECT_TRUE(could("\x80\x04"));
  EXPECT_TRUE(could("cos\n"));
  EXPECT_TRUE(could("ios\n"));
  EXPECT_FALSE(could(""));
  EXPECT_FALSE(could("\x80\x06"));
  EXPECT_FALSE(could("."));
  EXPECT_FALSE(could("R"));
  EXPECT_FALSE(could("\x03\x04"));
  EXPECT_FALSE(could(std::string_view("\0", 1)));
}

TEST(Summary, NamesEachGlobalWithItsVerdict) {
  const auto outcome =
      inspect("(cnumpy\nndarray\ncos\nsystem\ncacme\nScorer\nccollections\nOrderedDict\n)RcnumPy\nx\nl.");
  std::vector<std::string> verdicts;
  for (const auto& global : outcome.summary.globals) {
    verdicts.push_back(global.module + "." + global.name + " " + std::string(to_string(global.verdict)));
  }
  EXPECT_THAT(verdicts, ElementsAre("numpy.ndarray allowed", "os.system dangerous", "acme.Scorer unknown",
                                    "collections.OrderedDict allowed", "numPy.x unknown"));
  EXPECT_EQ(outcome.summary.globals[3].calls, 1U);
  EXPECT_EQ(outcome.summary.globals[1].offset, 16U);
}

TEST(Rules, AreWholeAndSorted) {
  std::string_view before;
  for (const Rule& rule : pickle_rules()) {
    EXPECT_LT(before, rule.id);
    before = rule.id;
    EXPECT_TRUE(rule.id.starts_with("pickle.")) << rule.id;
    for (const auto text : {rule.explanation, rule.remedy}) EXPECT_TRUE(text.ends_with('.')) << rule.id;
    EXPECT_FALSE(rule.title.empty() || rule.practice.empty() || rule.risk.empty()) << rule.id;
  }
}

}  // namespace
}  // namespace holdfast::inspect
