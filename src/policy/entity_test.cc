#include "policy/entity.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::policy {
namespace {

EntityUid uid(const std::string& id) { return {"N", id}; }

Entity entity(const std::string& id, const std::vector<std::string>& parents) {
  Entity made{.uid = uid(id)};
  for (const std::string& parent : parents) made.parents.push_back(uid(parent));
  return made;
}

TEST(Entities, KnowAncestorsAtEveryDistance) {
  const auto store = Entities::make({entity("a", {"b", "c"}), entity("b", {"d"}), entity("c", {"d", "far"}),
                                     entity("d", {}), entity("e", {"a", "a"})});
  ASSERT_TRUE(store.has_value());
  EXPECT_TRUE(store->is_in(uid("e"), uid("a")));
  EXPECT_TRUE(store->is_in(uid("e"), uid("d")));
  EXPECT_TRUE(store->is_in(uid("e"), uid("far")));
  EXPECT_FALSE(store->is_in(uid("d"), uid("a")));
  EXPECT_FALSE(store->is_in(uid("b"), uid("c")));
  EXPECT_EQ(store->ancestors(uid("e")).size(), 5U);
  EXPECT_EQ(store->size(), 5U);
}

TEST(Entities, AreInThemselvesEvenWhenUnknown) {
  const Entities none;
  EXPECT_TRUE(none.is_in(uid("x"), uid("x")));
  EXPECT_FALSE(none.is_in(uid("x"), uid("y")));
  EXPECT_EQ(none.find(uid("x")), nullptr);
  EXPECT_TRUE(none.ancestors(uid("x")).empty());
}

TEST(Entities, RefuseACycleAndACopy) {
  const auto message = [](std::vector<Entity> entities) {
    const auto store = Entities::make(std::move(entities));
    return store ? std::string("none") : store.error().message;
  };
  EXPECT_EQ(message({entity("a", {"a"})}), "the entity N::\"a\" is its own ancestor, or below one that is");
  EXPECT_EQ(message({entity("x", {"b"}), entity("b", {"c"}), entity("c", {"b"})}),
            "the entity N::\"b\" is its own ancestor, or below one that is");
  EXPECT_EQ(message({entity("a", {}), entity("a", {})}), "the entity N::\"a\" is there twice");
}

TEST(Entities, TakeAChainOfAnyLengthWithinTheirBound) {
  std::vector<Entity> chain;
  for (int i = 0; i < 500; ++i) chain.push_back(entity(std::to_string(i), {std::to_string(i + 1)}));
  const auto store = Entities::make(chain);
  ASSERT_TRUE(store.has_value());
  EXPECT_TRUE(store->is_in(uid("0"), uid("500")));
  constexpr std::size_t kLinks = 500 * 501 / 2;
  EXPECT_TRUE(Entities::make(chain, {.max_ancestor_links = kLinks}).has_value());
  EXPECT_EQ(Entities::make(chain, {.max_ancestor_links = kLinks - 1}).error().code,
            base::ErrorCode::kLimitExceeded);
  EXPECT_EQ(Entities::make(chain, {.max_entities = 499}).error().message,
            "500 entities are over the limit of 499");
}

TEST(Entities, AreListedInOrder) {
  const auto store = Entities::make({entity("b", {}), entity("a", {})});
  ASSERT_TRUE(store.has_value());
  EXPECT_EQ(store->all()[0]->uid, uid("a"));
  EXPECT_EQ(store->all()[1]->uid, uid("b"));
}

}  // namespace
}  // namespace holdfast::policy
