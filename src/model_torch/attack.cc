#include <ATen/core/ivalue.h>
#include <torch/autograd.h>

#include <algorithm>
#include <limits>

#include "lab/feasible.h"
#include "model_torch/perturb.h"
#include "model_torch/tasks.h"

namespace holdfast::model_torch {

using base::ErrorCode;
using base::fail;
using base::Result;
using lab::AttackMethod;
using lab::AttackSpec;
using lab::MatrixView;
using lab::RowOutcome;

namespace {

constexpr std::size_t kRowsAtOnce = 1UL << 14;

// How far the best wrong class is above the right one, [n]: positive where the model is wrong.
at::Tensor margin(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor chosen = labels.unsqueeze(1);
  const at::Tensor right = logits.gather(1, chosen).squeeze(1);
  const at::Tensor others = logits.scatter(1, chosen, -std::numeric_limits<float>::infinity());
  return std::get<0>(others.max(1)) - right;
}

struct Climb {
  at::Tensor margin;
  at::Tensor gradient;
};

Climb climb(const Logits& logits, const at::Tensor& rows, const at::Tensor& labels) {
  const at::Tensor input = rows.detach().clone().requires_grad_();
  const at::Tensor margins = margin(logits(input), labels);
  return {margins.detach(), torch::autograd::grad({margins.sum()}, {input}).front()};
}

std::span<const float> row_of(std::span<const float> values, std::size_t index, std::size_t columns) {
  return values.subspan(index * columns, columns);
}

std::span<float> row_of(std::span<float> values, std::size_t index, std::size_t columns) {
  return values.subspan(index * columns, columns);
}

// Attacks some rows at a time, those that still hold in each restart.
class Attack {
 public:
  Attack(const Logits& logits, const AttackSpec& spec, Attacked& result)
      : logits_(logits), spec_(spec), perturber_(spec), result_(result) {}

  void run(const MatrixView& rows, const at::Tensor& labels, Start start, std::size_t first) {
    const std::vector<std::int64_t> held = still_held(rows.rows, first);
    if (held.empty()) return;
    const at::Tensor indices = at::tensor(at::ArrayRef<std::int64_t>(held));
    const at::Tensor wanted = labels.index_select(0, indices);
    const auto found = perturber_.search(logits_, room_of(rows, spec_).select(indices), wanted, start);
    if (start == Start::kOriginal) without_gradient_ += found.no_gradient.sum().item<std::int64_t>();
    at::Tensor changed = found.rows.contiguous();
    settle_all(rows, held, changed);
    keep(held, changed, wanted, rows.columns, first);
  }

  // Marks the rows that are wrong as they are.
  void look(const at::Tensor& rows, const at::Tensor& labels, std::size_t first) {
    const at::NoGradGuard no_gradients;
    const at::Tensor wrong = logits_(rows).argmax(1).ne(labels).contiguous();
    const bool* const flags = wrong.data_ptr<bool>();
    for (std::int64_t i = 0; i < wrong.numel(); ++i) {
      if (flags[i]) result_.outcomes[first + static_cast<std::size_t>(i)] = RowOutcome::kWrongBefore;
      attacked_ += flags[i] ? 0 : 1;
    }
  }

  [[nodiscard]] double zero_gradient_share() const {
    return attacked_ == 0 ? 0 : static_cast<double>(without_gradient_) / static_cast<double>(attacked_);
  }

 private:
  [[nodiscard]] std::vector<std::int64_t> still_held(std::size_t rows, std::size_t first) const {
    std::vector<std::int64_t> held;
    for (std::size_t i = 0; i < rows; ++i) {
      if (result_.outcomes[first + i] == RowOutcome::kHeld) held.push_back(static_cast<std::int64_t>(i));
    }
    return held;
  }

  void settle_all(const MatrixView& rows, const std::vector<std::int64_t>& held, at::Tensor& changed) const {
    const auto box = lab::feasible_box(rows, spec_);
    const std::span<float> values(changed.data_ptr<float>(), held.size() * rows.columns);
    for (std::size_t i = 0; i < held.size(); ++i) {
      const auto index = static_cast<std::size_t>(held[i]);
      lab::settle(row_of(values, i, rows.columns),
                  {row_of(rows.values, index, rows.columns),
                   row_of(std::span<const float>(box.lower), index, rows.columns),
                   row_of(std::span<const float>(box.upper), index, rows.columns)},
                  spec_);
    }
  }

  // The model's answer counts as it is after rounding.
  void keep(const std::vector<std::int64_t>& held, const at::Tensor& changed, const at::Tensor& labels,
            std::size_t columns, std::size_t first) {
    const at::NoGradGuard no_gradients;
    const at::Tensor fooled = logits_(changed).argmax(1).ne(labels).contiguous();
    const std::span<const float> values(changed.data_ptr<float>(), held.size() * columns);
    for (std::size_t i = 0; i < held.size(); ++i) {
      if (!fooled.data_ptr<bool>()[i]) continue;
      const std::size_t row = first + static_cast<std::size_t>(held[i]);
      result_.outcomes[row] = RowOutcome::kFooled;
      std::ranges::copy(row_of(values, i, columns),
                        row_of(std::span<float>(result_.rows), row, columns).begin());
    }
  }

