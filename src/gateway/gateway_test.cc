#include "gateway/gateway.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::gateway {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using model::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

// p = factor * x, or what `then` says.
class Multiplier final : public model::Predictor {
 public:
  explicit Multiplier(float factor) : factor_(factor) {}
  ~Multiplier() override {
    if (on_end) on_end();
  }
  [[nodiscard]] const model::Signature& signature() const override { return signature_; }
  Result<std::vector<Tensor>> predict(std::span<const Tensor> inputs, model::Deadline deadline) override {
    if (then) return then(deadline);
    std::vector<float> results;
    HF_TRY(const auto values, model::numbers(inputs[0]));
    for (const double value : values) results.push_back(factor_ * static_cast<float>(value));
    return std::vector{model::make_tensor<float>("p", inputs[0].shape, results),
                       model::make_tensor<float>("inner", inputs[0].shape, results)};
  }

  std::function<Result<std::vector<Tensor>>(model::Deadline)> then;
  std::function<void()> on_end;

 private:
  float factor_;
  model::Signature signature_{.inputs = {{.name = "x", .shape = {-1}}},
                              .outputs = {{.name = "p", .shape = {-1}}, {.name = "inner", .shape = {-1}}}};
};

class Records final : public PredictionSink {
 public:
  Result<> on_prediction(const PredictionRecord& record) override {
    if (broken) return fail(ErrorCode::kUnavailable, "the disk is full");
    predictions.push_back(fmt::format("{} {}#{} {} {} flagged {}", record.principal, record.version,
                                      record.release, record.endpoint, record.outputs.size(),
                                      record.flagged));
    ids.emplace_back(record.prediction_id);
    return {};
  }
  Result<> on_refusal(const RefusalRecord& record) override {
    if (broken) return fail(ErrorCode::kUnavailable, "the disk is full");
    refusals.push_back(fmt::format("{} {}: {}", record.status, record.principal, record.reason));
    return {};
  }
  bool broken = false;
  std::vector<std::string> predictions;
  std::vector<std::string> ids;
  std::vector<std::string> refusals;
};

ServedVersion version(std::string name, std::shared_ptr<model::Predictor> predictor, std::uint32_t share) {
  return {.name = std::move(name),
          .release = 7,
          .share = share,
          .predictor = std::move(predictor),
          .guard = std::make_shared<const Guard>(),
          .outputs = {"p"}};
}

std::shared_ptr<const Snapshot> serving(std::vector<ServedVersion> versions, RateLimit rate = {}) {
  std::vector<Endpoint> endpoints;
  endpoints.push_back({.name = "credit", .versions = std::move(versions), .limits = {}, .rate = rate});
  return Snapshot::create(std::move(endpoints)).value();
}

std::string request_of(std::string_view data, std::string_view more = "") {
  return fmt::format(R"({{"inputs":[{{"name":"x","shape":[1],"datatype":"FP32","data":[{}]}}]{}}})", data,
                     more);
}

class GatewayTest : public testing::Test {
 protected:
  Answer ask(std::string_view body, std::string_view endpoint = "credit",
             std::optional<std::string_view> served = std::nullopt) {
    return gateway_.infer(
        {.endpoint = endpoint, .version = served, .principal = "service:shop", .body = base::as_bytes(body)});
  }
  static nlohmann::json json(const Answer& answer) { return base::parse_json(answer.body).value(); }
  static std::string error(const Answer& answer) { return json(answer).at("error").get<std::string>(); }

  Records records_;
  std::shared_ptr<Multiplier> model_ = std::make_shared<Multiplier>(2.0F);
  Gateway gateway_{{.server_version = "1", .sinks = {&records_}}};
};

