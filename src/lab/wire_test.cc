#include "lab/wire.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

namespace holdfast::lab {
namespace {

using base::as_bytes;
using base::ErrorCode;
using nlohmann::json;
using ::testing::HasSubstr;

LabRequest request() {
  return {.task = Task::kHarden,
          .columns = 2,
          .rows = 10,
          .weighted = true,
          .validation_rows = 3,
          .threads = 2,
          .training = {.classes = 3,
                       .hidden = {5},
                       .dropout = 0.25,
                       .learning_rate = 0.1,
                       .class_weights = {1, 2, 0.5},
                       .seed = UINT64_MAX},
          .attack = {.columns = {{.can_change = true,
                                  .direction = Direction::kFall,
                                  .max_change = 0.1,
                                  .upper = 1e300,
                                  .integer = true,
                                  .unit_cost = 3},
                                 {}},
                     .strength = 2,
                     .cost_budget = 1.5,
                     .steps = 7,
                     .restarts = 2,
                     .seed = 9},
          .adversarial_share = 0.3};
}

void expect_same_back(const LabRequest& wanted) {
  const auto back = decode_request(as_bytes(encode(wanted)));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, wanted);
}

TEST(Wire, RequestsComeBackAsTheyWere) {
  expect_same_back(request());
  LabRequest attack{.task = Task::kAttack, .columns = 2, .rows = 1, .model_bytes = 99};
  attack.attack.columns = {{.can_change = true, .max_change = 1.0}, {}};
  attack.attack.method = AttackMethod::kFgsm;
  expect_same_back(attack);
  expect_same_back({.task = Task::kOutputs, .columns = 2, .rows = 0, .model_bytes = 99});
}

std::string refusal(const json& value) {
  const auto back = decode_request(as_bytes(value.dump()));
  return back ? std::string() : back.error().message;
}

TEST(Wire, NamesWhatIsWrongWithARequest) {
  const json good = json::parse(encode(request()));
  EXPECT_EQ(refusal(good), "");
  const auto with = [&](const char* pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return refusal(bad);
  };
  EXPECT_THAT(with("/task", "erase"), HasSubstr("\"task\""));
  EXPECT_THAT(with("/rows", 1LL << 40), HasSubstr("\"rows\""));
  EXPECT_THAT(with("/rows", -1), HasSubstr("\"rows\""));
  EXPECT_THAT(with("/columns", 0), HasSubstr("\"columns\""));
  EXPECT_THAT(with("/columns", 3), HasSubstr("the rows have 3"));
  EXPECT_THAT(with("/threads", 0), HasSubstr("\"threads\""));
  EXPECT_THAT(with("/training/epochs", 0), HasSubstr("epochs is 0"));
  EXPECT_THAT(with("/training/hidden/0", "64"), HasSubstr("\"hidden\""));
  EXPECT_THAT(with("/training/dropout", "nan"), HasSubstr("\"dropout\""));
  EXPECT_THAT(with("/training/seed", "-1"), HasSubstr("\"seed\""));
  EXPECT_THAT(with("/training/extra", 1), HasSubstr("\"extra\""));
  EXPECT_THAT(with("/attack/columns/0/direction", "sideways"), HasSubstr("\"direction\""));
  EXPECT_THAT(with("/attack/columns/0/max_change", "inf"), HasSubstr("\"max_change\""));
  EXPECT_THAT(with("/adversarial_share", "2"), HasSubstr("adversarial_share is 2"));
  EXPECT_FALSE(decode_request(as_bytes("")));
  EXPECT_FALSE(decode_request(as_bytes("[]")));
}

TEST(Wire, AnswersComeBackAsTheyWere) {
  const EpochMetrics epoch{
      .epoch = 3, .training_loss = 0.1, .validation_loss = 0.2, .validation_accuracy = 0.9};
  const Progress progress{.done = 3, .of = 20, .epoch = epoch};
  EXPECT_EQ(std::get<Progress>(decode_answer(as_bytes(encode(LabAnswer(progress)))).value()), progress);
  const Progress plain{.done = 1, .of = 1};
  EXPECT_EQ(std::get<Progress>(decode_answer(as_bytes(encode(LabAnswer(plain)))).value()), plain);
  const LabDone done{.bytes = 7, .best_epoch = 2, .zero_gradient_share = 0.25};
  EXPECT_EQ(std::get<LabDone>(decode_answer(as_bytes(encode(LabAnswer(done)))).value()), done);
  const LabAnswer failure(base::Error{ErrorCode::kUnsupported, "the operator Conv: it has no gradient here"});
  const auto back = std::get<base::Error>(decode_answer(as_bytes(encode(failure))).value());
  EXPECT_EQ(back.code, ErrorCode::kUnsupported);
  EXPECT_EQ(back.message, "the operator Conv: it has no gradient here");
}

TEST(Wire, BelievesNothingElseOfTheLab) {
  for (const char* const text :
       {"", "{", "null", "{}", "[1]", R"({"done":{}})", R"({"done":{"bytes":-1}})",
        R"({"done":{"bytes":1,"best_epoch":1,"zero_gradient_share":"2"}})",
        R"({"done":{"bytes":1,"best_epoch":1,"zero_gradient_share":"0","more":1}})",
        R"({"progress":{"done":2,"of":1}})", R"({"progress":{"done":1,"of":1},"done":{}})",
        R"({"progress":{"done":1,"of":1,"epoch":{"epoch":1,"training_loss":"nan"}}})",
        R"({"failure":{"code":"permission","message":"x"}})",
        R"({"failure":{"code":"invalid","message":1}})"}) {
    const auto answer = decode_answer(as_bytes(text));
    ASSERT_FALSE(answer.has_value()) << text;
    EXPECT_EQ(answer.error().code, ErrorCode::kDataCorrupt);
  }
}

TEST(Wire, AFailureCannotSteerATerminal) {
  const auto answer =
      decode_answer(as_bytes(json{{"failure", {{"code", "invalid"}, {"message", "\x1b[31mred"}}}}.dump()));
  EXPECT_EQ(std::get<base::Error>(answer.value()).message, "?[31mred");
}

}  // namespace
}  // namespace holdfast::lab
