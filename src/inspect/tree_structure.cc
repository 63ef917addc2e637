#include "inspect/tree_structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::inspect {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

constexpr std::int64_t kMaxTreeNodes = 1 << 26;

tl::unexpected<base::Error> corrupt(std::size_t tree, std::string_view what) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("tree {} has {}", tree, what));
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// XGBoost writes its parameters as text.
std::optional<std::int64_t> number_of(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) return std::nullopt;
  const json& value = object.at(name);
  if (value.is_string()) return whole(value.get_ref<const std::string&>());
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return std::nullopt;
}

const json* member(const json& object, const char* name) {
  return object.is_object() && object.contains(name) ? &object.at(name) : nullptr;
}

// Of one length, of integers; null for anything else.
const json* integers(const json& tree, const char* name, std::size_t count) {
  const json* array = member(tree, name);
  if (array == nullptr || !array->is_array() || array->size() != count) return nullptr;
  const bool all =
      std::all_of(array->begin(), array->end(), [](const json& item) { return item.is_number_integer(); });
  return all ? array : nullptr;
}

// A walk from the root that meets no node twice ends.
Result<> follow(std::size_t index, const json& left, const json& right) {
  const auto count = static_cast<std::int64_t>(left.size());
  std::vector<bool> met(left.size());
  std::vector<std::int64_t> waiting{0};
  met[0] = true;
  while (!waiting.empty()) {
    const auto node = static_cast<std::size_t>(waiting.back());
    waiting.pop_back();
    const auto first = left[node].get<std::int64_t>();
    const auto second = right[node].get<std::int64_t>();
    if ((first == -1) != (second == -1)) return corrupt(index, fmt::format("a node {} of one child", node));
    if (first == -1) continue;
    for (const std::int64_t child : {first, second}) {
      if (child < 0 || child >= count)
        return corrupt(index, fmt::format("a child {} of node {}, beyond its {} nodes", child, node, count));
      if (met[static_cast<std::size_t>(child)])
        return corrupt(index, fmt::format("a node {} that is reached twice", child));
      met[static_cast<std::size_t>(child)] = true;
      waiting.push_back(child);
    }
  }
  return {};
}

Result<> check_tree(std::size_t index, const json& tree, std::int64_t features) {
  const json* parameters = member(tree, "tree_param");
  const auto nodes = parameters == nullptr ? std::nullopt : number_of(*parameters, "num_nodes");
  if (!nodes || *nodes < 1 || *nodes > kMaxTreeNodes) return corrupt(index, "no number of nodes");
  const auto count = static_cast<std::size_t>(*nodes);
  const json* left = integers(tree, "left_children", count);
  const json* right = integers(tree, "right_children", count);
  const json* features_of = integers(tree, "split_indices", count);
  const json* conditions = member(tree, "split_conditions");
  if (left == nullptr || right == nullptr || features_of == nullptr || conditions == nullptr ||
      !conditions->is_array() || conditions->size() != count) {
    return corrupt(index, fmt::format("arrays that are not of its {} nodes", count));
  }
  HF_CHECK(follow(index, *left, *right));
  for (std::size_t node = 0; node < count; ++node) {
    const json& condition = (*conditions)[node];
    if (!condition.is_number() || !std::isfinite(condition.get<double>()))
      return corrupt(index, fmt::format("a node {} whose threshold is no number", node));
    const auto feature = (*features_of)[node].get<std::int64_t>();
    const bool leaf = (*left)[node].get<std::int64_t>() == -1;
    if (!leaf && (feature < 0 || feature >= features))
      return corrupt(index, fmt::format("a node {} that asks for feature {} of {}", node, feature, features));
  }
  return {};
}

Result<> check_xgboost(const json& document) {
  const json* learner = member(document, "learner");
  const json* booster = learner == nullptr ? nullptr : member(*learner, "gradient_booster");
  if (booster == nullptr) return fail(ErrorCode::kDataCorrupt, "the XGBoost model has no booster");
  if (const json* within = member(*booster, "gbtree")) booster = within;  // of DART
  const json* model = member(*booster, "model");
  const json* trees = model == nullptr ? nullptr : member(*model, "trees");
  if (trees == nullptr) return {};  // of the linear booster
  const json* parameters = member(*learner, "learner_model_param");
  const auto features = parameters == nullptr ? std::nullopt : number_of(*parameters, "num_feature");
  if (!features || *features < 0)
    return fail(ErrorCode::kDataCorrupt, "the XGBoost model doesn't say how many features it takes");
  if (!trees->is_array()) return fail(ErrorCode::kDataCorrupt, "the XGBoost model's trees are no list");
  for (std::size_t i = 0; i < trees->size(); ++i) HF_CHECK(check_tree(i, (*trees)[i], *features));
  return {};
}

