// The whole way of a model, by the routes, on a small population of its own: registered, trained, measured,
// decided, released, asked, watched; and what happens to somebody who goes around it.
#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include <cmath>
#include <fstream>

#include "intake/testing.h"
#include "lab/lab.h"
#include "registry/schema.h"
#include "release/schema.h"
#include "server/testing.h"

namespace holdfast::server {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::string_view kTask = R"(
[task]
label = "default"
features = ["income", "debt", "late"]
minimum_group_rows = 50
[[group]]
name = "sex"
column = "sex"
[[change]]
columns = ["income"]
direction = "rise"
max_change = 200
unit_cost = 1
[[attack]]
name = "pgd"
method = "pgd"
steps = 10
)";

constexpr std::string_view kGate = R"(
permit(principal, action == Action::"approve", resource);
@id("auc") @figure("AUC") @remedy("train longer")
forbid(principal, action == Action::"approve", resource)
unless { context has evidence.auc.lower && context.evidence.auc.lower.greaterThanOrEqual(decimal("0.80")) };
@id("robust") @figure("robust balanced accuracy") @remedy("harden it")
forbid(principal, action == Action::"approve", resource)
unless { context has evidence.under.pgd.robust_balanced_accuracy.lower &&
  context.evidence.under.pgd.robust_balanced_accuracy.lower.greaterThanOrEqual(decimal("0.40")) };
)";

// Numbers that only look random, so that a test is the same each time.
class Draws {
 public:
  double next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) / static_cast<double>(1ULL << 53);
  }

 private:
  std::uint64_t state_ = 7;
};

std::string population(int rows) {
  std::string csv = "income,debt,late,sex,default\n";
  Draws draws;
  for (int row = 0; row < rows; ++row) {
    const int income = 1000 + static_cast<int>(draws.next() * 3000);
    const int debt = static_cast<int>(draws.next() * 5000);
    const int late = static_cast<int>(draws.next() * 5);
    const double risk =
        1 / (1 + std::exp(0.004 * (income - 2500) - 0.002 * (debt - 2500) - 1.5 * (late - 2)));
    csv += fmt::format("{},{},{},{},{}\n", income, debt, late, draws.next() < 0.5 ? "f" : "m",
                       draws.next() < risk ? 1 : 0);
  }
  return csv;
}

std::string inference(int first, int rows, double shift) {
  json data = json::array();
  Draws draws;
  for (int i = 0; i < first * 3; ++i) draws.next();
  for (int row = 0; row < rows; ++row) {
    data.push_back(1000 + std::floor(draws.next() * 3000));
    data.push_back(std::floor(draws.next() * 5000 * shift));
    data.push_back(std::floor(draws.next() * 5));
  }
  return json{{"inputs",
               {{{"name", "input"}, {"datatype", "FP32"}, {"shape", {rows, 3}}, {"data", std::move(data)}}}}}
      .dump();
}

class SpineTest : public InstallationTest {
 protected:
  void SetUp() override {
    const auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
  }

  void register_dataset() {
    const auto answered =
        ask(Method::kPost, "/v1/datasets?name=people&purpose=credit+scoring&keep_days=30", population(4000));
    ASSERT_EQ(answered.status, 201) << answered.json;
    EXPECT_EQ(answered.json["rows"], 4000);
  }
  void require() {
    const auto answered = ask(
        Method::kPut, "/v1/models/credit/requirements",
        json{{"dataset", "people"}, {"task", std::string(kTask)}, {"policies", std::string(kGate)}}.dump());
    ASSERT_EQ(answered.status, 200) << answered.json;
  }
  std::int64_t train(int seed) {
    const auto answered =
        ask(Method::kPost, "/v1/models/credit/train", json{{"epochs", 15}, {"seed", seed}}.dump());
    EXPECT_EQ(answered.status, 202) << answered.json;
    EXPECT_EQ(answered.json["run"]["state"], "done") << answered.json;
    return answered.json["run"]["result"]["version"];
  }
  json evaluate(std::int64_t version) {
    const auto answered =
        ask(Method::kPost, fmt::format("/v1/models/credit/versions/{}/evaluate", version), "{}");
    EXPECT_EQ(answered.status, 200) << answered.json;
    return answered.json;
  }
  // Whoever made a version may not approve it, not even the local operator.
  std::string approver() {
    const auto made = ask(Method::kPost, "/v1/people", R"({"name":"grace"})").json;
    ask(Method::kPut, "/v1/groups/approvers/members/" + made["id"].get<std::string>());
    ask(Method::kPost, "/v1/password",
        json{{"name", "grace"},
             {"current", made["one_time_password"]},
             {"new", "correct horse battery staple"}}
            .dump());
    const auto token = ask(Method::kPost, "/v1/token",
                           "grant_type=password&username=grace&password=correct+horse+battery+staple");
    return token.json.value("access_token", "");
  }
  static bool lab_is_there() { return lab::Lab::start({.executable = {}}).has_value(); }
};

