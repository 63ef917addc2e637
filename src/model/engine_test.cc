#include "model/engine.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "crypto/sha256.h"
#include "model/engine_pool.h"
#include "model/test_models.h"

namespace holdfast::model {
namespace {

using base::ErrorCode;
using base::Result;
using testing::ElementsAre;
using testing::HasSubstr;

Deadline soon() { return worker::deadline_in(std::chrono::seconds(30)); }

SealedModel sealed(std::string_view bytes) {
  const formats::MemorySource source(base::as_bytes(bytes));
  return SealedModel::copy(source).value();
}

Tensor rows(std::initializer_list<float> values) {
  const std::vector<float> all(values);
  return make_tensor<float>("x", {static_cast<std::int64_t>(all.size() / 2), 2}, all);
}

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
#ifndef HOLDFAST_ENGINE_BUILT
    GTEST_SKIP() << "holdfast-engine was not built, since ONNX Runtime was not found";
#endif
  }

  static Engine weighted_sum() { return Engine::start(sealed(weighted_sum_model())).value(); }
  static base::Error refusal(std::string_view bytes) {
    auto engine = Engine::start(sealed(bytes));
    if (engine) return {ErrorCode::kInternal, "it was loaded"};
    return std::move(engine).error();
  }
};

TEST_F(EngineTest, TellsItsSignatureAndComputes) {
  Engine engine = weighted_sum();
  ASSERT_EQ(engine.signature().inputs.size(), 1U);
  EXPECT_EQ(engine.signature().inputs[0],
            (TensorSpec{.name = "x", .datatype = Datatype::kFp32, .shape = {-1, 2}}));
  for (int i = 0; i < 3; ++i) {
    const auto outputs = engine.predict(std::vector{rows({1, 2, 3, 4})}, soon()).value();
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(outputs[0].name, "total");
    EXPECT_THAT(numbers(outputs[0]).value(), ElementsAre(21, 43));
  }
}

TEST_F(EngineTest, IsJailed) {
  const Engine engine = weighted_sum();
  EXPECT_TRUE(engine.jail().namespaces) << engine.jail().text();
  EXPECT_FALSE(engine.jail().executable_memory);
  EXPECT_EQ(engine.jail().limits.threads, 1U);
  // ONNX Runtime's telemetry would be a second thread.
  std::ifstream file(fmt::format("/proc/{}/status", engine.id()));
  const std::string status(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(status, HasSubstr("Threads:\t1\n"));
}

TEST_F(EngineTest, TakesTextsWithZeros) {
  Engine engine = Engine::start(sealed(identity_model(kOnnxString, {-1}))).value();
  const std::array<std::string, 3> texts{std::string("a\0b", 3), "", "\xc3\xa9"};
  Tensor x = make_string_tensor("x", {3}, texts);
  const auto outputs = engine.predict(std::span(&x, 1), soon()).value();
  EXPECT_EQ(outputs[0].data, x.data);
}

TEST_F(EngineTest, WrongInputsAreAnErrorAndNotItsEnd) {
  Engine engine = weighted_sum();
  EXPECT_EQ(engine.predict({}, soon()).error().code, ErrorCode::kInvalidArgument);
  const std::vector<float> wide(3, 1.0F);
  const Tensor wrong = make_tensor<float>("x", {1, 3}, wide);
  EXPECT_THAT(engine.predict(std::span(&wrong, 1), soon()).error().message, HasSubstr("[-1,2]"));
  EXPECT_TRUE(engine.alive());
  EXPECT_TRUE(engine.predict(std::vector{rows({1, 2})}, soon()).has_value());
}

TEST_F(EngineTest, TheBatchIsBounded) {
  Engine engine = Engine::start(sealed(weighted_sum_model()), {.max_batch = 2}).value();
  EXPECT_TRUE(engine.predict(std::vector{rows({1, 2, 3, 4})}, soon()).has_value());
  const auto refused = engine.predict(std::vector{rows({1, 2, 3, 4, 5, 6})}, soon());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimitExceeded);
  EXPECT_THAT(refused.error().message, HasSubstr("3 rows; at most 2"));
  EXPECT_TRUE(engine.alive());
}

