#include "inspect/utf16_text.h"

#include <algorithm>

namespace holdfast::inspect {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;
constexpr std::size_t kStep = 16UL << 10;

std::uint32_t unit_at(base::ByteView bytes, std::size_t at, Utf16 order) {
  return order == Utf16::kLittle ? base::load_le<std::uint16_t>(bytes.subspan(at))
                                 : base::load_be<std::uint16_t>(bytes.subspan(at));
}

bool reads_as(base::ByteView bytes, Utf16 order) {
  std::size_t ascii = 0;
  std::size_t total = 0;
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2, ++total) {
    const std::uint32_t unit = unit_at(bytes, at, order);
    const bool control = unit < 0x20 && unit != '\n' && unit != '\r' && unit != '\t';
    if (control || unit == 0xFFFE || unit == 0xFFFF) return false;
    ascii += unit < 0x7F ? 1 : 0;
  }
  return ascii * 10 >= total * 8;
}

}  // namespace

Utf16 utf16_of(base::ByteView beginning) {
  constexpr std::size_t kFewest = 16;
  constexpr std::size_t kMost = 4096;
  beginning = beginning.first(std::min(beginning.size(), kMost));
  for (const Utf16 order : {Utf16::kLittle, Utf16::kBig}) {
    const bool marked = beginning.size() >= 2 && unit_at(beginning, 0, order) == 0xFEFF;
    if (marked && reads_as(beginning.subspan(2), order)) return order;
    if (!marked && beginning.size() >= kFewest && reads_as(beginning, order)) return order;
  }
  return Utf16::kNone;
}

void Utf16Stream::put(std::uint32_t c) {
  const auto byte = [this](std::uint32_t bits) { ready_.push_back(static_cast<std::uint8_t>(bits)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    byte(0xE0 | c >> 12);
    byte(0x80 | (c >> 6 & 0x3F));
  } else {
    byte(0xF0 | c >> 18);
    byte(0x80 | (c >> 12 & 0x3F));
    byte(0x80 | (c >> 6 & 0x3F));
  }
  byte(0x80 | (c & 0x3F));
}

base::Result<> Utf16Stream::more() {
  ready_.clear();
  next_ = 0;
  base::Bytes bytes = std::move(odd_);
  odd_.clear();
  const std::size_t before = bytes.size();
  bytes.resize(before + kStep);
  HF_TRY(const std::size_t got, stream_->read(base::MutableByteView(bytes).subspan(before)));
  bytes.resize(before + got);
  ended_ = got == 0;
  std::size_t at = 0;
  for (; at + 2 <= bytes.size(); at += 2) {
    const std::uint32_t unit = unit_at(bytes, at, order_);
    if (std::exchange(first_, false) && unit == 0xFEFF) continue;
    const bool low = unit >= 0xDC00 && unit < 0xE000;
    if (surrogate_ != 0) {
      const std::uint32_t high = std::exchange(surrogate_, 0);
      put(low ? 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00) : kReplacement);
      if (low) continue;
    }
    if (unit >= 0xD800 && unit < 0xDC00) {
      surrogate_ = unit;
    } else {
      put(low ? kReplacement : unit);
    }
  }
  if (ended_ && (at < bytes.size() || surrogate_ != 0)) {
    surrogate_ = 0;
    put(kReplacement);
  } else if (at < bytes.size()) {
    odd_.push_back(bytes[at]);
  }
  return {};
}

base::Result<std::size_t> Utf16Stream::read(base::MutableByteView buffer) {
  while (next_ == ready_.size()) {
    if (ended_) return 0;
    HF_CHECK(more());
  }
  const std::size_t count = std::min(buffer.size(), ready_.size() - next_);
  std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(next_), count, buffer.begin());
  next_ += count;
  return count;
}

}  // namespace holdfast::inspect