// The lines "key=value" of one tree of LightGBM.
using Fields = std::map<std::string_view, std::string_view>;

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return out;
}

std::string_view field(const Fields& fields, std::string_view key) {
  const auto found = fields.find(key);
  return found == fields.end() ? std::string_view() : found->second;
}

bool is_finite(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !std::isnan(value);
}

// A child that is not negative is an inner node; else its complement is a leaf.
Result<> follow_leaves(std::size_t index, const std::vector<std::string_view>& left,
                       const std::vector<std::string_view>& right, std::int64_t leaves) {
  std::vector<bool> met(left.size());
  std::vector<bool> met_leaf(static_cast<std::size_t>(leaves));
  std::vector<std::size_t> waiting{0};
  met[0] = true;
  while (!waiting.empty()) {
    const std::size_t node = waiting.back();
    waiting.pop_back();
    for (const std::string_view text : {left[node], right[node]}) {
      const auto child = whole(text);
      if (!child || *child >= leaves - 1 || *child < -leaves)
        return corrupt(index, fmt::format("a child of node {} that is no node of it", node));
      auto& seen = *child >= 0 ? met : met_leaf;
      const auto at = static_cast<std::size_t>(*child >= 0 ? *child : -*child - 1);
      if (seen[at]) return corrupt(index, "a node that is reached twice");
      seen[at] = true;
      if (*child >= 0) waiting.push_back(at);
    }
  }
  return {};
}

Result<> check_lightgbm_tree(std::size_t index, const Fields& fields, std::int64_t last_feature) {
  const auto leaves = whole(field(fields, "num_leaves"));
  if (!leaves || *leaves < 1 || *leaves > kMaxTreeNodes) return corrupt(index, "no number of leaves");
  const auto values = words(field(fields, "leaf_value"));
  if (values.size() != static_cast<std::size_t>(*leaves))
    return corrupt(index, fmt::format("{} values for its {} leaves", values.size(), *leaves));
  if (*leaves == 1) return {};
  const auto nodes = static_cast<std::size_t>(*leaves - 1);
  const auto left = words(field(fields, "left_child"));
  const auto right = words(field(fields, "right_child"));
  const auto features = words(field(fields, "split_feature"));
  const auto thresholds = words(field(fields, "threshold"));
  if (left.size() != nodes || right.size() != nodes || features.size() != nodes || thresholds.size() != nodes)
    return corrupt(index, fmt::format("arrays that are not of its {} nodes", nodes));
  for (std::size_t node = 0; node < nodes; ++node) {
    const auto feature = whole(features[node]);
    if (!feature || *feature < 0 || *feature > last_feature) {
      return corrupt(index, fmt::format("a node {} that asks for a feature beyond {}", node, last_feature));
    }
    if (!is_finite(thresholds[node]))
      return corrupt(index, fmt::format("a node {} whose threshold is no number", node));
  }
  return follow_leaves(index, left, right, *leaves);
}

}  // namespace

bool is_xgboost_json(std::string_view beginning) {
  return beginning.starts_with('{') && beginning.find("\"learner\"") != std::string_view::npos &&
         beginning.find("\"gradient_booster\"") != std::string_view::npos;
}

Result<> check_xgboost_json(std::string_view text) {
  const auto document = base::parse_json(text);
  if (!document) return {};
  return check_xgboost(*document);
}

Result<> check_xgboost_ubjson(base::ByteView ubjson) {
  const json document = json::from_ubjson(ubjson.begin(), ubjson.end(), false, false);
  if (document.is_discarded())
    return fail(ErrorCode::kDataCorrupt, "it is UBJSON of a kind that XGBoost doesn't write");
  return check_xgboost(document);
}

bool is_lightgbm_text(std::string_view beginning) {
  return beginning.starts_with("tree\n") && beginning.find("\nmax_feature_idx=") != std::string_view::npos;
}

Result<> check_lightgbm_text(std::string_view text) {
  std::optional<std::int64_t> last_feature;
  std::optional<std::size_t> tree;
  Fields fields;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool ends = line == "end of trees";
    if (ends || line.starts_with("Tree=")) {
      if (tree) HF_CHECK(check_lightgbm_tree(*tree, fields, last_feature.value_or(-1)));
      if (ends) return {};
      tree = tree ? *tree + 1 : 0;
      fields.clear();
      continue;
    }
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos) continue;
    if (!tree && line.starts_with("max_feature_idx=")) last_feature = whole(line.substr(sign + 1));
    if (tree) fields[line.substr(0, sign)] = line.substr(sign + 1);
  }
  return fail(ErrorCode::kDataCorrupt, "the LightGBM model ends before its trees do");
}

}  // namespace holdfast::inspect
