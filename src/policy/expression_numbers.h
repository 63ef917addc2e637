#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/expression.h"

namespace holdfast::policy {

// Numbers for the nodes of one expression, equal for nodes that are written alike: what is known of one
// `principal.manager` is known of another. Borrows the expression only while it is made. Not thread-safe.
class ExpressionNumbers {
 public:
  explicit ExpressionNumbers(const Expression& expression);

  [[nodiscard]] std::uint32_t of(NodeId id) const { return numbers_[id]; }
  // Of the attribute `name` (an index of the expression's names) of what has the number `target`, whether
  // such a node is in the expression or not.
  std::uint32_t of_attribute(std::uint32_t target, std::uint32_t name);

 private:
  std::uint32_t number(const std::string& shape);

  std::unordered_map<std::string, std::uint32_t> shapes_;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace holdfast::policy
