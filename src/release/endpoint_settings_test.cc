#include "release/endpoint_settings.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

namespace holdfast::release {
namespace {

using base::ErrorCode;
using nlohmann::json;

base::Result<> change(EndpointSettings& settings, const char* text) {
  return settings.change_guard(json::parse(text));
}

TEST(EndpointSettings, ComeBackAsTheyWereWritten) {
  EndpointSettings settings;
  ASSERT_TRUE(change(settings, R"({"learned_domain":"off","limits":{"debt":{"low":"0","high":"5000.5"}}})"));
  EndpointSettings again;
  ASSERT_TRUE(again.change_guard(settings.guard_json()));
  EXPECT_EQ(again, settings);
  EXPECT_EQ(again.limits.at("debt"), (data::Range{0, 5000.5}));
}

TEST(EndpointSettings, ChangeWhatIsNamedAlone) {
  EndpointSettings settings;
  ASSERT_TRUE(change(settings, R"({"limits":{"a":{"low":"0","high":"1"},"b":{"low":"0","high":"1"}}})"));
  EXPECT_EQ(settings.learned_domain, LearnedDomain::kFlag);
  ASSERT_TRUE(change(settings, R"({"learned_domain":"refuse","limits":{"a":null}})"));
  EXPECT_EQ(settings.limits.size(), 1U);
  EXPECT_EQ(settings.learned_domain, LearnedDomain::kRefuse);
}

TEST(EndpointSettings, SayWhatIsWrong) {
  for (const auto* text :
       {R"({"learned_domain":"sometimes"})", R"({"limits":{"a":{"low":"2","high":"1"}}})",
        R"({"limits":{"a":{"low":"x","high":"1"}}})", R"({"limits":{"a":{"low":"0"}}})",
        R"({"limits":{"":{"low":"0","high":"1"}}})", R"({"limits":[]})", R"({"margin":"1"})", "[]"}) {
    EndpointSettings settings;
    const auto refused = change(settings, text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << text;
  }
  EndpointSettings settings;
  for (std::size_t i = 0; i <= EndpointSettings::kMaxLimits; ++i) {
    settings.limits[std::to_string(i)] = {0, 1};
  }
  EXPECT_EQ(settings.check().error().code, ErrorCode::kLimitExceeded);
  settings = {.requests_per_second = 0};
  EXPECT_FALSE(settings.check().has_value());
}

}  // namespace
}  // namespace holdfast::release
