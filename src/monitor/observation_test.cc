#include "monitor/observation.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cmath>

#include "monitor/test_traffic.h"

namespace holdfast::monitor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using State = Observation::State;

TEST(Observation, SaysWhatMoved) {
  const auto observed = observe(measure_drift(window_of(reference_of(1), 2, 1000, {.amount = 2})).value());
  ASSERT_EQ(observed.size(), 4U);
  EXPECT_EQ(observed[0].subject, "amount");
  EXPECT_EQ(observed[0].state, State::kAlarm);
  EXPECT_EQ(observed[0].measurement.name, "psi");
  EXPECT_THAT(observed[0].sentence,
              StartsWith("The column \"amount\" drifted: its stability index (PSI) is "));
  EXPECT_THAT(observed[0].practices, ElementsAre("P16", "P18"));
  EXPECT_THAT(observed[0].risks, ElementsAre("R09", "R10"));
  EXPECT_EQ(observed[1].state, State::kHealthy);
  EXPECT_THAT(observed[3].sentence, StartsWith("The score is stable: "));
}

TEST(Observation, SaysThatItCouldNotTell) {
  const Window few = window_of(reference_of(1), 2, 10);
  const auto observed = observe(measure_drift(few).value());
  EXPECT_EQ(observed[0].state, State::kCouldNotTell);
  EXPECT_TRUE(std::isnan(observed[0].measurement.value));
  EXPECT_EQ(observed[0].sentence, "The column \"amount\" could not be told about: the window has 10 rows");
  const Observation performance = observe(estimate_performance(few).value());
  EXPECT_EQ(performance.state, State::kCouldNotTell);
  EXPECT_THAT(performance.sentence,
              StartsWith("The accuracy to be expected without labels could not be told: the window has 10 "));
}

TEST(Observation, StatesWhatAnEstimateRestsOn) {
  const Observation held = observe(estimate_performance(window_of(reference_of(1), 2, 3000)).value());
  EXPECT_EQ(held.state, State::kHealthy);
  EXPECT_THAT(held.sentence, HasSubstr("blind to a change of what follows"));
  Window unsure(reference_of(1));
  for (int i = 0; i < 3000; ++i) unsure.add_score(.5);
  const Observation fell = observe(estimate_performance(unsure).value());
  EXPECT_EQ(fell.state, State::kAlarm);
  EXPECT_THAT(fell.sentence, StartsWith("The accuracy to be expected without labels fell: -0."));
  EXPECT_THAT(fell.risks, ElementsAre("R10"));
}

}  // namespace
}  // namespace holdfast::monitor
