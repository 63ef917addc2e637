#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Bytes that we own, and views of bytes that somebody else owns and keeps alive.

namespace holdfast::base {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline void append(Bytes& to, ByteView what) { to.insert(to.end(), what.begin(), what.end()); }
inline void append(Bytes& to, std::string_view what) { append(to, as_bytes(what)); }

// The integer at the start of `bytes`, which holds at least sizeof(T) of them.
template <typename T>
  requires std::is_unsigned_v<T>
T load_le(ByteView bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[i]) << (8 * i)));
  }
  return value;
}

template <typename T>
  requires std::is_unsigned_v<T>
T load_be(ByteView bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[i]) << (8 * (sizeof(T) - 1 - i))));
  }
  return value;
}

template <typename T>
  requires std::is_unsigned_v<T>
void append_le(Bytes& to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

template <typename T>
  requires std::is_unsigned_v<T>
void append_be(Bytes& to, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace holdfast::base
