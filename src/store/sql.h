#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"

// Statements, the values that go into them and the rows that come out. A column holds an integer, text, bytes
// or null: moments are integers of microseconds, structures are canonical JSON, and no table holds a
// floating-point number.

namespace holdfast::store {

// A statement as this program's source spells it. It exists at compile time only, so no input ever becomes
// SQL. Written for SQLite and PostgreSQL alike: parameters are $1, $2, ...; types are BIGINT, TEXT and BYTEA.
class Sql {
 public:
  explicit consteval Sql(const char* text) : text_(text) {}
  [[nodiscard]] constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

inline constexpr std::int64_t kMaxRows = 10'000;            // of one result: page on by the key beyond
inline constexpr std::size_t kMaxResultBytes = 64UL << 20;  // of one result
inline constexpr std::size_t kMaxValueBytes =
    16UL << 20;  // of one value, and of one row: what is larger is a blob

// A value on its way in: views what the caller keeps alive during the call.
using Parameter = std::variant<std::monostate, std::int64_t, std::string_view, base::ByteView>;

// Integers that fit into 64 bits with a sign, whatever their value.
template <typename T>
concept StorableInteger = std::integral<T> && (std::signed_integral<T> || sizeof(T) < sizeof(std::int64_t));

template <StorableInteger T>
Parameter to_parameter(T value) {
  return static_cast<std::int64_t>(value);
}
inline Parameter to_parameter(std::string_view text) { return text; }
inline Parameter to_parameter(base::ByteView bytes) { return bytes; }
inline Parameter to_parameter(const base::Digest& digest) { return digest.bytes(); }
inline Parameter to_parameter(base::Timestamp moment) { return moment.microseconds(); }
inline Parameter to_parameter(std::nullopt_t) { return std::monostate{}; }
template <typename Tag, typename T>
Parameter to_parameter(const base::Strong<Tag, T>& strong) {
  return to_parameter(strong.value());
}
template <typename T>
Parameter to_parameter(const std::optional<T>& value) {
  return value ? to_parameter(*value) : Parameter(std::monostate{});
}

// A value on its way out.
using Cell = std::variant<std::monostate, std::int64_t, std::string, base::Bytes>;

// The rows of a result one after the other: cells.size() is a multiple of `columns`.
struct Table {
  std::size_t columns = 0;
  std::vector<Cell> cells;
};

// Moves a cell into a value of the type that its column must have; false where it holds another type.
[[nodiscard]] bool take(Cell& cell, std::int64_t& out);
[[nodiscard]] bool take(Cell& cell, bool& out);  // 0 or 1
[[nodiscard]] bool take(Cell& cell, std::string& out);
[[nodiscard]] bool take(Cell& cell, base::Bytes& out);
[[nodiscard]] bool take(Cell& cell, base::Digest& out);
[[nodiscard]] bool take(Cell& cell, base::Timestamp& out);
template <typename Tag, typename T>
[[nodiscard]] bool take(Cell& cell, base::Strong<Tag, T>& out) {
  T value{};
  if (!take(cell, value)) return false;
  out = base::Strong<Tag, T>(std::move(value));
  return true;
}
template <typename T>
[[nodiscard]] bool take(Cell& cell, std::optional<T>& out) {
  if (std::holds_alternative<std::monostate>(cell)) return true;
  return take(cell, out.emplace());
}

// The rows with their types checked: a row read back is not trusted. kDataCorrupt names the statement.
template <typename... Columns>
base::Result<std::vector<std::tuple<Columns...>>> typed_rows(Sql sql, Table table) {
  const auto mismatch = [&sql] {
    return base::fail(base::ErrorCode::kDataCorrupt,
                      "a row of the database holds other types than it must: " + std::string(sql.text()));
  };
  std::vector<std::tuple<Columns...>> rows;
  if (table.cells.empty()) return rows;
  if (table.columns != sizeof...(Columns)) return mismatch();
  rows.resize(table.cells.size() / table.columns);
  std::size_t next = 0;
  for (auto& row : rows) {
    const bool whole = std::apply([&](auto&... out) { return (take(table.cells[next++], out) && ...); }, row);
    if (!whole) return mismatch();
  }
  return rows;
}

}  // namespace holdfast::store
