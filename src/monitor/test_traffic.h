#pragma once

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "monitor/window.h"
#include "stats/philox.h"

// For tests: rows of a made-up lender, their scores and their labels.

namespace holdfast::monitor {

// How a population differs from the one that the model was trained on.
struct Shift {
  double amount = 1;       // factor
  double score = 0;        // on the logit
  double missing = 0;      // share of ages
  bool new_grade = false;  // a category that training never saw
};

struct TrafficRow {
  double amount;
  double age;  // NaN where missing
  std::string_view grade;
  double score;
  std::uint8_t label;
};

class Traffic {
 public:
  explicit Traffic(std::uint64_t seed, Shift shift = {}) : random_(seed, 0), shift_(shift) {}

  TrafficRow next() {
    constexpr std::array<std::string_view, 4> kGrades{"A", "B", "C", "D"};
    const double u = random_.uniform();
    const std::size_t grade = u < .5 ? 0 : u < .8 ? 1 : u < .997 ? 2 : 3;
    const double logit = 1.2 * random_.normal() + shift_.score;
    const double score = 1 / (1 + std::exp(-logit));
    const double chance = 1 / (1 + std::exp(-1.5 * logit));  // the model is not sure enough
    const bool missing = random_.uniform() < shift_.missing;
    return {.amount = shift_.amount * std::exp(3 + random_.normal()),
            .age = missing ? std::nan("") : std::floor(18 + 60 * random_.uniform()),
            .grade = shift_.new_grade && grade == 1 ? "E" : kGrades[grade],
            .score = score,
            .label = static_cast<std::uint8_t>(random_.uniform() < chance ? 1 : 0)};
  }

 private:
  stats::PhiloxStream random_;
  Shift shift_;
};

inline std::shared_ptr<const Reference> reference_of(std::uint64_t seed, int rows = 4000,
                                                     bool with_labels = true) {
  auto profile = data::Profile::create({"amount", "age", "grade", "note"}).value();
  Traffic traffic(seed);
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < rows; ++i) {
    const TrafficRow row = traffic.next();
    const std::string amount = fmt::format("{}", row.amount);
    const std::string age = fmt::format("{}", row.age);
    const std::string note = fmt::format("note {}", i);
    profile.add(std::array<std::string_view, 4>{amount, age, row.grade, note});
    scores.push_back(row.score);
    labels.push_back(row.label);
  }
  if (!with_labels) labels.clear();
  return std::make_shared<const Reference>(
      Reference::freeze(profile, {.scores = scores, .labels = labels}).value());
}

inline void add(Window& window, const TrafficRow& row) {
  window.add_row(std::array<Cell, 3>{row.amount, row.age, row.grade});
  window.add_score(row.score);
}

inline Window window_of(std::shared_ptr<const Reference> reference, std::uint64_t seed, int rows,
                        Shift shift = {}) {
  Window window(std::move(reference));
  Traffic traffic(seed, shift);
  for (int i = 0; i < rows; ++i) add(window, traffic.next());
  return window;
}

}  // namespace holdfast::monitor
