#include "access/vocabulary.h"

#include <gmock/gmock-matchers.h>

#include "access/testing.h"
#include "policy/validator.h"

namespace holdfast::access {
namespace {

TEST(Vocabulary, TheSchemaAndTheTableOfActionsAgree) {
  std::set<std::string> groups;
  for (std::size_t i = 0; i < kActions.size(); ++i) {
    const ActionInfo& known = kActions[i];
    EXPECT_EQ(static_cast<std::size_t>(known.action), i);
    EXPECT_EQ(action_named(known.name), known.action);
    const auto* type = schema().find_action(action_entity(known.action));
    ASSERT_NE(type, nullptr) << known.name;
    EXPECT_FALSE(type->principals.empty()) << known.name;
    std::set<policy::EntityUid> parents;
    if (!known.group.empty()) {
      parents.emplace("Action", std::string(known.group));
      groups.emplace(known.group);
    }
    EXPECT_EQ(type->parents, parents) << known.name;
  }
  EXPECT_EQ(schema().actions().size(), kActions.size() + groups.size());
  EXPECT_FALSE(action_named("fly"));
}

TEST(Vocabulary, TheDefaultPoliciesAreValidAndEachSaysItsId) {
  const auto set = builtin_policies(kHome);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->templates().size(), 5U);
  EXPECT_EQ(set->policies().size(), 8U);
  for (const auto& policy : set->policies()) {
    EXPECT_FALSE(policy.id.starts_with("policy")) << policy.text();
    if (policy.effect == policy::Effect::kForbid) {
      EXPECT_TRUE(policy.annotation("remedy")) << policy.id;
    }
  }
  EXPECT_TRUE(policy::validate_policies(*set, schema()).warnings.empty());
}

TEST(Vocabulary, EveryResourceTypeIsInTheSchema) {
  for (const ResourceType type :
       {ResourceType::kWorkspace, ResourceType::kPrincipal, ResourceType::kDataset, ResourceType::kModel,
        ResourceType::kVersion, ResourceType::kEndpoint, ResourceType::kRun, ResourceType::kPolicy}) {
    EXPECT_NE(schema().find_entity_type(to_string(type)), nullptr) << to_string(type);
  }
  EXPECT_EQ(endpoint("a\"b").text(), R"(Endpoint::"default/a\"b")");
  EXPECT_EQ((Resource{.workspace = kHome}.text()), R"(Workspace::"default")");
}

}  // namespace
}  // namespace holdfast::access
