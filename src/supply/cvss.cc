#include "supply/cvss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

#include "supply/version_keys.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;

using Metrics = std::map<std::string_view, char>;

struct Metric {
  std::string_view name;
  std::string_view values;
};

constexpr std::array<Metric, 8> kBase3{{{"AV", "NALP"},
                                        {"AC", "LH"},
                                        {"PR", "NLH"},
                                        {"UI", "NR"},
                                        {"S", "UC"},
                                        {"C", "HLN"},
                                        {"I", "HLN"},
                                        {"A", "HLN"}}};
constexpr std::array<Metric, 11> kBase4{{{"AV", "NALP"},
                                         {"AC", "LH"},
                                         {"AT", "NP"},
                                         {"PR", "NLH"},
                                         {"UI", "NPA"},
                                         {"VC", "HLN"},
                                         {"VI", "HLN"},
                                         {"VA", "HLN"},
                                         {"SC", "HLN"},
                                         {"SI", "HLN"},
                                         {"SA", "HLN"}}};

// "NAME:VALUE" between "/"; every base metric once. Other metrics are passed over.
template <std::size_t N>
base::Result<Metrics> metrics_of(std::string_view text, const std::array<Metric, N>& base) {
  Metrics metrics;
  while (!text.empty()) {
    const auto one = text.substr(0, text.find('/'));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const auto colon = one.find(':');
    const auto name = one.substr(0, colon);
    const auto* known =
        std::find_if(base.begin(), base.end(), [&](const Metric& m) { return m.name == name; });
    if (known == base.end() && colon != std::string_view::npos) continue;
    const auto value = colon == std::string_view::npos ? std::string_view() : one.substr(colon + 1);
    if (value.size() != 1 || known->values.find(value) == std::string_view::npos ||
        !metrics.emplace(known->name, value[0]).second) {
      return base::fail(ErrorCode::kInvalidArgument,
                        fmt::format("\"{}\" has no place in a CVSS vector", one));
    }
  }
  if (metrics.size() != N) {
    return base::fail(ErrorCode::kInvalidArgument, "a CVSS vector must have every base metric");
  }
  return metrics;
}

