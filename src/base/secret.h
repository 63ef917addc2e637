#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::base {

// Overwrites memory in a way the compiler may not remove.
void wipe(MutableByteView bytes);

// True when both are equal; the time depends on the lengths alone.
[[nodiscard]] bool constant_time_equal(ByteView a, ByteView b);

// Bytes that are wiped when they go, moved but never copied, and have no way to be printed. To read them is
// to call reveal(), a name that can be searched for.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size) : bytes_(size) {}
  // Takes the bytes over; the source is left empty.
  explicit Secret(Bytes&& bytes) : bytes_(std::move(bytes)) {}
  // Copies from `bytes`, which the caller wipes if need be.
  static Secret copy_of(ByteView bytes) { return Secret(Bytes(bytes.begin(), bytes.end())); }

  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_); }

  [[nodiscard]] ByteView reveal() const { return bytes_; }
  [[nodiscard]] std::string_view reveal_text() const { return as_text(bytes_); }
  [[nodiscard]] MutableByteView writable() { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  Bytes bytes_;
};

}  // namespace holdfast::base
