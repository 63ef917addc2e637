#pragma once

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace holdfast::base {

// A value of type T that can't be mixed with another of the same T:
//   using PrincipalId = base::Strong<struct PrincipalIdTag, std::string>;
template <typename Tag, typename T>
class Strong {
 public:
  constexpr Strong() = default;
  explicit constexpr Strong(T value) : value_(std::move(value)) {}

  [[nodiscard]] constexpr const T& value() const { return value_; }

  friend auto operator<=>(const Strong&, const Strong&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Strong& strong) { return out << strong.value_; }

 private:
  T value_{};
};

// Every table's key, Cedar entity, key path and blob name begins with the workspace (tenant).
using WorkspaceId = Strong<struct WorkspaceIdTag, std::string>;

}  // namespace holdfast::base

template <typename Tag, typename T>
struct std::hash<holdfast::base::Strong<Tag, T>> {
  std::size_t operator()(const holdfast::base::Strong<Tag, T>& strong) const noexcept {
    return std::hash<T>{}(strong.value());
  }
};
