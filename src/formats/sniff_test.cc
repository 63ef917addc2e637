#include "formats/sniff.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace holdfast::formats {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

std::vector<Format> sniffed(std::string_view bytes) {
  const MemorySource source(base::as_bytes(bytes));
  const auto formats = sniff(source);
  EXPECT_TRUE(formats);
  return formats.value_or(std::vector<Format>{});
}

const std::string kEmptyZip = std::string("PK\5\6") + std::string(18, '\0');

TEST(Sniff, KnowsFormatsByTheirMagic) {
  EXPECT_THAT(sniffed("PK\3\4 local header"), ElementsAre(Format::kZip));
  EXPECT_THAT(sniffed(kEmptyZip), ElementsAre(Format::kZip));
  EXPECT_THAT(sniffed("\x1F\x8B\x08\0"sv), ElementsAre(Format::kGzip));
  EXPECT_THAT(sniffed("BZh91AY&SY\0"sv), ElementsAre(Format::kBzip2));
  EXPECT_THAT(sniffed("\xFD"
                      "7zXZ\0\0\4"sv),
              ElementsAre(Format::kXz));
  EXPECT_THAT(sniffed("\x5D\0\0\x80\0\xFF"sv), ElementsAre(Format::kUnknown));  // as short as no LZMA data is
  EXPECT_THAT(sniffed("\x28\xB5\x2F\xFD\4"sv), ElementsAre(Format::kZstd));
  EXPECT_THAT(sniffed("\x04\x22\x4D\x18\x60"sv), ElementsAre(Format::kLz4));
  EXPECT_THAT(sniffed("7z\xBC\xAF\x27\x1C\0\4"sv), ElementsAre(Format::kSevenZip));
  EXPECT_THAT(sniffed("\x93NUMPY\1\0"sv), ElementsAre(Format::kNpy));
  EXPECT_THAT(sniffed("GGUF\3\0\0\0"sv), ElementsAre(Format::kGguf));
  EXPECT_THAT(sniffed("\x1C\0\0\0TFL3"sv), ElementsAre(Format::kTflite));
  EXPECT_THAT(sniffed("\x7F"
                      "ELF\2\1\1"sv),
              ElementsAre(Format::kElf));
  EXPECT_THAT(sniffed("MZ\x90\0"sv), ElementsAre(Format::kPe));
  EXPECT_THAT(sniffed("\xCF\xFA\xED\xFE\7"sv), ElementsAre(Format::kMachO));
  EXPECT_THAT(sniffed("%PDF-1.7\n%\xE2\xE3 stream"sv), ElementsAre(Format::kPdf));
  EXPECT_THAT(sniffed("\x89PNG\r\n\x1A\n\0"sv), ElementsAre(Format::kPng));
  EXPECT_THAT(sniffed("\xFF\xD8\xFF\xE0"sv), ElementsAre(Format::kJpeg));
  EXPECT_THAT(sniffed("\x89HDF\r\n\x1A\n\0"sv), ElementsAre(Format::kHdf5));
}

TEST(Sniff, KnowsCompiledPythonOfEachHeader) {
  const auto pyc = [](std::uint16_t magic, std::size_t header, char first) {
    return std::string{static_cast<char>(magic & 0xFF), static_cast<char>(magic >> 8), '\r', '\n'} +
           std::string(header - 4, '\0') + first + "\0\0\0\0";
  };
  EXPECT_THAT(sniffed(pyc(3495, 16, '\xE3')), ElementsAre(Format::kPyc));
  EXPECT_THAT(sniffed(pyc(3379, 12, 'c')), ElementsAre(Format::kPyc));
  EXPECT_THAT(sniffed(pyc(3180, 8, 'c')), ElementsAre(Format::kPyc));
  EXPECT_THAT(sniffed(pyc(62211, 8, 'c')), ElementsAre(Format::kPyc));
  EXPECT_THAT(sniffed(pyc(3495, 12, 'c')), ElementsAre(Format::kUnknown));
  EXPECT_THAT(sniffed(pyc(9, 16, 'c')), ElementsAre(Format::kUnknown));
}

