#include "store/bounds.h"

#include <fmt/format.h>

namespace holdfast::store {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<> check_name(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= kMaxNameBytes) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} has {} bytes; it must have 1 to {}", what, name.size(), kMaxNameBytes));
}

Result<> check_payload(std::string_view what, base::ByteView payload) {
  if (payload.size() <= kMaxPayloadBytes) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("{} has {} bytes, more than the {} allowed; put it into a blob", what,
                          payload.size(), kMaxPayloadBytes));
}

std::string_view kept_error(std::string_view text) {
  if (text.size() <= kMaxKeptErrorBytes) return text;
  std::size_t end = kMaxKeptErrorBytes;
  const auto continues = [&] { return (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U; };
  for (int i = 0; i < 3 && continues(); ++i) --end;  // a character has at most three bytes after its first
  return text.substr(0, end);
}

}  // namespace holdfast::store