TEST_F(EngineTest, WhatIsNoModelIsRefused) {
  EXPECT_EQ(refusal("not a model").code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(refusal(std::string(4096, '\xff')).code, ErrorCode::kDataCorrupt);
  const std::string whole = weighted_sum_model();
  for (std::size_t size = 1; size < whole.size(); size += 9) {
    const auto error = refusal(std::string_view(whole).substr(0, size));
    EXPECT_NE(error.code, ErrorCode::kInternal) << size << " bytes: " << error.message;
  }
  const formats::MemorySource nothing(base::ByteView{});
  EXPECT_EQ(SealedModel::copy(nothing).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EngineTest, OperatorsFromLibrariesAndUnknownOnesAreRefused) {
  const std::string ports =
      bytes_field(11, onnx_value("x", kOnnxFloat, {1})) + bytes_field(12, onnx_value("y", kOnnxFloat, {1}));
  const auto custom =
      refusal(onnx_model(bytes_field(1, onnx_node("Shell", {"x"}, {"y"}, "evil")) + ports, "evil"));
  EXPECT_EQ(custom.code, ErrorCode::kUnsupported);
  EXPECT_THAT(custom.message, HasSubstr("a library for the operators of \"evil\""));
  EXPECT_EQ(refusal(onnx_model(bytes_field(1, onnx_node("NoSuchOp", {"x"}, {"y"})) + ports)).code,
            ErrorCode::kDataCorrupt);
}

TEST_F(EngineTest, DataInAnotherFileIsRefused) {
  const std::string outside = number_field(1, 2) + number_field(2, kOnnxFloat) + bytes_field(8, "w") +
                              bytes_field(13, bytes_field(1, "location") + bytes_field(2, "/etc/passwd")) +
                              number_field(14, 1);
  const auto error =
      refusal(onnx_model(bytes_field(1, onnx_node("MatMul", {"x", "w"}, {"total"})) +
                         bytes_field(5, outside) + bytes_field(11, onnx_value("x", kOnnxFloat, {-1, 2})) +
                         bytes_field(12, onnx_value("total", kOnnxFloat, {-1}))));
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("tensor \"w\" lies in another file"));
}

TEST_F(EngineTest, ADatatypeThatIsNotTakenIsNamed) {
  EXPECT_THAT(refusal(identity_model(kOnnxFloat16, {1})).message, HasSubstr("\"x\" has a datatype (16-bit"));
}

TEST_F(EngineTest, ADeadlineEndsIt) {
  Engine engine = weighted_sum();
  EXPECT_EQ(
      engine.predict(std::vector{rows({1, 2})}, worker::deadline_in(std::chrono::seconds(-1))).error().code,
      ErrorCode::kDeadline);
  EXPECT_TRUE(engine.alive()) << "it was not asked at all";
  ASSERT_EQ(::kill(engine.id(), SIGSTOP), 0);
  EXPECT_EQ(engine.predict(std::vector{rows({1, 2})}, worker::deadline_in(std::chrono::milliseconds(50)))
                .error()
                .code,
            ErrorCode::kDeadline);
  EXPECT_FALSE(engine.alive());
  EXPECT_EQ(engine.predict(std::vector{rows({1, 2})}, soon()).error().code, ErrorCode::kUnavailable);
}

TEST_F(EngineTest, AModelThatNeverAnswersIsEnded) {
  Engine engine = Engine::start(sealed(endless_model())).value();
  const std::array<float, 1> one{1};
  const Tensor x = make_tensor<float>("x", {1}, one);
  const auto answer = engine.predict(std::span(&x, 1), worker::deadline_in(std::chrono::milliseconds(200)));
  EXPECT_EQ(answer.error().code, ErrorCode::kDeadline);
  EXPECT_FALSE(engine.alive());
}

TEST_F(EngineTest, AnswersThatAreTooLargeAreErrors) {
  Engine engine = Engine::start(sealed(zeros_model())).value();
  const auto ask = [&](std::array<std::int64_t, 2> shape) {
    const Tensor x = make_tensor<std::int64_t>("x", {2}, shape);
    return engine.predict(std::span(&x, 1), soon());
  };
  EXPECT_EQ(ask({2, 3}).value()[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_THAT(ask({4096, 4096}).error().message, HasSubstr("send fewer rows at once"));
  EXPECT_EQ(ask({4097, 4096}).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(ask({2, 3}).value()[0].shape, (std::vector<std::int64_t>{2, 3}));
#ifndef HOLDFAST_SANITIZED
  EXPECT_FALSE(ask({1L << 20, 1L << 20}).has_value()) << "4 TB are more than it may take";
#endif
}

TEST_F(EngineTest, MapsFromLabelsBecomeColumnsInTheirOrder) {
  Engine engine = Engine::start(sealed(zip_map_model())).value();
  const auto outputs = engine.predict(std::vector{rows({1, 2, 3, 4})}, soon()).value();
  EXPECT_EQ(outputs[0].shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_THAT(numbers(outputs[0]).value(), ElementsAre(2, 1, 4, 3)) << "5 comes before 7";
}

TEST_F(EngineTest, TooLittleMemoryIsAnErrorThatSaysSo) {
  auto engine = Engine::start(sealed(weighted_sum_model()), {.memory_bytes = 32UL << 20});
#ifndef HOLDFAST_SANITIZED
  ASSERT_FALSE(engine.has_value());
  EXPECT_EQ(engine.error().code, ErrorCode::kLimitExceeded) << engine.error().message;
#else
  EXPECT_TRUE(engine.has_value()) << "sanitizers take no limit of memory";
#endif
}

TEST_F(EngineTest, ACrashIsAnErrorForOneRequestOnly) {
  auto pool = EnginePool::start(sealed(weighted_sum_model())).value();
  EXPECT_EQ(pool->model_digest(), crypto::sha256(base::as_bytes(weighted_sum_model())));
  ASSERT_TRUE(pool->predict(std::vector{rows({1, 2})}, soon()).has_value());
  // Stopped, so that the next request is late and its engine ends.
  EXPECT_EQ(pool->health().running, 1U);
  EXPECT_EQ(
      pool->predict(std::vector{rows({1, 2})}, worker::deadline_in(std::chrono::seconds(-1))).error().code,
      ErrorCode::kDeadline);
  const auto use = pool->use();
  EXPECT_EQ(use.engines, 1U);
  EXPECT_TRUE(use.own_network);
  EXPECT_GT(use.usage.resident_bytes, 1U << 20);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(::kill(pool->any_process().value(), SIGKILL), 0);
    EXPECT_EQ(pool->predict(std::vector{rows({1, 2})}, soon()).error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(pool->predict(std::vector{rows({1, 2})}, soon()).has_value());
  }
  EXPECT_EQ(pool->health().restarts, 3U);
}

TEST_F(EngineTest, ManyThreadsShareAPool) {
  auto pool = EnginePool::start(sealed(weighted_sum_model()), {.engines = 2}).value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto first = static_cast<float>(t);
      for (int i = 0; i < 50; ++i) {
        const auto outputs = pool->predict(std::vector{rows({first, 1})}, soon());
        ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
        EXPECT_THAT(numbers((*outputs)[0]).value(), ElementsAre(first + 10));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(pool->health().running, 2U);
  EXPECT_EQ(pool->health().restarts, 0U);
}

TEST_F(EngineTest, WhoWaitsForAnEngineThatIsLostGetsTheNextOne) {
  auto pool = EnginePool::start(sealed(weighted_sum_model())).value();
  ASSERT_EQ(::kill(pool->any_process().value(), SIGSTOP), 0);
  std::thread late([&] {
    const auto outputs =
        pool->predict(std::vector{rows({1, 2})}, worker::deadline_in(std::chrono::milliseconds(300)));
    ASSERT_FALSE(outputs.has_value());
    EXPECT_EQ(outputs.error().code, ErrorCode::kDeadline);
  });
  while (pool->any_process()) std::this_thread::yield();
  std::vector<std::thread> waiting;
  for (int t = 0; t < 3; ++t) {
    waiting.emplace_back([&] {
      const auto outputs = pool->predict(std::vector{rows({1, 2})}, soon());
      ASSERT_TRUE(outputs.has_value()) << outputs.error().message;
    });
  }
  late.join();
  for (auto& thread : waiting) thread.join();
  EXPECT_EQ(pool->health().restarts, 1U);
}

TEST_F(EngineTest, TooManyWaitingAreTurnedAway) {
  auto pool = EnginePool::start(sealed(weighted_sum_model()), {.max_waiting = 0}).value();
  ASSERT_TRUE(pool->predict(std::vector{rows({1, 2})}, soon()).has_value());
  ASSERT_EQ(::kill(pool->any_process().value(), SIGSTOP), 0);
  std::thread late([&] {
    EXPECT_EQ(
        pool->predict(std::vector{rows({1, 2})}, worker::deadline_in(std::chrono::seconds(2))).error().code,
        ErrorCode::kDeadline);
  });
  Result<std::vector<Tensor>> turned_away = std::vector<Tensor>{};
  while (pool->any_process().has_value()) std::this_thread::yield();  // until the other has taken the engine
  turned_away = pool->predict(std::vector{rows({1, 2})}, soon());
  EXPECT_THAT(turned_away.error().message, HasSubstr("try again later"));
  late.join();
}

TEST_F(EngineTest, APoolForWhatIsNoModelDoesNotStart) {
  EXPECT_EQ(EnginePool::start(sealed("not a model")).error().code, ErrorCode::kDataCorrupt);
  EXPECT_EQ(EnginePool::start(sealed(weighted_sum_model()), {.engine = {.executable = "/nowhere/engine"}})
                .error()
                .code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::model