TEST(Sniff, KnowsWhatLiesBesideASavedModel) {
  EXPECT_THAT(sniffed("\x08\x91\x9C\xB5\x0F\x10\x01\x18\x02\x20\x03\x28\x04\x32\x02\x08\x01\x3A\x02"
                      "42"sv),
              ElementsAre(Format::kSavedModelFingerprint));
  EXPECT_THAT(sniffed(std::string(40, '\0') + "\x57\xFB\x80\x8B\x24\x75\x47\xDB"s),
              Contains(Format::kCheckpointIndex));
}

TEST(Sniff, KnowsText) {
  EXPECT_THAT(sniffed(" {\"model_type\": \"bert\"}"), ElementsAre(Format::kJson));
  EXPECT_THAT(sniffed("\xEF\xBB\xBF[1, 2]"), ElementsAre(Format::kJson));
  EXPECT_THAT(sniffed("[section]\nkey = 1\n"), ElementsAre(Format::kText));
  EXPECT_THAT(sniffed("import os\nos.system('ls')\n"), ElementsAre(Format::kPython));
  EXPECT_THAT(sniffed("#!/usr/bin/env python3\n"), ElementsAre(Format::kPython));
  EXPECT_THAT(sniffed("\"\"\"doc\"\"\"\n\nclass Net(nn.Module):\n    pass\n"), ElementsAre(Format::kPython));
  EXPECT_THAT(sniffed("id,age\n1,2\n"), ElementsAre(Format::kText));
  EXPECT_THAT(sniffed("important: from here on\n"), ElementsAre(Format::kText));
  EXPECT_THAT(sniffed("MZ is a name, BZh another\n"), ElementsAre(Format::kText));
}

TEST(Sniff, TextMayBeAPickleToo) {
  EXPECT_THAT(sniffed("cposix\nsystem\n(S'ls'\ntR."), ElementsAre(Format::kPickle, Format::kText));
}

TEST(Sniff, KnowsNothingOfNothing) {
  EXPECT_THAT(sniffed(""), ElementsAre(Format::kUnknown));
  EXPECT_THAT(sniffed("\1\2\3\4"), ElementsAre(Format::kUnknown));
  EXPECT_THAT(sniff_head({}), ElementsAre(Format::kUnknown));
}

TEST(Sniff, AsksMoreThanTwoBytesOfZlib) {
  EXPECT_THAT(sniffed("\x78\x9C\x4B\x4C\x4A\x06\x00\x02\x4D\x01\x27"sv),
              ElementsAre(Format::kZlib));  // "abc"
  EXPECT_THAT(sniffed("\x78\x9C\xFF\xFF\xFF"sv), ElementsAre(Format::kUnknown));
  EXPECT_THAT(sniffed("\x78\x9D\x4B\x4C\x4A"sv), ElementsAre(Format::kUnknown));
}

TEST(Sniff, ChecksSafetensorsHeaderAgainstTheFile) {
  EXPECT_THAT(sniffed("\2\0\0\0\0\0\0\0{}"sv), ElementsAre(Format::kSafetensors));
  EXPECT_THAT(sniffed("\3\0\0\0\0\0\0\0{}"sv), Not(Contains(Format::kSafetensors)));
  EXPECT_THAT(sniff_head(base::as_bytes("\3\0\0\0\0\0\0\0{}"sv)), Not(Contains(Format::kSafetensors)));
  EXPECT_THAT(sniffed("\2\0\0\0\0\0\0\1{}"sv), Not(Contains(Format::kSafetensors)));
}