TEST_F(GatewayTest, AnswersAndRecordsBefore) {
  gateway_.swap(serving({version("3", model_, 10'000)}));
  const Answer answer = ask(request_of("21", R"(,"id":"mine")"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto body = json(answer);
  EXPECT_EQ(body["id"], "mine");
  EXPECT_EQ(body["model_name"], "credit");
  EXPECT_EQ(body["model_version"], "3");
  EXPECT_EQ(body["outputs"].size(), 1U) << "what is not given out stays inside";
  EXPECT_EQ(body["outputs"][0]["data"][0], 42);
  EXPECT_THAT(records_.predictions, ElementsAre("service:shop 3#7 credit 2 flagged 0"));
  EXPECT_EQ(body["parameters"]["prediction_id"], records_.ids.at(0));
  EXPECT_EQ(answer.headers.at(0), std::pair(std::string("Holdfast-Prediction-Id"), records_.ids[0]));
  EXPECT_NE(json(ask(request_of("1")))["id"], "") << "the prediction's own, where the caller gave none";
}

TEST_F(GatewayTest, WhatCannotBeRecordedIsNotGiven) {
  gateway_.swap(serving({version("3", model_, 10'000)}));
  records_.broken = true;
  const Answer answer = ask(request_of("21"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("42")));
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("disk")));
}

TEST_F(GatewayTest, EachRefusalHasItsStatusAndIsRecorded) {
  EXPECT_EQ(ask(request_of("1")).status, 404) << "nothing is served yet";
  gateway_.swap(serving({version("3", model_, 10'000)}));
  EXPECT_EQ(ask("{").status, 400);
  EXPECT_EQ(ask(request_of("1"), "debit").status, 404);
  EXPECT_EQ(ask(request_of("1"), "credit", "4").status, 404);
  EXPECT_EQ(ask(request_of("1"), "credit", "3").status, 200);
  EXPECT_EQ(error(ask(request_of("1", R"(,"outputs":[{"name":"inner"}])"))), "there is no output \"inner\"");
  EXPECT_THAT(error(ask(R"({"inputs":[{"name":"z","shape":[1],"datatype":"FP32","data":[1]}]})")),
              HasSubstr("the model has no input \"z\"; it takes x"));
  EXPECT_EQ(ask(R"({"inputs":[{"name":"x","shape":[2147483648],"datatype":"FP32","data":[1]}]})").status,
            413);
  const Answer guarded = ask(request_of("null"));
  EXPECT_EQ(guarded.status, 422);
  EXPECT_THAT(error(guarded), HasSubstr("input \"x\", row 0: the value is missing"));
  const Answer header = gateway_.infer(
      {.endpoint = "credit", .principal = "p", .body = {}, .json_bytes = "99999999999999999999"});
  EXPECT_EQ(header.status, 400);
  EXPECT_EQ(records_.refusals.size(), 9U);
  EXPECT_THAT(records_.refusals.back(), HasSubstr("400 p: the header Inference-Header-Content-Length"));
}

TEST_F(GatewayTest, TheModelsOwnWordsStayInside) {
  gateway_.swap(serving({version("3", model_, 10'000)}));
  const auto answer_to = [&](ErrorCode code) {
    model_->then = [code](model::Deadline) { return fail(code, "/secret/path"); };
    const Answer answer = ask(request_of("1"));
    EXPECT_THAT(answer.body, testing::Not(HasSubstr("secret")));
    EXPECT_THAT(records_.refusals.back(), HasSubstr("secret"));
    return answer.status;
  };
  EXPECT_EQ(answer_to(ErrorCode::kInvalidArgument), 422);
  EXPECT_EQ(answer_to(ErrorCode::kLimitExceeded), 413);
  EXPECT_EQ(answer_to(ErrorCode::kUnavailable), 503);
  EXPECT_EQ(answer_to(ErrorCode::kDeadline), 504);
  EXPECT_EQ(answer_to(ErrorCode::kDataCorrupt), 500);
}

TEST_F(GatewayTest, TooManyRequestsWait) {
  gateway_.swap(serving({version("3", model_, 10'000)}, {.per_second = 0.5, .burst = 2}));
  EXPECT_EQ(ask(request_of("1")).status, 200);
  EXPECT_EQ(ask(request_of("1")).status, 200);
  const Answer late = ask(request_of("1"));
  EXPECT_EQ(late.status, 429);
  EXPECT_EQ(late.headers.at(0), std::pair(std::string("Retry-After"), std::string("2")));
  EXPECT_EQ(
      gateway_.infer({.endpoint = "credit", .principal = "other", .body = base::as_bytes(request_of("1"))})
          .status,
      200);
}

TEST_F(GatewayTest, FlagsAreToldAndRecorded) {
  ServedVersion served = version("3", model_, 10'000);
  const data::Schema schema{
      .columns = {{.name = "age", .type = data::ColumnType::kReal, .range = data::Range{0, 10}}}};
  served.guard =
      std::make_shared<const Guard>(Guard::create(model_->signature(), schema, {{"x", {"age"}}}, {}).value());
  gateway_.swap(serving({served}));
  const auto body = json(ask(request_of("12")));
  EXPECT_THAT(body["parameters"]["flags"].get<std::string>(),
              HasSubstr("outside-training: input \"x\", row 0, feature \"age\": 12 is outside -1 to 11"));
  EXPECT_THAT(records_.predictions.at(0), HasSubstr("flagged 1"));
}

TEST_F(GatewayTest, SharesAreKept) {
  const auto one = version("1", model_, 9'000);
  const auto two = version("2", model_, 1'000);
  const auto snapshot = serving({one, two});
  const Endpoint& endpoint = *snapshot->find("credit");
  int second = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string id = fmt::format("prediction-{}", i);
    const auto& chosen = choose_version(endpoint, id);
    EXPECT_EQ(&chosen, &choose_version(endpoint, id));
    if (chosen.name == "2") ++second;
  }
  // 2000 expected, standard deviation 42.
  EXPECT_NEAR(second, 2000, 210);
  EXPECT_EQ(largest_version(endpoint)->name, "1");
}

TEST_F(GatewayTest, ARequestUnderWayKeepsItsVersion) {
  std::atomic<bool> entered = false;
  std::atomic<bool> go_on = false;
  std::atomic<bool> ended = false;
  auto old = std::make_shared<Multiplier>(2.0F);
  old->on_end = [&] { ended = true; };
  old->then = [&](model::Deadline) {
    entered = true;
    entered.notify_all();
    go_on.wait(false);
    const std::array<float, 1> result{1};
    return std::vector{model::make_tensor<float>("p", {1}, result),
                       model::make_tensor<float>("inner", {1}, result)};
  };
  gateway_.swap(serving({version("1", std::move(old), 10'000)}));
  Answer slow;
  std::thread asking([&] { slow = ask(request_of("1")); });
  entered.wait(false);
  gateway_.swap(serving({version("2", model_, 10'000)}));
  EXPECT_FALSE(ended);
  EXPECT_EQ(gateway_.snapshot()->find("credit")->versions[0].name, "2");
  go_on = true;
  go_on.notify_all();
  asking.join();
  EXPECT_EQ(json(slow)["model_version"], "1");
  EXPECT_TRUE(ended) << "the old version ends with its last request";
  EXPECT_EQ(json(ask(request_of("1")))["model_version"], "2");
}

TEST_F(GatewayTest, SnapshotsThatMakeNoSenseAreNotMade) {
  const auto message = [](std::vector<ServedVersion> versions, std::string name = "credit") {
    std::vector<Endpoint> endpoints;
    endpoints.push_back({.name = std::move(name), .versions = std::move(versions)});
    const auto made = Snapshot::create(std::move(endpoints));
    return made ? "it was made" : made.error().message;
  };
  EXPECT_THAT(message({version("1", model_, 9'000)}), HasSubstr("add up to 9000, not to 10000"));
  EXPECT_THAT(message({version("1", model_, 5'000), version("1", model_, 5'000)}), HasSubstr("twice"));
  EXPECT_THAT(message({version("1", nullptr, 10'000)}), HasSubstr("no model"));
  EXPECT_THAT(message({}), HasSubstr("add up to 0"));
  EXPECT_THAT(message({version("1", model_, 10'000)}, "../x"), HasSubstr("no proper name"));
  ServedVersion wrong = version("1", model_, 10'000);
  wrong.outputs = {"q"};
  EXPECT_THAT(message({wrong}), HasSubstr("has no output \"q\""));
}

TEST_F(GatewayTest, MetadataAndHealth) {
  EXPECT_EQ(gateway_.ready().status, 503);
  gateway_.swap(serving({version("3", model_, 10'000)}));
  EXPECT_EQ(gateway_.ready().body, R"({"ready":true})");
  EXPECT_EQ(gateway_.live().body, R"({"live":true})");
  EXPECT_EQ(gateway_.server_metadata().body,
            R"({"name":"holdfast","version":"1","extensions":["binary_tensor_data"]})");
  const auto metadata = json(gateway_.model_metadata("credit", std::nullopt));
  EXPECT_EQ(metadata["versions"][0], "3");
  EXPECT_EQ(metadata["outputs"].size(), 1U);
  EXPECT_EQ(gateway_.model_metadata("debit", std::nullopt).status, 404);
  EXPECT_EQ(gateway_.model_metadata("credit", "4").status, 404);
  EXPECT_EQ(gateway_.model_ready("credit", "3").body, R"({"name":"credit","ready":true})");
  EXPECT_EQ(gateway_.model_ready("credit", "4").status, 404);
}

TEST(RateLimiterTest, FillsWithTimeAndForgetsFullBuckets) {
  RateLimiter limiter;
  const RateLimit limit{.per_second = 10, .burst = 1};
  const auto start = std::chrono::steady_clock::time_point(std::chrono::hours(1));
  EXPECT_FALSE(limiter.take("a", limit, start).has_value());
  EXPECT_EQ(limiter.take("a", limit, start).value(), std::chrono::milliseconds(100));
  EXPECT_EQ(limiter.take("a", limit, start - std::chrono::seconds(5)).value(),
            std::chrono::milliseconds(100));
  EXPECT_FALSE(limiter.take("a", limit, start + std::chrono::milliseconds(100)).has_value());
  for (std::size_t i = 1; i < RateLimiter::kMaxKeys; ++i) {
    ASSERT_FALSE(limiter.take(fmt::format("key {}", i), limit, start).has_value());
  }
  EXPECT_TRUE(limiter.take("one too many", limit, start).has_value());
  EXPECT_FALSE(limiter.take("one too many", limit, start + std::chrono::seconds(2)).has_value());
}

}  // namespace
}  // namespace holdfast::gateway
