#pragma once

#include <span>
#include <string>
#include <string_view>

#include "inspect/finding.h"
#include "inspect/gaps.h"

// Configuration by which a loader of models chooses what code to run: Hugging Face (config.json,
// tokenizer_config.json, adapter_config.json), Hydra and NeMo (_target_), skops (schema.json), MLflow
// (MLmodel), YAML tags. JSON without any of their keys gives nothing.

namespace holdfast::inspect {

Gaps inspect_json_config(std::string_view json, const std::string& path, Findings& findings);

// YAML, read for the keys and tags that name code (yaml_values.h), and for functions that do harm.
void inspect_yaml_config(std::string_view yaml, const std::string& path, Findings& findings);

// A chat template that is a file by itself.
void inspect_chat_template(std::string_view text, const std::string& path, Findings& findings);

std::span<const Rule> model_config_rules();

}  // namespace holdfast::inspect
