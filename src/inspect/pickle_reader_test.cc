#include "inspect/pickle_reader.h"

#include <gmock/gmock-matchers.h>

#include <algorithm>

namespace holdfast::inspect {
namespace {

using Step = PickleReader::Step;

struct Reading {
  explicit Reading(std::string_view given)
      : text(given), source(base::as_bytes(text)), stream(source), reader(stream) {}
  Step next() { return reader.next(instruction); }
  std::string text;
  formats::MemorySource source;
  formats::SourceStream stream;
  PickleReader reader;
  PickleInstruction instruction;
};

TEST(Opcodes, AreAllOfPickletools) {
  const auto known = [](const PickleOpInfo& info) { return !info.name.empty(); };
  EXPECT_EQ(std::count_if(kPickleOps.begin(), kPickleOps.end(), known), 68);
  EXPECT_EQ(info_of(PickleOp::kReadOnlyBuffer).name, "READONLY_BUFFER");
  EXPECT_EQ(info_of(PickleOp::kFrame).fixed, 8);
}

TEST(Reader, CutsFixedArgumentsLittleEndian) {
  Reading reading(std::string_view("M\x02\x01J\xff\xff\xff\xffN", 9));
  ASSERT_EQ(reading.next(), Step::kInstruction);
  EXPECT_EQ(reading.instruction.number, 0x0102U);
  ASSERT_EQ(reading.next(), Step::kInstruction);
  EXPECT_EQ(reading.instruction.number, 0xFFFFFFFFU);
  EXPECT_EQ(reading.instruction.offset, 3U);
  ASSERT_EQ(reading.next(), Step::kInstruction);
  EXPECT_EQ(reading.next(), Step::kEnd);
}

TEST(Reader, TellsAnArgumentThatIsCutOff) {
  for (const std::string_view text :
       {std::string_view("M\x02"), std::string_view("cos\nsys"), std::string_view("cos"),
        std::string_view("U\x05"
                         "abcd"),
        std::string_view("X\x01\x00", 3)}) {
    EXPECT_EQ(Reading(text).next(), Step::kTruncated) << text;
  }
  EXPECT_EQ(Reading("\xff").next(), Step::kInvalid);
}

TEST(Reader, ReadsLinesUpToItsBound) {
  const std::string longest(PickleReader::kMaxText, 'm');
  Reading fits("c" + longest + "\n" + longest + "\nN");
  ASSERT_EQ(fits.next(), Step::kInstruction);
  EXPECT_EQ(fits.instruction.text, longest);
  EXPECT_EQ(fits.instruction.second, longest);
  EXPECT_FALSE(fits.instruction.cut);

  const std::string longer = longest + "m";
  for (const auto& text : {"c" + longer + "\nx\nN", "cx\n" + longer + "\nN"}) {
    Reading cut(text);
    ASSERT_EQ(cut.next(), Step::kInstruction);
    EXPECT_TRUE(cut.instruction.cut);
    ASSERT_EQ(cut.next(), Step::kInstruction);
    EXPECT_EQ(cut.instruction.op, PickleOp::kNone);
  }
}

TEST(Reader, LeavesALongPayloadToItsCaller) {
  const std::string payload(70'000, 'p');
  const std::string size{'\x70', '\x11', '\x01', '\x00'};
  Reading reading("B" + size + payload + "N");
  ASSERT_EQ(reading.next(), Step::kInstruction);
  EXPECT_EQ(reading.instruction.text.size(), PickleReader::kMaxText);
  EXPECT_EQ(reading.reader.payload_left(), payload.size());
  base::Bytes some(10);
  EXPECT_EQ(reading.reader.read_payload(some), 10U);
  EXPECT_TRUE(reading.reader.skip_payload());
  ASSERT_EQ(reading.next(), Step::kInstruction);
  EXPECT_EQ(reading.instruction.op, PickleOp::kNone);
}

TEST(Frames, ThatEndWithAnInstructionAreNoFault) {
  Reading reading("NN");
  reading.reader.enter_frame(2);
  EXPECT_EQ(reading.next(), Step::kInstruction);
  EXPECT_EQ(reading.next(), Step::kInstruction);
  reading.reader.expect_no_frame();
  EXPECT_EQ(reading.reader.frame_fault(), std::nullopt);
}

TEST(Frames, LeftEarlyOrLateAreFaults) {
  Reading early("NN");
  early.reader.enter_frame(2);
  EXPECT_EQ(early.next(), Step::kInstruction);
  early.reader.expect_no_frame();
  EXPECT_EQ(early.reader.frame_fault(), 1U);

  Reading late("M\x01\x01N");
  late.reader.enter_frame(2);
  EXPECT_EQ(late.next(), Step::kInstruction);
  EXPECT_EQ(late.next(), Step::kInstruction);
  EXPECT_EQ(late.reader.frame_fault(), 3U);
}

}  // namespace
}  // namespace holdfast::inspect
