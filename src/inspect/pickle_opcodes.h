#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// The instructions of the pickle machine, protocols 0 to 5, as Python's Lib/pickletools.py lists them.

namespace holdfast::inspect {

enum class PickleOp : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kFloat = 'F',
  kInt = 'I',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kLong = 'L',
  kBinInt2 = 'M',
  kNone = 'N',
  kPersId = 'P',
  kBinPersId = 'Q',
  kReduce = 'R',
  kString = 'S',
  kBinString = 'T',
  kShortBinString = 'U',
  kUnicode = 'V',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kGet = 'g',
  kBinGet = 'h',
  kInst = 'i',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kObj = 'o',
  kPut = 'p',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinFloat = 'G',
  kProto = 0x80,
  kNewObj = 0x81,
  kExt1 = 0x82,
  kExt2 = 0x83,
  kExt4 = 0x84,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
  kNextBuffer = 0x97,
  kReadOnlyBuffer = 0x98,
};

// What follows an instruction after its fixed bytes.
enum class PickleTail : std::uint8_t {
  kNothing,
  kLine,  // text to a newline
  kTwoLines,
  kPayload,  // as many bytes as the fixed bytes say
};

struct PickleOpInfo {
  std::string_view name;   // empty: no instruction
  std::uint8_t fixed = 0;  // bytes of a little-endian number after the instruction
  PickleTail tail = PickleTail::kNothing;
  bool needs_stack = false;  // fails, having done nothing, where the stack and the memo are empty
};

inline constexpr unsigned kHighestPickleProtocol = 5;

extern const std::array<PickleOpInfo, 256> kPickleOps;

// The same in a byte, for the reader's inner loop.
class PickleOpShape {
 public:
  constexpr PickleOpShape() = default;
  constexpr explicit PickleOpShape(const PickleOpInfo& info)
      : bits_(static_cast<std::uint8_t>(info.fixed | static_cast<unsigned>(info.tail) << 4)) {}
  [[nodiscard]] constexpr bool exists() const { return bits_ != kNone; }
  [[nodiscard]] constexpr bool is_bare() const { return bits_ == 0; }  // nothing follows it
  [[nodiscard]] constexpr std::uint8_t fixed() const { return bits_ & 0x0F; }
  [[nodiscard]] constexpr bool has_tail() const { return bits_ >= 0x10; }
  [[nodiscard]] constexpr PickleTail tail() const { return static_cast<PickleTail>(bits_ >> 4); }

 private:
  static constexpr std::uint8_t kNone = 0xFF;
  std::uint8_t bits_ = kNone;
};
extern const std::array<PickleOpShape, 256> kPickleShapes;

inline const PickleOpInfo& info_of(std::uint8_t byte) { return kPickleOps[byte]; }
inline const PickleOpInfo& info_of(PickleOp op) { return kPickleOps[static_cast<std::uint8_t>(op)]; }

}  // namespace holdfast::inspect
