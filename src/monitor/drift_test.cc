#include "monitor/drift.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "monitor/distances.h"
#include "monitor/test_traffic.h"
#include "stats/histogram.h"
#include "stats/tests.h"

namespace holdfast::monitor {
namespace {

using ::testing::HasSubstr;

std::map<std::string, DriftState> states(const DriftReport& report) {
  std::map<std::string, DriftState> result;
  for (const ColumnDrift& column : report.columns) result[column.column] = column.state;
  return result;
}

TEST(Drift, RaisesFalseAlarmsNoOftenerThanItSays) {
  constexpr int kWindows = 200;
  int alarms = 0;
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    const auto reference = reference_of(1000 + trial, 3000);
    for (std::uint64_t i = 0; i < kWindows / 20; ++i) {
      const Window window = window_of(reference, 5000 + 100 * trial + i, 300);
      const auto report = measure_drift(window, {.false_alarms = .1, .smallest_psi = 0, .seed = i}).value();
      alarms += report.state == DriftState::kDrifted;
    }
  }
  RecordProperty("alarms", alarms);
  EXPECT_LE(alarms, 33) << "20 of 200 are expected at most, and 33 is three deviations more";
}

TEST(Drift, ChanceIsWhat95Of100WindowsStayUnder) {
  constexpr int kWindows = 100;
  std::map<std::string, int> under;
  for (std::uint64_t trial = 0; trial < kWindows; ++trial) {
    const Window window = window_of(reference_of(2000 + trial, 1500), 7000 + trial, 300);
    const auto report = measure_drift(window).value();
    for (const DriftFigure& figure : report.columns[0].figures) {
      under[figure.measurement.name] += figure.measurement.value <= figure.chance;
    }
  }
  for (const char* name : {"psi", "jensen_shannon", "kolmogorov_smirnov"}) {
    EXPECT_GE(under[name], 88) << name;
  }
  EXPECT_LT(under["psi"], 100) << "the threshold is not idle";
}

TEST(Drift, NamesTheColumnThatMoved) {
  const auto reference = reference_of(1);
  const auto check = [&](Shift shift, const std::string& moved) {
    const auto report = measure_drift(window_of(reference, 2, 1000, shift)).value();
    EXPECT_EQ(report.state, DriftState::kDrifted) << moved;
    for (const auto& [name, state] : states(report)) {
      EXPECT_EQ(state, name == moved ? DriftState::kDrifted : DriftState::kStable) << name;
    }
  };
  check({.amount = 2}, "amount");
  check({.score = 1}, "score");
  check({.missing = .1}, "age");
  check({.new_grade = true}, "grade");
}

TEST(Drift, IsStableForTheSamePopulation) {
  const auto report = measure_drift(window_of(reference_of(1), 3, 2000)).value();
  EXPECT_EQ(report.state, DriftState::kStable);
  ASSERT_EQ(report.columns.size(), 4U);
  EXPECT_TRUE(report.columns.back().is_score);
  EXPECT_EQ(report.columns[2].figures.size(), 2U) << "categories have no distribution function";
  EXPECT_THAT(report.procedure, HasSubstr("Holm 1979"));
  for (const ColumnDrift& column : report.columns) {
    for (const DriftFigure& figure : column.figures) {
      EXPECT_LE(figure.measurement.interval.low, figure.measurement.value);
      EXPECT_GE(figure.measurement.interval.high, figure.measurement.value);
      EXPECT_GT(figure.chance, 0);
    }
  }
}

TEST(Drift, IsSlightWhereItIsNoChanceButSmall) {
  const auto report = measure_drift(window_of(reference_of(1, 20'000), 2, 20'000, {.amount = 1.15})).value();
  EXPECT_EQ(states(report)["amount"], DriftState::kSlight);
  EXPECT_EQ(report.state, DriftState::kSlight);
}

TEST(Drift, CouldNotTellFromAFewRows) {
  const auto reference = reference_of(1);
  const auto report = measure_drift(window_of(reference, 2, 199, {.amount = 9})).value();
  EXPECT_EQ(report.state, DriftState::kCouldNotTell);
  EXPECT_TRUE(report.columns[0].figures.empty());
  EXPECT_EQ(measure_drift(window_of(reference, 2, 200, {.amount = 9}))->state, DriftState::kDrifted);
  EXPECT_EQ(measure_drift(Window(reference), {.minimum_rows = 1})->state, DriftState::kCouldNotTell);

  Window without_scores(reference);
  Traffic traffic(2);
  for (int i = 0; i < 500; ++i) {
    const TrafficRow row = traffic.next();
    without_scores.add_row(std::array<Cell, 3>{row.amount, row.age, row.grade});
  }
  EXPECT_EQ(states(measure_drift(without_scores).value())["score"], DriftState::kCouldNotTell);
}

TEST(Drift, IsTheSameForASeed) {
  const Window window = window_of(reference_of(1), 2, 500, {.amount = 1.1});
  const auto p_value = [&](std::uint64_t seed) {
    return measure_drift(window, {.seed = seed})->columns[0].figures[0].p_value;
  };
  EXPECT_EQ(p_value(1), p_value(1));
  EXPECT_NE(p_value(1), p_value(2));
}

TEST(Drift, RefusesOptionsOutOfRange) {
  const Window window(reference_of(1, 500));
  EXPECT_FALSE(measure_drift(window, {.false_alarms = 0}).has_value());
  EXPECT_FALSE(measure_drift(window, {.false_alarms = 1}).has_value());
  EXPECT_FALSE(measure_drift(window, {.minimum_rows = 0}).has_value());
  EXPECT_FALSE(measure_drift(window, {.smallest_psi = -1}).has_value());
}

// Of testdata/golden.json, by scipy and from the definition; the first index is .3746 by hand: (3/7 - 1/6)
// ln(18/7) + (2/7 - 2/6) ln(6/7) + (2/7 - 3/6) ln(4/7).
TEST(Distances, AreWhatScipySays) {
  const auto golden = nlohmann::json::parse(std::ifstream(HOLDFAST_TESTDATA "/golden.json"));
  for (const auto& one : golden.at("bins")) {
    const auto reference = one.at("reference").get<std::vector<std::uint64_t>>();
    const auto current = one.at("current").get<std::vector<std::uint64_t>>();
    const auto measured = measure_bins(reference, current, stats::kConfidence95, 1, 0).value();
    EXPECT_NEAR(measured.psi.measurement.value, one.at("psi").get<double>(), 1e-12);
    EXPECT_NEAR(measured.jensen_shannon.measurement.value, one.at("jensen_shannon").get<double>(), 1e-12);
  }
  EXPECT_NEAR(golden.at("bins").at(0).at("psi").get<double>(), .3746, 1e-4);
  for (const auto& one : golden.at("distributions")) {
    stats::LogLinearHistogram histograms[2];
    for (const double value : one.at("first").get<std::vector<double>>()) histograms[0].add(value);
    for (const double value : one.at("second").get<std::vector<double>>()) histograms[1].add(value);
    const auto measured = measure_kolmogorov_smirnov(histograms[0], histograms[1], stats::kConfidence95);
    EXPECT_NEAR(measured.measurement.value, one.at("statistic").get<double>(), .01) << "bucketed";
    EXPECT_LE(measured.measurement.value, one.at("statistic").get<double>() + 1e-12);
  }
}

TEST(Distances, OfAHandfulOfRowsAreChance) {
  const std::vector<std::uint64_t> reference{3, 2, 2};
  const std::vector<std::uint64_t> current{1, 2, 3};
  const auto measured = measure_bins(reference, current, stats::kConfidence95, 1, 0).value();
  EXPECT_GT(measured.psi.p_value, .3);
  EXPECT_GT(measured.jensen_shannon.p_value, .3);
  EXPECT_EQ(measured.jensen_shannon.measurement.interval.low, 0);
}

TEST(Distances, PValuesGoOnBeyondTheDraws) {
  const std::vector<std::uint64_t> reference{1000, 1000, 1000, 1000};
  const auto p_value = [&](std::uint64_t moved) {
    const std::vector<std::uint64_t> current{250 + moved, 250, 250, 250 - moved};
    return measure_bins(reference, current, stats::kConfidence95, 1, 0)->jensen_shannon.p_value;
  };
  // The chi-squared tests of both tables; scipy 1.17.1's chi2_contingency has the same.
  for (const std::uint64_t moved : {10UL, 30UL, 50UL, 70UL}) {
    const std::vector<std::uint64_t> current{250 + moved, 250, 250, 250 - moved};
    const double pearson = stats::chi_squared_two_sample(reference, current)->p_value;
    EXPECT_GT(p_value(moved), pearson / 10 - 1e-9) << moved;
    EXPECT_LT(p_value(moved), pearson * 10 + 1e-9) << moved;
  }
  EXPECT_LT(p_value(100), 1e-6) << "small enough for hundreds of columns";
}

TEST(Distances, KolmogorovSmirnovIsThatOfTheValues) {
  stats::PhiloxStream random(4, 4);
  std::vector<double> first;
  std::vector<double> second;
  stats::LogLinearHistogram first_histogram;
  stats::LogLinearHistogram second_histogram;
  for (int i = 0; i < 800; ++i) {
    first.push_back(random.normal());
    first_histogram.add(first.back());
    if (i % 2 == 0) continue;
    second.push_back(1.2 * random.normal() - .1);
    second_histogram.add(second.back());
  }
  const auto exact = stats::kolmogorov_smirnov(first, second).value();
  const auto figure = measure_kolmogorov_smirnov(first_histogram, second_histogram, stats::kConfidence95);
  EXPECT_NEAR(figure.measurement.value, exact.statistic, .01);
  EXPECT_NEAR(figure.p_value, exact.p_value, .05);
  EXPECT_EQ(
      measure_kolmogorov_smirnov(first_histogram, first_histogram, stats::kConfidence95).measurement.value,
      0);
}

}  // namespace
}  // namespace holdfast::monitor