// Version 3.1, appendix A: integers, so that no processor rounds it otherwise.
double round_up(double value) {
  const auto scaled = static_cast<long>(std::round(value * 100'000));
  return scaled % 10'000 == 0 ? static_cast<double>(scaled) / 100'000
                              : (std::floor(static_cast<double>(scaled) / 10'000) + 1) / 10;
}

double pick(char value, std::initializer_list<std::pair<char, double>> of) {
  for (const auto& [name, weight] : of) {
    if (name == value) return weight;
  }
  return 0;
}

// Section 7.1 with the weights of section 7.4.
int score3(const Metrics& m) {
  const bool changed = m.at("S") == 'C';
  const auto impact_of = [&m](std::string_view name) { return pick(m.at(name), {{'H', 0.56}, {'L', 0.22}}); };
  const double sub = 1 - ((1 - impact_of("C")) * (1 - impact_of("I")) * (1 - impact_of("A")));
  const double impact = changed ? (7.52 * (sub - 0.029)) - (3.25 * std::pow(sub - 0.02, 15)) : 6.42 * sub;
  if (impact <= 0) return 0;
  const double privileges =
      pick(m.at("PR"), {{'N', 0.85}, {'L', changed ? 0.68 : 0.62}, {'H', changed ? 0.5 : 0.27}});
  const double exploitability = 8.22 * pick(m.at("AV"), {{'N', 0.85}, {'A', 0.62}, {'L', 0.55}, {'P', 0.2}}) *
                                pick(m.at("AC"), {{'L', 0.77}, {'H', 0.44}}) * privileges *
                                pick(m.at("UI"), {{'N', 0.85}, {'R', 0.62}});
  const double score = round_up(std::min((changed ? 1.08 : 1.0) * (impact + exploitability), 10.0));
  return static_cast<int>(std::lround(score * 10));
}

// Section 8.2: the macrovector of the base metrics. Unknown threat and requirements count as their worst
// (E:A, CR, IR and AR high), so that EQ5 is always 0 and EQ6 follows from EQ3.
struct MacroVector {
  int eq1 = 2;
  int eq2 = 1;
  int eq3 = 2;
  int eq4 = 2;
};

MacroVector macro_vector(const Metrics& m) {
  MacroVector macro;
  const bool network = m.at("AV") == 'N';
  const bool no_privileges = m.at("PR") == 'N';
  const bool alone = m.at("UI") == 'N';
  if (network && no_privileges && alone) {
    macro.eq1 = 0;
  } else if ((network || no_privileges || alone) && m.at("AV") != 'P') {
    macro.eq1 = 1;
  }
  if (m.at("AC") == 'L' && m.at("AT") == 'N') macro.eq2 = 0;
  if (m.at("VC") == 'H' && m.at("VI") == 'H') {
    macro.eq3 = 0;
  } else if (m.at("VC") == 'H' || m.at("VI") == 'H' || m.at("VA") == 'H') {
    macro.eq3 = 1;
  }
  if (m.at("SC") == 'H' || m.at("SI") == 'H' || m.at("SA") == 'H') macro.eq4 = 1;
  return macro;
}

// Section 8.3, the scores in tenths of the macrovectors that base metrics can reach and of those next below
// them, where EQ5 is 0. Rows: EQ1 and EQ2. Columns: EQ3 with EQ6 as 00, 01, 10, 11, 21, each with EQ4 as 1
// and 2. Their values are the specification's and those of FIRST's cvss-v4-calculator (Copyright (c) 2023
// FIRST.ORG, Inc., Red Hat, and contributors, BSD-2-Clause), with whose scores all 104,976 base vectors agree
// once halves are rounded up as the specification asks; binary arithmetic alone rounds 522 of them down.
constexpr int kLookup[3][2][5][2] = {
    {{{100, 93}, {96, 90}, {93, 88}, {92, 80}, {79, 69}}, {{95, 92}, {91, 81}, {92, 84}, {82, 70}, {71, 63}}},
    {{{94, 87}, {89, 75}, {86, 72}, {76, 57}, {65, 53}}, {{90, 77}, {77, 66}, {74, 61}, {59, 52}, {58, 23}}},
    {{{86, 70}, {74, 54}, {72, 53}, {57, 36}, {47, 24}}, {{73, 54}, {55, 43}, {61, 46}, {51, 18}, {24, 10}}}};

// How many steps a value lies below the worst of its metric, the worst first.
int steps(char value, std::string_view from_worst) { return static_cast<int>(from_worst.find(value)); }

int difference(char value, char worst, std::string_view from_worst) {
  return steps(value, from_worst) - steps(worst, from_worst);
}

// The distance from the first of the worst vectors of EQ1 (table 24) that is no better in any metric.
int distance1(const Metrics& m, int eq1) {
  constexpr std::array<std::array<char, 3>, 1> kWorst0{{{'N', 'N', 'N'}}};
  constexpr std::array<std::array<char, 3>, 3> kWorst1{{{'A', 'N', 'N'}, {'N', 'L', 'N'}, {'N', 'N', 'P'}}};
  constexpr std::array<std::array<char, 3>, 2> kWorst2{{{'P', 'N', 'N'}, {'A', 'L', 'P'}}};
  const auto among = [&m](const auto& worst) {
    for (const auto& [av, pr, ui] : worst) {
      const int a = difference(m.at("AV"), av, "NALP");
      const int p = difference(m.at("PR"), pr, "NLH");
      const int u = difference(m.at("UI"), ui, "NPA");
      if (a >= 0 && p >= 0 && u >= 0) return a + p + u;
    }
    return 0;
  };
  if (eq1 == 0) return among(kWorst0);
  return eq1 == 1 ? among(kWorst1) : among(kWorst2);
}

int distance2(const Metrics& m, int eq2) {
  return eq2 == 0
             ? 0
             : (m.at("AC") == 'H' ? difference(m.at("AT"), 'N', "NP") : difference(m.at("AT"), 'P', "NP"));
}

int distance3(const Metrics& m, int eq3) {
  const auto below = [&m](std::string_view name, char worst) { return difference(m.at(name), worst, "HLN"); };
  if (eq3 == 0) return below("VC", 'H') + below("VI", 'H') + below("VA", 'H');
  if (eq3 == 2) return below("VC", 'L') + below("VI", 'L') + below("VA", 'L');
  // Of the two worst, the one whose high metric is high here.
  const bool integrity = m.at("VC") != 'H';
  return below("VC", integrity ? 'L' : 'H') + below("VI", integrity ? 'H' : 'L') + below("VA", 'H');
}

int distance4(const Metrics& m, int eq4) {
  const char worst = eq4 == 1 ? 'H' : 'L';
  return difference(m.at("SC"), worst, "HLN") + difference(m.at("SI"), worst, "HLN") +
         difference(m.at("SA"), worst, "HLN");
}

// Section 8.2, "interpolation": the score of the macrovector, less the mean over the equivalence classes of
// the way that the vector has gone to the next lower macrovector.
int score4(const Metrics& m) {
  const bool no_impact = std::all_of(kBase4.begin() + 5, kBase4.end(),
                                     [&](const Metric& each) { return m.at(each.name) == 'N'; });
  if (no_impact) return 0;
  constexpr std::array<int, 3> kDepth1{1, 4, 5};
  constexpr std::array<int, 3> kDepth3{7, 8, 10};
  constexpr std::array<int, 3> kDepth4{6, 5, 4};
  constexpr std::array<int, 3> kColumn{0, 2, 4};
  const auto macro = macro_vector(m);
  const auto at = [](int eq1, int eq2, int column, int eq4) { return kLookup[eq1][eq2][column][eq4 - 1]; };
  const int column = kColumn[static_cast<std::size_t>(macro.eq3)];
  const int score = at(macro.eq1, macro.eq2, column, macro.eq4);
  double gone = 0;
  int classes = 1;  // EQ5 has a next lower one always, and nothing of the way to it is gone
  const auto add = [&](int next, int distance, int depth) {
    gone += static_cast<double>(score - next) * distance / depth;
    ++classes;
  };
  if (macro.eq1 < 2) {
    add(at(macro.eq1 + 1, macro.eq2, column, macro.eq4), distance1(m, macro.eq1),
        kDepth1[static_cast<std::size_t>(macro.eq1)]);
  }
  if (macro.eq2 < 1) add(at(macro.eq1, 1, column, macro.eq4), distance2(m, macro.eq2), 1);
  if (macro.eq3 == 0) {
    const int next = std::max(at(macro.eq1, macro.eq2, 1, macro.eq4), at(macro.eq1, macro.eq2, 2, macro.eq4));
    add(next, distance3(m, 0), kDepth3[0]);
  } else if (macro.eq3 == 1) {
    add(at(macro.eq1, macro.eq2, 3, macro.eq4), distance3(m, 1), kDepth3[1]);
  }
  if (macro.eq4 == 1) add(at(macro.eq1, macro.eq2, column, 2), distance4(m, 1), kDepth4[1]);
  constexpr double kEpsilon = 1e-5;  // tenths; so that 14.4999.. rounds as the 14.5 that it is
  return static_cast<int>(std::floor(score - (gone / classes) + 0.5 + kEpsilon));
}

}  // namespace

std::string_view to_string(Severity severity) {
  constexpr std::array<std::string_view, 6> kWords{"unknown", "none", "low", "medium", "high", "critical"};
  return kWords[static_cast<std::size_t>(severity)];
}

Severity severity_of_word(std::string_view word) {
  std::string small(word);
  std::transform(small.begin(), small.end(), small.begin(), lower);
  if (small == "moderate") return Severity::kMedium;
  for (const auto each :
       {Severity::kNone, Severity::kLow, Severity::kMedium, Severity::kHigh, Severity::kCritical}) {
    if (to_string(each) == small) return each;
  }
  return Severity::kUnknown;
}

base::Result<int> cvss_base_tenths(std::string_view vector) {
  constexpr std::size_t kMaxVectorBytes = 512;
  const auto text = vector.substr(std::min(vector.size(), vector.find('/') + 1));
  if (vector.size() > kMaxVectorBytes) {
    return base::fail(ErrorCode::kInvalidArgument, "a CVSS vector has at most 512 bytes");
  }
  if (vector.starts_with("CVSS:3.0/") || vector.starts_with("CVSS:3.1/")) {
    HF_TRY(const auto metrics, metrics_of(text, kBase3));
    return score3(metrics);
  }
  if (vector.starts_with("CVSS:4.0/")) {
    HF_TRY(const auto metrics, metrics_of(text, kBase4));
    return score4(metrics);
  }
  return base::fail(ErrorCode::kUnsupported, "only CVSS 3.0, 3.1 and 4.0 are scored");
}

Severity severity_of_tenths(int tenths) {
  if (tenths <= 0) return Severity::kNone;
  if (tenths < 40) return Severity::kLow;
  if (tenths < 70) return Severity::kMedium;
  return tenths < 90 ? Severity::kHigh : Severity::kCritical;
}

}  // namespace holdfast::supply
