#pragma once

#include <span>
#include <string>
#include <string_view>

#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

// Models of trees, which hold numbers only: what in their files could still be none of the model's.

namespace holdfast::inspect {

// XGBoost's UBJSON and CatBoost's cbm (libs/model/model.cpp: "CBM1", the size of a FlatBuffer, and that).
// Pure.
Gaps inspect_xgboost_ubjson(const formats::Source& file, const std::string& path, Findings& findings);
Gaps inspect_catboost(const formats::Source& file, const std::string& path, Findings& findings);

// XGBoost's JSON and LightGBM's text, by their beginning. Nothing where it is none of them.
Gaps inspect_tree_text(std::string_view beginning, const formats::Source& file, const std::string& path,
                       Findings& findings);

// PMML (dmg.org), by the beginning of the text: entities and document types, by which a parser of XML is made
// to open files. Nothing where it is no PMML.
void inspect_pmml(std::string_view beginning, const std::string& path, Findings& findings);

std::span<const Rule> tree_model_rules();

}  // namespace holdfast::inspect
