#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

// Whether bytes that should be numbers are something else: a program, an archive, a pickle, text. Decided by
// whole headers, never by a magic alone. The probability that random bytes at one place pass is at most, by
// the bits that a header pins: ELF 2^-90, PE 2^-80, Mach-O 2^-85 (fat 2^-60), zip 2^-60, pickle 2^-52, a
// script's first line 2^-56, 7z 2^-60, xz 2^-64. Over 2^40 places (a terabyte of weights) that is below 2^-12
// for all of them together. Pure.

namespace holdfast::inspect {

struct HiddenContent {
  std::string_view what;  // "an ELF program"
  bool runs = false;      // a program or a script
  bool unpickled = false;
};

// This many bytes decide; where fewer are at hand, a header that lies beyond them is not recognised.
inline constexpr std::size_t kHiddenHeaderBytes = 2048;

// What begins with the first of `bytes`.
std::optional<HiddenContent> hidden_content(base::ByteView bytes);

struct HiddenPlace {
  std::size_t offset = 0;
  HiddenContent content;
};

// The first place in [from, to) at which something begins, as fast as memory gives the bytes.
std::optional<HiddenPlace> find_hidden_content(base::ByteView bytes, std::size_t from, std::size_t to);

// As hidden_content, of bytes that were put together from low bits, and there only at their start: also gzip
// (2^-36), and what tools of hiding write before it: a length, a digest, or nothing before at least
// kHiddenTextBytes of text of at least kHiddenTextLetters unlike characters (2^-85). What begins behind a
// header of up to kHiddenPrefixBytes is seen too.
std::optional<HiddenPlace> hidden_at_start(base::ByteView bytes);

inline constexpr std::size_t kHiddenPrefixBytes = 128;
inline constexpr std::size_t kHiddenTextBytes = 64;
inline constexpr std::size_t kHiddenTextLetters = 10;

}  // namespace holdfast::inspect