  const Logits& logits_;
  const AttackSpec& spec_;
  Perturber perturber_;
  Attacked& result_;
  std::int64_t attacked_ = 0;
  std::int64_t without_gradient_ = 0;
};

}  // namespace

Room room_of(const MatrixView& rows, const AttackSpec& spec) {
  const auto box = lab::feasible_box(rows, spec);
  return {tensor_of(rows), tensor_of(MatrixView{rows.rows, rows.columns, box.lower}),
          tensor_of(MatrixView{rows.rows, rows.columns, box.upper})};
}

Perturber::Perturber(const AttackSpec& spec) : spec_(spec) {
  std::vector<float> costs;
  at::Tensor integers = at::zeros({1, static_cast<std::int64_t>(spec.columns.size())}, at::kBool);
  for (std::size_t i = 0; i < spec.columns.size(); ++i) {
    costs.push_back(static_cast<float>(spec.columns[i].unit_cost));
    integers.data_ptr<bool>()[i] = spec.columns[i].integer;
  }
  unit_costs_ = at::tensor(at::ArrayRef<float>(costs)).unsqueeze(0);
  integers_ = integers;
}

at::Tensor Perturber::within(const at::Tensor& rows, const Room& room) const {
  const at::Tensor inside = at::max(at::min(rows, room.upper), room.lower);
  if (!spec_.cost_budget) return inside;
  const at::Tensor change = inside - room.original;
  const at::Tensor cost = (change.abs() * unit_costs_).sum(1, true);
  const at::Tensor share = (*spec_.cost_budget / cost).clamp_max(1).nan_to_num(1);
  return room.original + at::where(unit_costs_ > 0, change * share, change);
}

at::Tensor Perturber::rounded(const at::Tensor& rows, const Room& room) const {
  const at::Tensor least = room.lower.ceil();
  const at::Tensor greatest = room.upper.floor();
  const at::Tensor whole = at::max(at::min(rows.round(), greatest), least);
  const at::Tensor movable = integers_.logical_and(rows.ne(room.original));
  return at::where(movable, at::where(least <= greatest, whole, room.original), rows);
}

Perturber::Found Perturber::search(const Logits& logits, const Room& room, const at::Tensor& labels,
                                   Start start) const {
  const bool single = spec_.method == AttackMethod::kFgsm;
  const std::size_t steps = single ? 1 : spec_.steps;
  const double size = single ? 1 : spec_.step_size > 0 ? spec_.step_size : 2.5 / static_cast<double>(steps);
  const at::Tensor reach = at::max(room.upper - room.original, room.original - room.lower);
  const at::Tensor stride = reach * size;
  at::Tensor rows = room.original;
  if (start == Start::kRandom) {
    rows = within(room.lower + at::rand_like(room.lower) * (room.upper - room.lower), room);
  }
  Found found{.rows = rows, .no_gradient = {}};
  at::Tensor best = at::full({rows.size(0)}, -std::numeric_limits<float>::infinity());
  const auto remember = [&](const at::Tensor& margins) {
    const at::Tensor better = margins > best;
    best = at::where(better, margins, best);
    found.rows = at::where(better.unsqueeze(1), rows, found.rows);
  };
  for (std::size_t i = 0; i < steps; ++i) {
    const Climb here = climb(logits, rows, labels);
    if (i == 0) {
      const at::Tensor movable = reach > 0;
      found.no_gradient =
          movable.any(1).logical_and(here.gradient.ne(0).logical_and(movable).any(1).logical_not());
    }
    remember(here.margin);
    rows = within(rows + stride * here.gradient.sign(), room);
  }
  if (single) {
    found.rows = rows;
    return found;
  }
  const at::NoGradGuard no_gradients;
  remember(margin(logits(rows), labels));
  return found;
}

Result<Attacked> attack(const lab::FeedForward& model, const MatrixView& rows,
                        std::span<const std::int32_t> labels, const AttackSpec& spec, const Report& report) {
  HF_TRY(const Logits logits, logits_of(model));
  const std::size_t classes = std::max<std::size_t>(model.width(), 2);
  if (model.columns != rows.columns) {
    return fail(ErrorCode::kInvalidArgument, "the model takes " + std::to_string(model.columns) +
                                                 " columns, and the rows have " +
                                                 std::to_string(rows.columns));
  }
  for (const std::int32_t label : labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= classes) {
      return fail(ErrorCode::kInvalidArgument, "a row has the label " + std::to_string(label) +
                                                   ", and the model knows " + std::to_string(classes) +
                                                   " classes");
    }
  }
  return guarded([&]() -> Result<Attacked> {
    at::manual_seed(spec.seed);
    Attacked result{.rows = {rows.values.begin(), rows.values.end()},
                    .outcomes = std::vector<RowOutcome>(rows.rows, RowOutcome::kHeld)};
    Attack attack(logits, spec, result);
    const std::size_t restarts = spec.method == AttackMethod::kFgsm ? 1 : spec.restarts;
    for (std::size_t restart = 0; restart < restarts; ++restart) {
      for (std::size_t first = 0; first < rows.rows; first += kRowsAtOnce) {
        const std::size_t count = std::min(kRowsAtOnce, rows.rows - first);
        const MatrixView part{count, rows.columns,
                              rows.values.subspan(first * rows.columns, count * rows.columns)};
        const at::Tensor wanted = labels_of(labels.subspan(first, count));
        if (restart == 0) attack.look(tensor_of(part), wanted, first);
        attack.run(part, wanted, restart == 0 ? Start::kOriginal : Start::kRandom, first);
      }
      HF_CHECK(report({.done = restart + 1, .of = restarts, .epoch = std::nullopt}));
    }
    result.zero_gradient_share = attack.zero_gradient_share();
    return result;
  });
}

}  // namespace holdfast::model_torch