TEST_F(SpineTest, AHostileModelIsRefusedAndSaidWhy) {
  const std::string pickle(
      "\x80\x04\x95\x1b\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
      37);
  const auto answered = ask(Method::kPost, "/v1/models/credit/versions?file=model.pkl", pickle);
  EXPECT_EQ(answered.status, 422) << answered.json;
  EXPECT_EQ(answered.json["accepted"], false);
  EXPECT_THAT(answered.json["reason"].get<std::string>(), HasSubstr("system"));
  EXPECT_TRUE(ask(Method::kGet, "/v1/models").json["versions"].empty());
}

TEST_F(SpineTest, AFileThatIsNoModelIsKeptForAReasonAlone) {
  const auto refused = ask(Method::kPost, "/v1/models/notes/versions?file=notes.txt", "only words");
  EXPECT_EQ(refused.status, 422) << refused.json;
  EXPECT_EQ(refused.json["reason"],
            "notes.txt: it is text alone, and no model; to keep it all the same, say why (--as-is REASON)");
  const std::string kept = "/v1/models/notes/versions?file=notes.txt&as_is=the+card+of+the+model";
  EXPECT_EQ(ask(Method::kPost, kept, "only words").status, 201);
}

TEST_F(SpineTest, AWebhookThatCouldNeverBeToldIsRefused) {
  const auto refused = ask(Method::kPut, "/v1/webhooks/on-call",
                           R"({"url":"https://hooks.example.com/h","secret":"sixteen bytes or more"})");
  EXPECT_EQ(refused.status, 403) << refused.json;
  EXPECT_THAT(refused.json["detail"].get<std::string>(),
              HasSubstr("to egress.allow in the server's settings"));
  EXPECT_TRUE(ask(Method::kGet, "/v1/webhooks").json["webhooks"].empty());
}

TEST_F(SpineTest, TheWayOfAModel) {
  if (!lab_is_there()) GTEST_SKIP() << "holdfast-lab is not built here: no LibTorch";
  register_dataset();
  require();
  const auto first = train(1);
  ASSERT_EQ(ask(Method::kPost, "/v1/endpoints", R"({"name":"credit","model":"credit"})").status, 201);

  // Nothing gets past the gates: not a version that was not measured, nor one that its maker approves.
  EXPECT_EQ(ask(Method::kPost, "/v1/endpoints/credit/release", json{{"version", first}}.dump()).status, 403);
  const std::string approve = fmt::format("/v1/models/credit/versions/{}/approve", first);
  EXPECT_EQ(ask(Method::kPost, approve, "{}").status, 403);
  const auto grace = approver();
  const auto unmeasured = ask(Method::kPost, approve, "{}", grace);
  EXPECT_EQ(unmeasured.status, 422) << unmeasured.json;
  EXPECT_EQ(unmeasured.json["requirements"][0]["outcome"], "missing");

  const auto measured = evaluate(first);
  EXPECT_EQ(measured["gate"]["looks_at_test_part"], 1);
  const auto approved = ask(Method::kPost, approve, "{}", grace);
  // The verdict follows from the intervals, whatever they are.
  EXPECT_EQ(approved.status == 200, measured["gate"]["passed"].get<bool>()) << approved.json;
  ASSERT_EQ(approved.status, 200) << approved.json;

  const auto released = ask(Method::kPost, "/v1/endpoints/credit/release", json{{"version", first}}.dump());
  ASSERT_EQ(released.status, 201) << released.json;
  EXPECT_EQ(released.json["serial"], 1);
  const auto changed = ask(Method::kPatch, "/v1/endpoints/credit", R"({"requests_per_second":100000})");
  ASSERT_EQ(changed.status, 200) << changed.json;
  EXPECT_EQ(changed.json["release"]["version"], first) << "what it serves is told with what was changed";

  const auto answered = ask(Method::kPost, "/v2/models/credit/infer", inference(0, 4, 1));
  ASSERT_EQ(answered.status, 200) << answered.json;
  EXPECT_EQ(answered.json["outputs"][0]["shape"], (json{4, 2}));
  EXPECT_EQ(ask(Method::kPost, "/v2/models/credit/infer", inference(0, 4, 1), {}, /*local=*/false).status,
            401);
  EXPECT_EQ(ask(Method::kPost, "/v2/models/credit/infer", inference(0, 4, 1), grace).status, 401);

  // Drift: nothing in the traffic that it was released for, one alert in what is shifted.
  ask(Method::kPost, "/v2/models/credit/infer", inference(100, 296, 1));
  deployment_->watch().settle();
  EXPECT_TRUE(ask(Method::kGet, "/v1/alerts").json["alerts"].empty());
  for (int i = 0; i < 2; ++i) ask(Method::kPost, "/v2/models/credit/infer", inference(500 * i, 300, 0.3));
  deployment_->watch().settle();
  const auto alerts = ask(Method::kGet, "/v1/alerts?state=open").json["alerts"];
  ASSERT_EQ(alerts.size(), 1U) << alerts;

  // A second version, and back.
  const auto second = train(2);
  evaluate(second);
  ASSERT_EQ(
      ask(Method::kPost, fmt::format("/v1/models/credit/versions/{}/approve", second), "{}", grace).status,
      200);
  EXPECT_EQ(
      ask(Method::kPost, "/v1/endpoints/credit/release", json{{"version", second}}.dump()).json["serial"], 2);
  const auto back = ask(Method::kPost, "/v1/endpoints/credit/rollback", "{}");
  EXPECT_EQ(back.json["serial"], 3) << back.json;
  EXPECT_EQ(back.json["version"], first);

  // Another choice for the guard, in force at once; the row far outside was flagged before.
  const auto far = R"({"inputs":[{"name":"input","datatype":"FP32","shape":[1,3],"data":[900000,1,1]}]})";
  EXPECT_EQ(ask(Method::kPost, "/v2/models/credit/infer", far).status, 200);
  const std::string endpoint = "/v1/endpoints/credit";
  const auto stricter =
      ask(Method::kPatch, endpoint, R"({"requests_per_second":50,"guard":{"learned_domain":"refuse"}})");
  EXPECT_EQ(stricter.status, 200) << stricter.json;
  EXPECT_EQ(ask(Method::kPost, "/v2/models/credit/infer", far).status, 422);
  EXPECT_EQ(
      ask(Method::kPatch, endpoint, R"({"guard":{"limits":{"nonsense":{"low":"0","high":"1"}}}})").status,
      400);
  const auto wider =
      ask(Method::kPatch, endpoint, R"({"guard":{"limits":{"income":{"low":"0","high":"1000000"}}}})");
  EXPECT_EQ(wider.status, 200) << wider.json;
  EXPECT_EQ(ask(Method::kPost, "/v2/models/credit/infer", far).status, 200);
  const auto shown = ask(Method::kGet, endpoint).json;
  EXPECT_EQ(shown["guard"], wider.json["guard"]);
  EXPECT_EQ(shown["requests_per_second"], 50);

  // Withdrawn, it serves nothing, and only then it can end; the same version can come back.
  EXPECT_EQ(ask(Method::kDelete, endpoint).status, 409);
  EXPECT_EQ(ask(Method::kPost, endpoint + "/withdraw", "{}").json["serial"], 4);
  EXPECT_EQ(ask(Method::kPost, "/v2/models/credit/infer", inference(0, 1, 1)).status, 404);
  EXPECT_FALSE(ask(Method::kGet, endpoint).json.contains("release"));
  EXPECT_EQ(ask(Method::kDelete, endpoint).status, 200);
  EXPECT_EQ(ask(Method::kGet, endpoint).status, 404);
  ASSERT_EQ(ask(Method::kPost, "/v1/endpoints", R"({"name":"credit","model":"credit"})").status, 201);
  EXPECT_EQ(ask(Method::kPost, endpoint + "/rollback", json{{"version", first}}.dump()).json["serial"], 5);

  // A restart serves what was in force.
  close();
  const auto reopened = open();
  ASSERT_TRUE(reopened) << reopened.error().message;
  EXPECT_EQ(ask(Method::kPost, "/v2/models/credit/infer", inference(0, 1, 1)).json["model_version"],
            fmt::format("{}", first));

  // A row that was changed behind the log's back is found at the next start.
  close();
  {
    const store::ModuleMigrations modules[] = {access::access_migrations(), registry::migrations(),
                                               release::migrations(), alerts::alerts_migrations()};
    const auto database = store::Database::open({.path = state() / "holdfast.db"}, modules).value();
    auto change = database->begin().value();
    ASSERT_TRUE(
        change.execute(store::Sql("UPDATE releases SET model_version = $1 WHERE serial = 3"), second));
    ASSERT_TRUE(change.commit());
  }
  const auto tampered = open();
  ASSERT_FALSE(tampered);
  EXPECT_THAT(tampered.error().message, HasSubstr("the row releases/default/credit/3 is not as record"));
}

}  // namespace
}  // namespace holdfast::server

int main(int argc, char** argv) { return holdfast::intake::run_tests_or_worker(argc, argv); }
