#include "formats/hdf5_messages.h"

#include <algorithm>

namespace holdfast::formats {
namespace {

constexpr std::uint64_t kFixedString = 3;
constexpr std::uint64_t kVariableLength = 9;

std::uint64_t padded(std::uint64_t size) { return (size + 7) / 8 * 8; }

// Whether a dataspace holds exactly one element (section IV.A.2.b).
bool is_single(base::ByteView body, const Hdf5Widths& widths) {
  Hdf5Fields fields(body);
  const std::uint64_t version = fields.number(1);
  const std::uint64_t rank = fields.number(1);
  fields.skip(1);
  const std::uint64_t kind = fields.number(1);
  if (version == 1) fields.skip(4);
  if (version == 2 && kind == 2) return false;  // no element at all
  for (std::uint64_t i = 0; i < rank && fields.ok(); ++i) {
    if (fields.number(widths.length) != 1) return false;
  }
  return fields.ok();
}

}  // namespace

std::uint64_t Hdf5Fields::number(std::size_t width) {
  if (width > sizeof(std::uint64_t)) {
    ok_ = false;
    return 0;
  }
  const base::ByteView bytes = take(width);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

std::uint64_t Hdf5Fields::address(std::size_t width) {
  const std::uint64_t value = number(width);
  const std::uint64_t ones = width >= 8 ? ~0ULL : (1ULL << (8 * width)) - 1;
  return value == ones ? kHdf5Undefined : value;
}

base::ByteView Hdf5Fields::take(std::uint64_t count) {
  if (count > left()) {
    ok_ = false;
    at_ = bytes_.size();
    return {};
  }
  const base::ByteView taken = bytes_.subspan(at_, static_cast<std::size_t>(count));
  at_ += taken.size();
  return taken;
}

std::string Hdf5Fields::name() {
  const base::ByteView rest = bytes_.subspan(at_);
  const auto end = std::ranges::find(rest, std::uint8_t{0});
  const auto size = static_cast<std::size_t>(end - rest.begin());
  if (end == rest.end()) ok_ = false;
  at_ += std::min(size + 1, rest.size());
  return std::string(base::as_text(rest.first(size)));
}

std::optional<std::vector<Hdf5Message>> hdf5_messages(base::ByteView part, unsigned version,
                                                      bool with_order) {
  const std::size_t head = version == 1 ? 8 : with_order ? 6 : 4;
  std::vector<Hdf5Message> messages;
  Hdf5Fields fields(part);
  // What is too short for a message is a gap, which version 2 allows.
  while (fields.left() >= head) {
    Hdf5Message message;
    message.type = static_cast<std::uint16_t>(fields.number(version == 1 ? 2 : 1));
    const std::uint64_t size = fields.number(2);
    message.flags = static_cast<std::uint8_t>(fields.number(1));
    fields.skip(version == 1 ? 3 : with_order ? 2 : 0);
    message.body = fields.take(size);
    if (!fields.ok()) return std::nullopt;
    messages.push_back(message);
  }
  return messages;
}

std::optional<Hdf5Link> hdf5_link(base::ByteView body, const Hdf5Widths& widths) {
  constexpr std::uint64_t kHard = 0;
  constexpr std::uint64_t kSoft = 1;
  constexpr std::uint64_t kExternal = 64;
  Hdf5Fields fields(body);
  fields.skip(1);
  const std::uint64_t flags = fields.number(1);
  const std::uint64_t kind = (flags & 8U) != 0 ? fields.number(1) : kHard;
  if ((flags & 4U) != 0) fields.skip(8);
  if ((flags & 16U) != 0) fields.skip(1);
  const std::uint64_t name_size = fields.number(1UL << (flags & 3U));
  Hdf5Link link{.name = std::string(base::as_text(fields.take(name_size))), .file = {}};
  if (kind == kHard) {
    link.kind = Hdf5Link::Kind::kHard;
    link.address = fields.address(widths.offset);
  } else if (kind == kSoft) {
    link.kind = Hdf5Link::Kind::kSoft;
  } else if (kind == kExternal) {
    link.kind = Hdf5Link::Kind::kExternal;
    Hdf5Fields inner(fields.take(fields.number(2)));
    inner.skip(1);
    link.file = inner.name();
    if (!inner.ok()) return std::nullopt;
  }
  if (!fields.ok()) return std::nullopt;
  return link;
}

std::optional<Hdf5Text> hdf5_attribute(base::ByteView body, const Hdf5Widths& widths) {
  Hdf5Fields fields(body);
  const std::uint64_t version = fields.number(1);
  if (version < 1 || version > 3) return std::nullopt;
  const std::uint64_t flags = fields.number(1);
  std::uint64_t name_size = fields.number(2);
  std::uint64_t type_size = fields.number(2);
  std::uint64_t space_size = fields.number(2);
  if (version == 3) fields.skip(1);
  if (version == 1) {
    name_size = padded(name_size);
    type_size = padded(type_size);
    space_size = padded(space_size);
  }
  Hdf5Text out;
  out.name = base::as_text(fields.take(name_size));
  out.name.resize(std::min(out.name.find('\0'), out.name.size()));
  const base::ByteView type = fields.take(type_size);
  const base::ByteView space = fields.take(space_size);
  if (!fields.ok()) return std::nullopt;
  if (version > 1 && (flags & 3U) != 0) {
    out.shared = true;
    return out;
  }
  Hdf5Fields said(type);
  const std::uint64_t kind = said.number(1) & 15U;
  const std::uint64_t bits = said.number(3);
  const std::uint64_t size = said.number(4);
  if (!said.ok()) return std::nullopt;
  if (!is_single(space, widths)) return out;
  if (kind == kFixedString) {
    out.is_text = true;
    out.text = base::as_text(fields.take(size));
    out.text.resize(std::min(out.text.find('\0'), out.text.size()));
  } else if (kind == kVariableLength && (bits & 15U) == 1) {
    out.is_text = true;
    out.length = fields.number(4);
    out.heap = fields.address(widths.offset);
    out.index = static_cast<std::uint32_t>(fields.number(4));
  }
  if (!fields.ok()) return std::nullopt;
  return out;
}

}  // namespace holdfast::formats
