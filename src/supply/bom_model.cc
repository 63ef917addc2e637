#include "supply/bom_model.h"

#include <fmt/format.h>

#include <set>

#include <nlohmann/json.hpp>

namespace holdfast::supply {
namespace {

using Json = nlohmann::ordered_json;

Json property(std::string_view name, std::string_view value) { return {{"name", name}, {"value", value}}; }

Json hash_of(const base::Digest& digest) {
  return Json::array({{{"alg", "SHA-256"}, {"content", digest.hex()}}});
}

std::string model_ref(const ModelFile& model) { return "model:" + model.digest.prefixed(); }
std::string dataset_ref(const base::Digest& digest) { return "dataset:" + digest.prefixed(); }

void put(Json& to, const char* name, const std::string& text) {
  if (!text.empty()) to[name] = text;
}

void put(Json& to, const char* name, Json list) {
  if (!list.empty()) to[name] = std::move(list);
}

Json values_json(const std::vector<ModelDescription::Value>& values) {
  Json all = Json::array();
  for (const auto& value : values) all.push_back({{"format", fmt::format("{}: {}", value.name, value.type)}});
  return all;
}

Json datasets_json(const ModelCard& card) {
  Json all = Json::array();
  for (const auto& dataset : card.datasets) {
    all.push_back(dataset.digest ? Json{{"ref", dataset_ref(*dataset.digest)}}
                                 : Json{{"type", "dataset"}, {"name", dataset.name}});
  }
  return all;
}

Json parameters_json(const ModelFile& model) {
  Json parameters = Json::object();
  put(parameters, "task", model.card.task);
  put(parameters, "architectureFamily", model.card.architecture_family);
  put(parameters, "modelArchitecture", model.card.architecture);
  put(parameters, "datasets", datasets_json(model.card));
  put(parameters, "inputs", values_json(model.says.inputs));
  put(parameters, "outputs", values_json(model.says.outputs));
  return parameters;
}

Json metrics_json(const ModelCard& card) {
  Json all = Json::array();
  for (const auto& metric : card.metrics) {
    Json one{{"type", metric.type}};
    put(one, "value", metric.value);
    put(one, "slice", metric.slice);
    Json interval = Json::object();
    put(interval, "lowerBound", metric.low);
    put(interval, "upperBound", metric.high);
    if (!interval.empty()) one["confidenceInterval"] = std::move(interval);
    all.push_back(std::move(one));
  }
  return all;
}

Json considerations_json(const ModelCard& card) {
  Json considerations = Json::object();
  put(considerations, "useCases", Json(card.use_cases));
  put(considerations, "technicalLimitations", Json(card.limitations));
  Json risks = Json::array();
  for (const auto& risk : card.risks) {
    Json one{{"name", risk.name}};
    put(one, "mitigationStrategy", risk.mitigation);
    risks.push_back(std::move(one));
  }
  put(considerations, "ethicalConsiderations", std::move(risks));
  Json fairness = Json::array();
  for (const auto& assessment : card.fairness) {
    Json one{{"groupAtRisk", assessment.group_at_risk}};
    put(one, "harms", assessment.harms);
    put(one, "mitigationStrategy", assessment.mitigation);
    fairness.push_back(std::move(one));
  }
  put(considerations, "fairnessAssessments", std::move(fairness));
  return considerations;
}

// What the schema has no place for. A method is the same for many figures and told once for each kind.
Json properties_json(const ModelFile& model) {
  Json properties = Json::array();
  const auto& says = model.says;
  if (!says.format.empty()) properties.push_back(property("holdfast:format", says.format));
  properties.push_back(property("holdfast:size-bytes", std::to_string(model.size_bytes)));
  if (!says.producer.empty()) properties.push_back(property("holdfast:producer", says.producer));
  if (says.tensors_in_all > 0) {
    properties.push_back(property("holdfast:tensors", std::to_string(says.tensors_in_all)));
    properties.push_back(property("holdfast:parameters", std::to_string(says.parameters)));
  }
  for (const auto& tensor : says.tensors) {
    properties.push_back(property("holdfast:tensor:" + tensor.name, tensor.type));
  }
  std::set<std::pair<std::string_view, std::string_view>> methods;
  for (const auto& metric : model.card.metrics) {
    if (metric.method.empty() || !methods.emplace(metric.type, metric.method).second) continue;
    properties.push_back(property("holdfast:method:" + metric.type, metric.method));
  }
  return properties;
}

Json pedigree_json(const ModelCard& card) {
  Json ancestors = Json::array();
  for (const auto& base : card.base_models) {
    Json one{{"type", "machine-learning-model"}, {"name", base.name}};
    if (base.digest) one["hashes"] = hash_of(*base.digest);
    ancestors.push_back(std::move(one));
  }
  return ancestors;
}

Json model_json(const ModelFile& model) {
  Json component{{"type", "machine-learning-model"}, {"bom-ref", model_ref(model)}, {"name", model.name}};
  put(component, "version", model.version);
  component["hashes"] = hash_of(model.digest);
  if (auto ancestors = pedigree_json(model.card); !ancestors.empty()) {
    component["pedigree"]["ancestors"] = std::move(ancestors);
  }
  Json card{{"modelParameters", parameters_json(model)}};
  if (auto metrics = metrics_json(model.card); !metrics.empty()) {
    card["quantitativeAnalysis"]["performanceMetrics"] = std::move(metrics);
  }
  put(card, "considerations", considerations_json(model.card));
  card["properties"] = properties_json(model);
  component["modelCard"] = std::move(card);
  return component;
}

Json dataset_json(const ModelCard::Dataset& dataset) {
  Json component{{"type", "data"},
                 {"bom-ref", dataset_ref(*dataset.digest)},
                 {"name", dataset.name},
                 {"hashes", hash_of(*dataset.digest)},
                 {"data", Json::array({{{"type", "dataset"}, {"name", dataset.name}}})}};
  if (!dataset.used_for.empty()) {
    component["properties"] = Json::array({property("holdfast:used-for", dataset.used_for)});
  }
  return component;
}

}  // namespace

Json model_components(const std::vector<ModelFile>& models) {
  Json components = Json::array();
  std::set<std::string> known;
  for (const auto& model : models) {
    if (!known.insert(model_ref(model)).second) continue;
    components.push_back(model_json(model));
    for (const auto& dataset : model.card.datasets) {
      if (dataset.digest && known.insert(dataset_ref(*dataset.digest)).second) {
        components.push_back(dataset_json(dataset));
      }
    }
  }
  return components;
}

}  // namespace holdfast::supply
