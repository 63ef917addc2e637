#pragma once

#include "evaluate/evaluation.h"
#include "registry/statement.h"
#include "supply/model_card.h"

// What evidence tells of a model, as the card of its entry in a bill of materials. Pure.

namespace holdfast::registry {

// Figures with their slices and intervals; comparisons of groups as fairness assessments; figures under
// attack as risks; the rows as a dataset; and which groups were too small to be told.
void add_evaluation(const evaluate::Evaluation& evaluation, supply::ModelCard& to);

// A verified statement: an evaluation, or the provenance of a model that was trained here, whose materials
// become datasets. False for another kind, which adds nothing. kDataCorrupt for a predicate of these kinds
// that can't be read.
base::Result<bool> add_statement(const Statement& statement, supply::ModelCard& to);

}  // namespace holdfast::registry
