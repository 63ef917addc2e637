#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"

namespace holdfast::supply {

// What is known of a model beside its bytes: CycloneDX's modelCard (1.6, "modelCard"). No file can be
// believed on any of it: it comes from evidence, or from the person who asks. A plain value.
struct ModelCard {
  struct Dataset {
    std::string name;
    std::optional<base::Digest> digest;
    std::string used_for;  // "training", "evaluation"; empty where it is not told
  };
  struct BaseModel {
    std::string name;
    std::optional<base::Digest> digest;
  };
  // A figure, with the interval that holds it. Numbers as text, so that no reader rounds them.
  struct Metric {
    std::string type;   // "accuracy"
    std::string slice;  // "sex = female"; empty: of all rows
    std::string value;
    std::string low;  // empty: not known
    std::string high;
    std::string method;  // of the interval, with its confidence and rows
  };
  struct Fairness {
    std::string group_at_risk;
    std::string harms;
    std::string mitigation;
  };
  struct Risk {
    std::string name;
    std::string mitigation;
  };

  std::string task;
  std::string architecture_family;
  std::string architecture;
  std::vector<Dataset> datasets;
  std::vector<BaseModel> base_models;
  std::vector<Metric> metrics;
  std::vector<std::string> use_cases;
  std::vector<std::string> limitations;
  std::vector<Fairness> fairness;
  std::vector<Risk> risks;
};

}  // namespace holdfast::supply
