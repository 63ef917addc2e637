#include "store/sql.h"

namespace holdfast::store {
namespace {

template <typename T>
bool take_as(Cell& cell, T& out) {
  auto* value = std::get_if<T>(&cell);
  if (value == nullptr) return false;
  out = std::move(*value);
  return true;
}

}  // namespace

bool take(Cell& cell, std::int64_t& out) { return take_as(cell, out); }
bool take(Cell& cell, std::string& out) { return take_as(cell, out); }
bool take(Cell& cell, base::Bytes& out) { return take_as(cell, out); }

bool take(Cell& cell, bool& out) {
  const auto* value = std::get_if<std::int64_t>(&cell);
  if (value == nullptr || (*value != 0 && *value != 1)) return false;
  out = *value == 1;
  return true;
}

bool take(Cell& cell, base::Digest& out) {
  const auto* bytes = std::get_if<base::Bytes>(&cell);
  if (bytes == nullptr) return false;
  const auto digest = base::Digest::from_bytes(*bytes);
  if (!digest) return false;
  out = *digest;
  return true;
}

bool take(Cell& cell, base::Timestamp& out) {
  const auto* value = std::get_if<std::int64_t>(&cell);
  if (value == nullptr) return false;
  out = base::Timestamp::from_microseconds(*value);
  return true;
}

}  // namespace holdfast::store
