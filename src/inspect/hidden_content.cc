#include "inspect/hidden_content.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>

namespace holdfast::inspect {
namespace {

using base::ByteView;
using base::load_be;
using base::load_le;

template <typename T, std::size_t kCount>
bool is_among(T value, const std::array<T, kCount>& known) {
  return std::find(known.begin(), known.end(), value) != known.end();
}

bool is_text_byte(std::uint8_t byte) {
  return (byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\r' || byte == '\t';
}

bool begins(ByteView bytes, std::string_view magic) { return base::as_text(bytes).starts_with(magic); }

// elf(5): e_ident, e_type, e_machine, e_version, e_ehsize, e_phentsize.
bool is_elf(ByteView bytes) {
  constexpr std::array<std::uint16_t, 16> kMachines{2,  3,  8,  15, 20,  21,  22,  40,
                                                    42, 43, 50, 62, 183, 243, 247, 258};
  if (bytes.size() < 64 || !begins(bytes, "\x7F\x45LF")) return false;
  const bool wide = bytes[4] == 2;
  const bool big = bytes[5] == 2;
  if ((bytes[4] != 1 && !wide) || (bytes[5] != 1 && !big) || bytes[6] != 1) return false;
  const auto half = [&](std::size_t at) {
    return big ? load_be<std::uint16_t>(bytes.subspan(at)) : load_le<std::uint16_t>(bytes.subspan(at));
  };
  const auto version =
      big ? load_be<std::uint32_t>(bytes.subspan(20)) : load_le<std::uint32_t>(bytes.subspan(20));
  return half(16) >= 1 && half(16) <= 4 && is_among(half(18), kMachines) && version == 1 &&
         half(wide ? 52 : 40) == (wide ? 64 : 52);
}

// PE Format, "MS-DOS Stub", "COFF File Header".
bool is_pe(ByteView bytes) {
  constexpr std::array<std::uint16_t, 7> kMachines{0x014C, 0x8664, 0x01C0, 0x01C4, 0xAA64, 0x5064, 0x0200};
  constexpr std::size_t kCoffBytes = 24;
  if (bytes.size() < 64 || !begins(bytes, "MZ")) return false;
  const auto at = load_le<std::uint32_t>(bytes.subspan(0x3C));
  if (at < 0x40 || at % 4 != 0 || at + std::uint64_t{kCoffBytes} > bytes.size()) return false;
  const ByteView coff = bytes.subspan(at);
  const auto optional_size = load_le<std::uint16_t>(coff.subspan(20));
  return begins(coff, std::string_view("PE\0\0", 4)) &&
         is_among(load_le<std::uint16_t>(coff.subspan(4)), kMachines) &&
         load_le<std::uint16_t>(coff.subspan(6)) <= 96 && (optional_size == 224 || optional_size == 240);
}

bool is_mach_processor(std::uint32_t type) {
  constexpr std::array<std::uint32_t, 6> kTypes{7, 0x0100'0007, 12, 0x0100'000C, 18, 0x0100'0012};
  return is_among(type, kTypes);
}

// mach-o/loader.h, mach_header; mach-o/fat.h, fat_header and the first fat_arch.
bool is_mach_o(ByteView bytes) {
  if (bytes.size() < 32) return false;
  const auto magic = load_le<std::uint32_t>(bytes);
  if (begins(bytes, "\xCA\xFE\xBA\xBE")) {
    const auto count = load_be<std::uint32_t>(bytes.subspan(4));
    const auto alignment = load_be<std::uint32_t>(bytes.subspan(24));
    return count >= 1 && count <= 8 && is_mach_processor(load_be<std::uint32_t>(bytes.subspan(8))) &&
           alignment <= 20;
  }
  const bool little = magic == 0xFEED'FACE || magic == 0xFEED'FACF;
  const bool big = magic == 0xCEFA'EDFE || magic == 0xCFFA'EDFE;
  if (!little && !big) return false;
  const auto word = [&](std::size_t at) {
    return big ? load_be<std::uint32_t>(bytes.subspan(at)) : load_le<std::uint32_t>(bytes.subspan(at));
  };
  const auto commands = word(16);
  return is_mach_processor(word(4)) && word(12) >= 1 && word(12) <= 12 && commands >= 1 && commands <= 1000 &&
         word(20) >= 8 * commands && word(20) <= 4096 * commands;
}

// APPNOTE 4.3.7: a local header, with a name of printable characters.
bool is_zip(ByteView bytes) {
  constexpr std::array<std::uint16_t, 9> kMethods{0, 8, 9, 12, 14, 93, 95, 98, 99};
  constexpr std::size_t kHeaderBytes = 30;
  if (bytes.size() < kHeaderBytes || !begins(bytes, "PK\x03\x04")) return false;
  const auto half = [&](std::size_t at) { return load_le<std::uint16_t>(bytes.subspan(at)); };
  const std::size_t name = half(26);
  if ((half(4) & 0xFF) > 63 || (half(4) >> 8) > 19 || (half(6) & 0xD780) != 0 ||
      !is_among(half(8), kMethods) || name == 0 || name > 512 || half(28) > 512) {
    return false;
  }
  if (kHeaderBytes + name > bytes.size()) return false;
  const auto text = bytes.subspan(kHeaderBytes, name);
  return std::all_of(text.begin(), text.end(), [](std::uint8_t c) { return c >= 0x20 && c < 0x7F; });
}

// pickletools: PROTO and the FRAME of protocols 4 and 5, whose length is no longer than a machine's memory;
// or PROTO and a GLOBAL that names a module and a name in it.
bool is_pickle(ByteView bytes) {
  if (bytes.size() < 16 || bytes[0] != 0x80 || bytes[1] < 2 || bytes[1] > 5) return false;
  if (bytes[1] >= 4) {
    return bytes[2] == 0x95 && load_le<std::uint64_t>(bytes.subspan(3)) < (1ULL << 31) && bytes[11] != 0;
  }
  if (bytes[2] != 'c') return false;
  std::size_t lines = 0;
  std::size_t letters = 0;
  for (const std::uint8_t byte : bytes.subspan(3, std::min<std::size_t>(bytes.size() - 3, 200))) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
                        byte == '.' || (byte >= '0' && byte <= '9');
    if (byte == '\n') {
      if (++lines == 2) return letters >= 16;
    } else if (!letter) {
      return false;
    } else {
      ++letters;
    }
  }
  return false;
}

bool is_script(ByteView bytes) {
  for (const std::string_view line : {"#!/bin/", "#!/usr/", "#! /bin/", "#! /usr/", "#!/data/"}) {
    if (begins(bytes, line)) return true;
  }
  return begins(bytes, "<?php ") && bytes.size() >= 16 &&
         std::all_of(bytes.begin(), bytes.begin() + 16, is_text_byte);
}

bool is_seven_zip(ByteView bytes) {
  return bytes.size() >= 32 && begins(bytes, "7z\xBC\xAF\x27\x1C") && bytes[6] == 0 && bytes[7] <= 4;
}

// xz-file-format 2.1.1: the magic and stream flags.
bool is_xz(ByteView bytes) {
  return bytes.size() >= 12 && begins(bytes, std::string_view("\xFD\x37zXZ\0\0", 7)) && bytes[7] <= 0x0F;
}

// RFC 1952: the flags without the reserved ones, what deflate says of itself, and a system that there is.
bool is_gzip(ByteView bytes) {
  return bytes.size() >= 18 && begins(bytes, "\x1F\x8B\x08") && bytes[3] < 0x20 &&
         (bytes[8] == 0 || bytes[8] == 2 || bytes[8] == 4) && (bytes[9] <= 13 || bytes[9] == 255);
}

bool is_hex(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_text(ByteView bytes) {
  if (bytes.size() < kHiddenTextBytes) return false;
  std::bitset<128> letters;
  for (const std::uint8_t byte : bytes.first(kHiddenTextBytes)) {
    if (!is_text_byte(byte)) return false;
    letters.set(byte);
  }
  return letters.count() >= kHiddenTextLetters;
}

// A SHA-256 in hexadecimal.
bool is_digest(ByteView bytes) {
  constexpr std::size_t kDigits = 64;
  return is_text(bytes) && std::all_of(bytes.begin(), bytes.begin() + kDigits, is_hex);
}

// Whether something of what hidden_content knows may begin at one of kStep places: by its first two bytes,
// sixteen places at a time.
constexpr std::size_t kStep = 64;
using Lanes = std::uint8_t __attribute__((vector_size(16)));

Lanes lanes_at(const std::uint8_t* bytes) {
  Lanes lanes;
  std::memcpy(&lanes, bytes, sizeof lanes);
  return lanes;
}

bool may_begin(const std::uint8_t* bytes) {
  auto any = lanes_at(bytes) != lanes_at(bytes);
  for (std::size_t i = 0; i < kStep; i += sizeof(Lanes)) {
    const Lanes a = lanes_at(bytes + i);
    const Lanes b = lanes_at(bytes + i + 1);
    any |= (a == 0x7F) & (b == 'E');
    any |= (a == 'M') & (b == 'Z');
    any |= ((a | 1) == 0xCF) & (b == 0xFA);
    any |= (a == 0xFE) & (b == 0xED);
    any |= (a == 0xCA) & (b == 0xFE);
    any |= (a == 'P') & (b == 'K');
    any |= (a == '#') & (b == '!');
    any |= (a == '<') & (b == '?');
    any |= (a == '7') & (b == 'z');
    any |= (a == 0xFD) & (b == '7');
    any |= (a == 0x80) & ((b & 0xF8) == 0);
  }
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), &any, sizeof any);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace

std::optional<HiddenContent> hidden_content(ByteView bytes) {
  if (bytes.size() < 2) return std::nullopt;
  switch (bytes[0]) {
    case 0x7F:
      return is_elf(bytes) ? std::optional(HiddenContent{.what = "an ELF program", .runs = true})
                           : std::nullopt;
    case 'M':
      return is_pe(bytes) ? std::optional(HiddenContent{.what = "a Windows program (PE)", .runs = true})
                          : std::nullopt;
    case 0xCE:
    case 0xCF:
    case 0xFE:
    case 0xCA:
      return is_mach_o(bytes) ? std::optional(HiddenContent{.what = "a macOS program (Mach-O)", .runs = true})
                              : std::nullopt;
    case '#':
    case '<':
      return is_script(bytes) ? std::optional(HiddenContent{.what = "a script", .runs = true}) : std::nullopt;
    case 'P':
      return is_zip(bytes) ? std::optional(HiddenContent{.what = "a zip archive"}) : std::nullopt;
    case 0x80:
      return is_pickle(bytes) ? std::optional(HiddenContent{.what = "a pickle", .unpickled = true})
                              : std::nullopt;
    case '7':
      return is_seven_zip(bytes) ? std::optional(HiddenContent{.what = "a 7z archive"}) : std::nullopt;
    case 0xFD:
      return is_xz(bytes) ? std::optional(HiddenContent{.what = "xz data"}) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<HiddenPlace> find_hidden_content(ByteView bytes, std::size_t from, std::size_t to) {
  to = std::min(to, bytes.size());
  std::size_t at = from;
  while (at < to) {
    const bool whole = at + kStep <= to && at + kStep < bytes.size();
    if (whole && !may_begin(bytes.data() + at)) {
      at += kStep;
      continue;
    }
    const std::size_t end = whole ? at + kStep : to;
    for (; at < end; ++at) {
      if (const auto content = hidden_content(bytes.subspan(at)))
        return HiddenPlace{.offset = at, .content = *content};
    }
  }
  return std::nullopt;
}

std::optional<HiddenPlace> hidden_at_start(ByteView bytes) {
  if (const auto found = find_hidden_content(bytes, 0, kHiddenPrefixBytes)) return found;
  for (const std::size_t at : {0UL, 4UL, 8UL}) {
    if (at >= bytes.size()) break;
    const ByteView rest = bytes.subspan(at);
    if (is_digest(rest)) {
      return HiddenPlace{.offset = at, .content = {.what = "a digest in hexadecimal, as before hidden data"}};
    }
    if (is_gzip(rest)) return HiddenPlace{.offset = at, .content = {.what = "gzip data"}};
    if (is_text(rest)) return HiddenPlace{.offset = at, .content = {.what = "text"}};
  }
  return std::nullopt;
}

}  // namespace holdfast::inspect