TEST(Sniff, KnowsProtobufModelsByTheirFields) {
  const std::string graph = "\x3A\2\x0A\0"s;
  const std::string opset = "\x42\2\x10\x0D"s;
  EXPECT_THAT(sniffed("\x08\x07" + graph + opset), ElementsAre(Format::kOnnx));
  EXPECT_THAT(sniffed(opset + graph + "\x08\x07"), Contains(Format::kOnnx));      // in any order
  EXPECT_THAT(sniffed("\xF8\x07\x01\x08\x07" + graph), Contains(Format::kOnnx));  // after an unknown field
  EXPECT_THAT(sniffed("\x08\x07" + graph + opset + "\xFF"), Not(Contains(Format::kOnnx)));  // not to the end
  EXPECT_THAT(sniffed("\x08\x07\x42\2\x10\x0D"), Not(Contains(Format::kOnnx)));             // no graph
  EXPECT_THAT(sniffed("\x08\x01\x12\x04\x0A\x02\x08\x01"), Contains(Format::kSavedModel));
  EXPECT_THAT(sniffed("\x08\x01\x12\x04tttt"), Not(Contains(Format::kSavedModel)));
  // A stream's head, which the graph exceeds.
  std::string cut = "\x08\x07\x12\x02me\x3A\xFF\xFF\xFF\x07"s + std::string(kSniffBytes, '\x0A');
  cut.resize(kSniffBytes);
  EXPECT_THAT(sniff_head(base::as_bytes(cut)), Contains(Format::kOnnx));
}

TEST(Sniff, SeesAZipBehindAnotherFormat) {
  const std::string local = "PK\3\4"s + std::string(22, '\0') + "\1\0\0\0a"s;
  std::string central = "PK\1\2"s + std::string(42, '\0') + "a"s;
  central[28] = 1;
  std::string end = "PK\5\6"s + std::string(18, '\0');
  end[8] = end[10] = 1;
  end[12] = static_cast<char>(central.size());
  end[16] = static_cast<char>(local.size());
  const std::string zip = local + central + end;
  EXPECT_THAT(sniffed(zip), ElementsAre(Format::kZip));
  EXPECT_THAT(sniffed("\x80\2}." + zip), ElementsAre(Format::kPickle, Format::kZip));
  EXPECT_THAT(sniff_head(base::as_bytes("\x80\2}." + zip)), ElementsAre(Format::kPickle));
  // The signature alone is no archive.
  EXPECT_THAT(sniffed("\x80\2}.PK\5\6"s + std::string(18, 'x')), ElementsAre(Format::kPickle));
}

TEST(Sniff, SeesHdf5AfterAUserBlock) {
  const std::string magic = "\x89HDF\r\n\x1A\n";
  for (const std::size_t at : {512UL, 1024UL, 4096UL}) {
    EXPECT_THAT(sniffed("\x80\2}." + std::string(at - 4, ' ') + magic),
                ElementsAre(Format::kPickle, Format::kHdf5));
  }
  EXPECT_THAT(sniffed(std::string(513, '\1') + magic), ElementsAre(Format::kUnknown));
}

TEST(Sniff, SeesATarThatIsAPickleToo) {
  std::string block(512, '\0');
  const std::string name = "\x80\2}.";
  std::copy(name.begin(), name.end(), block.begin());
  unsigned sum = 8 * ' ';
  for (const char c : block) sum += static_cast<unsigned char>(c);
  const std::string octal = fmt::format("{:06o}", sum);
  std::copy(octal.begin(), octal.end(), block.begin() + 148);
  EXPECT_THAT(sniffed(block), ElementsAre(Format::kTar, Format::kPickle));
  block[10] = 'x';
  EXPECT_THAT(sniffed(block), ElementsAre(Format::kPickle));
}

TEST(Sniff, NamesEachFormatOnce) {
  for (int a = 0; a <= static_cast<int>(Format::kUnknown); ++a) {
    for (int b = 0; b < a; ++b) {
      EXPECT_NE(to_string(static_cast<Format>(a)), to_string(static_cast<Format>(b)));
    }
  }
}

TEST(Sniff, TakesAFingerprintForNoOnnxModel) {
  const std::string_view fingerprint(
      "\x08\x01\x10\x02\x3A\x13"
      "1234567890123456789");
  EXPECT_THAT(sniff(MemorySource(base::as_bytes(fingerprint))).value(), Not(Contains(Format::kOnnx)));
}

}  // namespace
}  // namespace holdfast::formats
