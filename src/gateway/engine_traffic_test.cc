#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "gateway/gateway.h"
#include "model/engine_pool.h"
#include "model/test_models.h"

// The gateway over real engines.

namespace holdfast::gateway {
namespace {

using testing::HasSubstr;

std::shared_ptr<model::Predictor> engine() {
  const std::string bytes = model::weighted_sum_model();
  const formats::MemorySource source(base::as_bytes(bytes));
  return model::EnginePool::start(model::SealedModel::copy(source).value()).value();
}

ServedVersion version(std::string name, std::shared_ptr<model::Predictor> predictor, std::uint32_t share) {
  return {.name = std::move(name),
          .share = share,
          .predictor = std::move(predictor),
          .guard = std::make_shared<const Guard>()};
}

std::shared_ptr<const Snapshot> serving(std::vector<ServedVersion> versions) {
  std::vector<Endpoint> endpoints;
  endpoints.push_back({.name = "sum",
                       .versions = std::move(versions),
                       .limits = {},
                       .rate = {.per_second = 1e6, .burst = 1e6},
                       .deadline = std::chrono::seconds(30)});
  return Snapshot::create(std::move(endpoints)).value();
}

class EngineTrafficTest : public testing::Test {
 protected:
  void SetUp() override {
#ifndef HOLDFAST_ENGINE_BUILT
    GTEST_SKIP() << "holdfast-engine was not built, since ONNX Runtime was not found";
#endif
  }

  Answer ask(int value) {
    const std::string body = fmt::format(
        R"({{"inputs":[{{"name":"x","shape":[1,2],"datatype":"FP32","data":[[{},1]]}}]}})", value);
    return gateway_.infer({.endpoint = "sum", .principal = "p", .body = base::as_bytes(body)});
  }

  Gateway gateway_{{.server_version = "1", .sinks = {}}};
};

TEST_F(EngineTrafficTest, ReleaseAndRollbackLoseNoRequest) {
  const auto old = engine();
  gateway_.swap(serving({version("1", old, Snapshot::kAllTraffic)}));
  std::atomic<bool> done = false;
  std::atomic<int> answered = 0;
  std::atomic<int> by_new = 0;
  std::vector<std::thread> clients;
  for (int c = 0; c < 3; ++c) {
    clients.emplace_back([&, c] {
      for (int i = c; !done; i += 3) {
        const Answer answer = ask(i);
        ASSERT_EQ(answer.status, 200) << answer.body;
        const auto body = base::parse_json(answer.body).value();
        EXPECT_EQ(body["outputs"][0]["data"][0].get<double>(), i + 10);
        if (body["model_version"] == "2") ++by_new;
        ++answered;
        answered.notify_all();
      }
    });
  }
  const auto wait_for = [](std::atomic<int>& counter, int more) {
    const int goal = counter + more;
    for (int now = counter; now < goal; now = counter) counter.wait(now);
  };
  wait_for(answered, 20);
  {
    const auto fresh = engine();
    gateway_.swap(serving({version("1", old, 5'000), version("2", fresh, 5'000)}));
    wait_for(answered, 50);
    gateway_.swap(serving({version("1", old, 0), version("2", fresh, 10'000)}));
  }
  wait_for(answered, 50);
  gateway_.swap(serving({version("1", old, Snapshot::kAllTraffic)}));
  wait_for(answered, 20);
  done = true;
  for (auto& client : clients) client.join();
  EXPECT_GT(by_new.load(), 40);
}

TEST_F(EngineTrafficTest, AModelsRefusalTellsNothingOfItsInside) {
  gateway_.swap(serving({version("1", engine(), Snapshot::kAllTraffic)}));
  const std::string body =
      R"({"inputs":[{"name":"x","shape":[70000,2],"datatype":"FP32","parameters":{"binary_data_size":560000}}]})";
  const std::string whole = body + std::string(560'000, '\0');
  const Answer answer = gateway_.infer({.endpoint = "sum",
                                        .principal = "p",
                                        .body = base::as_bytes(whole),
                                        .json_bytes = fmt::format("{}", body.size())});
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("send fewer rows"));
}

}  // namespace
}  // namespace holdfast::gateway
