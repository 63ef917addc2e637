#pragma once

#include <string>

#include "evaluate/evaluation.h"

// Figures of an evaluation, for people: each with its interval, and differences told as gains and costs.

namespace holdfast::cli {

// The figures of the model itself, without those of single groups: a table.
std::string main_figures(const evaluate::Evaluation& evaluation);

// The differences over each other model. Only a difference whose whole interval is on one side is called a
// gain or a cost. Empty where nothing was compared.
std::string comparisons(const evaluate::Evaluation& evaluation);

}  // namespace holdfast::cli
