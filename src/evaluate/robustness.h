#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/digest.h"
#include "evaluate/figure.h"

namespace holdfast::evaluate {

// What an attack made of the same rows. The caller ran it; borrowed from the caller.
struct Attacked {
  std::string name;          // "pgd": the scope's `under`
  std::string description;   // "PGD, 40 steps, step 0.01, L-infinity 0.1 in units of the column's deviation"
  base::Digest constraints;  // of the document that says which columns may move, how far and at what cost
  std::span<const std::uint8_t> predicted;  // the answers to the attacked rows, 0 or 1
};

// For each attack, and for all together ("all", where there are more than one):
//   robust_accuracy           share of rows that are answered rightly both as they are and under attack
//   robust_balanced_accuracy  mean over the two classes of that share
//   attack_success_rate       share of the rightly answered rows that the attack turns
// An attacker may also leave a row as it is: a row that is answered wrongly already counts as lost, and under
// "all" one that any attack turns. The method names the attack and the digest of its constraints. A figure
// says how well these attacks do, which is an upper bound on the model's robustness: a stronger attack may
// exist.
//
// kInvalidArgument: the lengths differ, there are no rows, a value is neither 0 nor 1, no attack, or a name
// twice, empty or "all".
base::Result<std::vector<Figure>> measure_robustness(std::span<const std::uint8_t> labels,
                                                     std::span<const std::uint8_t> predicted,
                                                     std::span<const Attacked> attacks,
                                                     stats::Confidence confidence = stats::kConfidence95);

// The answers that count under these attacks: right only where robust_accuracy counts the row. What
// compare_answers() takes to compare the robustness of two models.
std::vector<std::uint8_t> answers_under_attack(std::span<const std::uint8_t> labels,
                                               std::span<const std::uint8_t> predicted,
                                               std::span<const Attacked> attacks);

}  // namespace holdfast::evaluate
