#include "server/watch.h"

#include <thread>

#include "monitor/test_traffic.h"
#include "server/testing.h"

namespace holdfast::server {
namespace {

constexpr std::size_t kRows = 50;

class WatchTest : public InstallationTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(open());
    // So little of the processor that the longest rest follows each measurement.
    watch_ = std::make_unique<Watch>(*installation_,
                                     WatchOptions{.window_rows = kRows, .most_of_processor = 1e-9});
    watch_->begin("credit", 1, monitor::reference_of(1));
  }
  void TearDown() override { watch_.reset(); }

  void send_window() {
    const std::vector<double> values(kRows, 1.0);
    const model::Tensor x = model::make_tensor<double>("x", {kRows, 1}, values);
    ASSERT_TRUE(watch_->on_prediction({.endpoint = "credit",
                                       .version = "1",
                                       .inputs = std::span(&x, 1),
                                       .outputs = {},
                                       .guard = &guard_,
                                       .flags = {}}));
  }
  void await_rows(std::uint64_t rows) {
    for (;;) {
      const auto report = watch_->last("credit");
      if (report && report->drift.rows == rows) return;
      std::this_thread::yield();
    }
  }

  const gateway::Guard guard_ =
      gateway::Guard::create(
          {.inputs = {{.name = "x", .datatype = model::Datatype::kFp64, .shape = {-1, 1}}}, .outputs = {}},
          {.columns = {{.name = "x", .type = data::ColumnType::kReal}}}, {{"x", {"x"}}}, {})
          .value();
  std::unique_ptr<Watch> watch_;
};

TEST_F(WatchTest, WindowsThatComeFasterThanTheyAreMeasuredAreMeasuredTogether) {
  send_window();
  await_rows(kRows);
  for (int i = 0; i < 3; ++i) send_window();
  await_rows(3 * kRows);
}

TEST_F(WatchTest, SettlingMeasuresEachWindowWithoutARest) {
  for (int i = 0; i < 3; ++i) send_window();
  watch_->settle();
  EXPECT_EQ(watch_->waiting_rows("credit"), 0U);
  send_window();
  watch_->settle();
  EXPECT_EQ(watch_->last("credit")->drift.rows, kRows);
}

}  // namespace
}  // namespace holdfast::server
