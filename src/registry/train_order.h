#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace holdfast::registry {

// How a model is to be trained here. What is left out is as in lab::TrainSpec.
struct TrainOrder {
  std::string model;
  std::string group;   // reweigh rows by this group of the task; empty: balance the labels alone
  std::string attack;  // train against this attack of the task; empty: plain training
  double adversarial_share = 0.5;
  std::size_t epochs = 20;
  std::uint64_t seed = 1;

  // All but the model; numbers with a fraction as text.
  [[nodiscard]] nlohmann::json parameters() const;
  // Any of the members that parameters() has, and no others. kInvalidArgument names the one that is wrong;
  // `place` says what the object is.
  static base::Result<TrainOrder> parse(std::string model, const nlohmann::json& parameters,
                                        std::string place);
};

}  // namespace holdfast::registry
