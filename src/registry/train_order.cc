#include "registry/train_order.h"

#include <nlohmann/json.hpp>

#include "data/json_fields.h"

namespace holdfast::registry {

using base::Result;
using nlohmann::json;

json TrainOrder::parameters() const {
  return {{"group", group},
          {"attack", attack},
          {"adversarial_share", data::number_text(adversarial_share)},
          {"epochs", epochs},
          {"seed", seed}};
}

Result<TrainOrder> TrainOrder::parse(std::string model, const json& parameters, std::string place) {
  HF_TRY(auto fields, data::JsonFields::of(parameters, std::move(place)));
  TrainOrder order{.model = std::move(model)};
  if (fields.has("group")) {
    HF_TRY(order.group, fields.text("group"));
  }
  if (fields.has("attack")) {
    HF_TRY(order.attack, fields.text("attack"));
  }
  if (fields.has("adversarial_share")) {
    HF_TRY(order.adversarial_share, fields.number_text("adversarial_share"));
  }
  if (fields.has("epochs")) {
    HF_TRY(order.epochs, fields.count("epochs"));
  }
  if (fields.has("seed")) {
    HF_TRY(order.seed, fields.count("seed"));
  }
  HF_CHECK(fields.end());
  return order;
}

}  // namespace holdfast::registry
