#include "inspect/tree_structure.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace holdfast::inspect {
namespace {

using nlohmann::json;

std::string golden(const std::string& name) {
  const auto bytes = base::read_file(HOLDFAST_TESTDATA "/models/" + name, 1UL << 20).value();
  return std::string(base::as_text(bytes));
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  text.replace(text.find(what), what.size(), by);
  return text;
}

TEST(TreeStructure, OfWhatTheLibrariesWriteIsWhole) {
  EXPECT_TRUE(is_xgboost_json(golden("xgboost.json")));
  EXPECT_TRUE(check_xgboost_json(golden("xgboost.json")));
  EXPECT_TRUE(check_xgboost_ubjson(base::as_bytes(golden("xgboost.ubj"))));
  EXPECT_TRUE(is_lightgbm_text(golden("lightgbm.txt")));
  EXPECT_TRUE(check_lightgbm_text(golden("lightgbm.txt")));
}

TEST(TreeStructure, OfXgboostIsHeldToItsNodes) {
  const auto broken = [](const char* name, const json& value) {
    json document = json::parse(golden("xgboost.json"));
    document["learner"]["gradient_booster"]["model"]["trees"][0][name] = value;
    const auto as_text = check_xgboost_json(document.dump());
    const auto bytes = json::to_ubjson(document, true, true);
    const auto as_ubjson = check_xgboost_ubjson(bytes);
    EXPECT_EQ(as_text.has_value(), as_ubjson.has_value());
    return as_text ? std::string() : as_text.error().message;
  };
  EXPECT_EQ(broken("left_children", {1, -1}), "tree 0 has arrays that are not of its 3 nodes");
  EXPECT_EQ(broken("left_children", {7, -1, -1}), "tree 0 has a child 7 of node 0, beyond its 3 nodes");
  EXPECT_EQ(broken("left_children", {-5, -1, -1}), "tree 0 has a child -5 of node 0, beyond its 3 nodes");
  EXPECT_EQ(broken("left_children", {0, -1, -1}), "tree 0 has a node 0 that is reached twice");
  EXPECT_EQ(broken("left_children", {2, -1, -1}), "tree 0 has a node 2 that is reached twice");
  EXPECT_EQ(broken("left_children", {-1, -1, -1}), "tree 0 has a node 0 of one child");
  EXPECT_EQ(broken("split_indices", {2, 0, 0}), "tree 0 has a node 0 that asks for feature 2 of 2");
  EXPECT_EQ(broken("split_indices", {"a", 0, 0}), "tree 0 has arrays that are not of its 3 nodes");
  EXPECT_EQ(broken("split_conditions", {nullptr, 0.5, 0.5}),
            "tree 0 has a node 0 whose threshold is no number");
  EXPECT_EQ(broken("tree_param", {{"num_nodes", "-3"}}), "tree 0 has no number of nodes");
}

TEST(TreeStructure, OfXgboostIsNotAskedOfOthers) {
  EXPECT_TRUE(check_xgboost_json("{"));
  EXPECT_FALSE(check_xgboost_json(R"({"learner": 3})"));
  EXPECT_FALSE(check_xgboost_ubjson({}));
  EXPECT_TRUE(check_xgboost_json(R"({"learner": {"gradient_booster": {"model": {"weights": [1]}}}})"));
}

TEST(TreeStructure, OfLightgbmIsHeldToItsNodes) {
  const auto broken = [](const std::string& what, const std::string& by) {
    const auto checked = check_lightgbm_text(replaced(golden("lightgbm.txt"), what, by));
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(broken("left_child=-1", "left_child=0"), "tree 0 has a node that is reached twice");
  EXPECT_EQ(broken("left_child=-1", "left_child=-3"), "tree 0 has a child of node 0 that is no node of it");
  EXPECT_EQ(broken("left_child=-1", "left_child=1"), "tree 0 has a child of node 0 that is no node of it");
  EXPECT_EQ(broken("right_child=-2", "right_child=-1"), "tree 0 has a node that is reached twice");
  EXPECT_EQ(broken("split_feature=1", "split_feature=9"),
            "tree 0 has a node 0 that asks for a feature beyond 1");
  EXPECT_EQ(broken("threshold=18.0", "threshold=nan\nx=18.0"),
            "tree 0 has a node 0 whose threshold is no number");
  EXPECT_EQ(broken("num_leaves=2", "num_leaves=3"), "tree 0 has 2 values for its 3 leaves");
  EXPECT_EQ(broken("num_leaves=2", "num_leaves=99999999999"), "tree 0 has no number of leaves");
  EXPECT_EQ(broken("end of trees", "the end"), "the LightGBM model ends before its trees do");
}

TEST(TreeStructure, IsReadFromWhatIsCutAnywhere) {
  const std::string text = golden("lightgbm.txt");
  for (std::size_t size = 0; size < text.find("end of trees"); ++size)
    EXPECT_FALSE(check_lightgbm_text(text.substr(0, size))) << size;
  const std::string ubjson = golden("xgboost.ubj");
  for (std::size_t size = 0; size < ubjson.size(); ++size)
    EXPECT_FALSE(check_xgboost_ubjson(base::as_bytes(ubjson).first(size))) << size;
}

}  // namespace
}  // namespace holdfast::inspect
