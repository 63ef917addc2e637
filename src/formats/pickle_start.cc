#include "formats/pickle_start.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

// Opcodes and their arguments: CPython's Lib/pickletools.py.

namespace holdfast::formats {
namespace {

constexpr std::uint8_t kProto = 0x80;
constexpr std::uint8_t kMaxProto = 15;  // 5 is the newest; the rest is room

enum class Argument : std::uint8_t {
  kNone,
  kOne,
  kTwo,
  kFour,
  kEight,
  kLine,
  kAscii,
  kQuoted,
  kNumber,
  kTwoNames,
  kSized1,
  kSized4,
  kSized8
};

enum class Effect : std::uint8_t {
  kInvalid,
  kValue,   // pops and pushes values
  kMark,    // pushes a mark
  kToMark,  // pops up to the mark, then as kValue
  kPopTop,  // POP: a value, or the mark
  kActs,    // imports, or builds an object
  kActsToMark,
  kStop,
};

struct Opcode {
  Effect effect = Effect::kInvalid;
  Argument argument = Argument::kNone;
  std::uint8_t pops = 0;
  std::uint8_t pushes = 0;
};

constexpr std::array<Opcode, 256> opcodes() {
  std::array<Opcode, 256> table{};
  const auto set = [&](std::string_view codes, Opcode opcode) {
    for (const char code : codes) table[static_cast<unsigned char>(code)] = opcode;
  };
  const auto push = [&](std::string_view codes, Argument argument) {
    set(codes, {.effect = Effect::kValue, .argument = argument, .pops = 0, .pushes = 1});
  };
  push("N)]}\x88\x89\x8f",
       Argument::kNone);                  // NONE EMPTY_TUPLE EMPTY_LIST EMPTY_DICT NEWTRUE NEWFALSE EMPTY_SET
  push("\x97", Argument::kNone);          // NEXT_BUFFER
  push("Kh", Argument::kOne);             // BININT1 BINGET
  push("M", Argument::kTwo);              // BININT2
  push("Jj", Argument::kFour);            // BININT LONG_BINGET
  push("G", Argument::kEight);            // BINFLOAT
  push("V", Argument::kLine);             // UNICODE
  push("P", Argument::kAscii);            // PERSID
  push("S", Argument::kQuoted);           // STRING
  push("IFLg", Argument::kNumber);        // INT FLOAT LONG GET
  push("UC\x8a\x8c", Argument::kSized1);  // SHORT_BINSTRING SHORT_BINBYTES LONG1 SHORT_BINUNICODE
  push("TXB\x8b", Argument::kSized4);     // BINSTRING BINUNICODE BINBYTES LONG4
  push("\x8d\x8e\x96", Argument::kSized8);  // BINUNICODE8 BINBYTES8 BYTEARRAY8
  const auto change = [&](std::string_view codes, std::uint8_t pops, std::uint8_t pushes) {
    set(codes, {.effect = Effect::kValue, .argument = Argument::kNone, .pops = pops, .pushes = pushes});
  };
  change("2", 1, 2);              // DUP
  change("Q\x98\x94\x85", 1, 1);  // BINPERSID READONLY_BUFFER MEMOIZE TUPLE1
  change("a\x86", 2, 1);          // APPEND TUPLE2
  change("s\x87", 3, 1);          // SETITEM TUPLE3
  set("p", {.effect = Effect::kValue, .argument = Argument::kNumber, .pops = 1, .pushes = 1});  // PUT
  set("q", {.effect = Effect::kValue, .argument = Argument::kOne, .pops = 1, .pushes = 1});     // BINPUT
  set("r", {.effect = Effect::kValue, .argument = Argument::kFour, .pops = 1, .pushes = 1});    // LONG_BINPUT
  set("\x80", {.effect = Effect::kValue, .argument = Argument::kOne});                          // PROTO
  set("\x95", {.effect = Effect::kValue, .argument = Argument::kEight});                        // FRAME
  set("(", {.effect = Effect::kMark});
  set("0", {.effect = Effect::kPopTop});
  set("1", {.effect = Effect::kToMark});                                 // POP_MARK
  set("tld\x91", {.effect = Effect::kToMark, .pops = 0, .pushes = 1});   // TUPLE LIST DICT FROZENSET
  set("eu\x90", {.effect = Effect::kToMark, .pops = 1, .pushes = 1});    // APPENDS SETITEMS ADDITEMS
  set("c", {.effect = Effect::kActs, .argument = Argument::kTwoNames});  // GLOBAL
  set("i", {.effect = Effect::kActs, .argument = Argument::kTwoNames});  // INST; joblib imports before it
                                                                         // looks for the mark
  set("o", {.effect = Effect::kActsToMark});                             // OBJ
  set("\x93R\x81\x62", {.effect = Effect::kActs, .pops = 2});            // STACK_GLOBAL REDUCE NEWOBJ BUILD
  set("\x92", {.effect = Effect::kActs, .pops = 3});                     // NEWOBJ_EX
  set("\x82", {.effect = Effect::kActs, .argument = Argument::kOne});    // EXT1
  set("\x83", {.effect = Effect::kActs, .argument = Argument::kTwo});    // EXT2
  set("\x84", {.effect = Effect::kActs, .argument = Argument::kFour});   // EXT4
  set(".", {.effect = Effect::kStop, .pops = 1});
  return table;
}
constexpr std::array<Opcode, 256> kOpcodes = opcodes();

enum class Outcome : std::uint8_t { kGoOn, kFault, kActs, kStops, kHeadEnds };

// Runs the program's stack as counts: values since each mark, which is all that a fault depends on here.
class Walk {
 public:
  Walk(base::ByteView head, std::optional<std::uint64_t> size) : head_(head), size_(size) {}

  [[nodiscard]] bool at_end() const { return position_ == head_.size(); }

  // The next program: some loaders read several from one file.
  void restart() {
    values_ = 0;
    mark_count_ = 0;
  }

  Outcome step() {
    if (position_ >= head_.size()) return Outcome::kHeadEnds;
    const Opcode& opcode = kOpcodes[head_[position_++]];
    if (opcode.effect == Effect::kInvalid) return Outcome::kFault;
    if (const Outcome outcome = skip_argument(opcode.argument); outcome != Outcome::kGoOn) return outcome;
    return apply(opcode);
  }

 private:
  Outcome apply(const Opcode& opcode) {
    switch (opcode.effect) {
      case Effect::kInvalid:
        return Outcome::kFault;
      case Effect::kMark:
        // Deeper than any text: let the interpreter look.
        if (mark_count_ == marks_.size()) return Outcome::kActs;
        marks_[mark_count_++] = std::exchange(values_, 0);
        return Outcome::kGoOn;
      case Effect::kPopTop:
        if (values_ == 0) return to_mark();
        --values_;
        return Outcome::kGoOn;
      case Effect::kActsToMark:
        return mark_count_ > 0 && values_ > 0 ? Outcome::kActs : Outcome::kFault;
      case Effect::kToMark:
        if (to_mark() == Outcome::kFault) return Outcome::kFault;
        break;
      case Effect::kActs:
        return values_ >= opcode.pops ? Outcome::kActs : Outcome::kFault;
      case Effect::kStop:
        return values_ >= opcode.pops ? Outcome::kStops : Outcome::kFault;
      case Effect::kValue:
        break;
    }
    if (values_ < opcode.pops) return Outcome::kFault;
    values_ += opcode.pushes;
    values_ -= opcode.pops;
    return Outcome::kGoOn;
  }

  Outcome to_mark() {
    if (mark_count_ == 0) return Outcome::kFault;
    values_ = marks_[--mark_count_];
    return Outcome::kGoOn;
  }

  Outcome skip_argument(Argument argument) {
    switch (argument) {
      case Argument::kNone:
        return Outcome::kGoOn;
      case Argument::kOne:
        return skip(1);
      case Argument::kTwo:
        return skip(2);
      case Argument::kFour:
        return skip(4);
      case Argument::kEight:
        return skip(8);
      case Argument::kSized1:
        return skip_sized(1);
      case Argument::kSized4:
        return skip_sized(4);
      case Argument::kSized8:
        return skip_sized(8);
      case Argument::kLine:
        return skip_line([](std::string_view) { return true; });
      case Argument::kAscii:
        return skip_line(is_ascii);
      case Argument::kQuoted:
        return skip_line(is_quoted);
      case Argument::kNumber:
        return skip_line(is_number);
      case Argument::kTwoNames: {
        const Outcome first = skip_line(is_module);
        return first == Outcome::kGoOn ? skip_line(is_attribute) : first;
      }
    }
    return Outcome::kFault;
  }

  Outcome skip(std::uint64_t count) {
    if (size_ && count > *size_ - position_) return Outcome::kFault;
    if (count > head_.size() - position_) return Outcome::kHeadEnds;
    position_ += static_cast<std::size_t>(count);
    return Outcome::kGoOn;
  }

  Outcome skip_sized(std::size_t width) {
    if (head_.size() - position_ < width) return Outcome::kHeadEnds;
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < width; ++i) length |= std::uint64_t{head_[position_ + i]} << (8 * i);
    position_ += width;
    return skip(length);
  }

  template <typename Accepts>
  Outcome skip_line(Accepts accepts) {
    const std::string_view rest = base::as_text(head_.subspan(position_));
    const std::size_t length = rest.find('\n');
    if (length == rest.npos) return accepts(rest) ? Outcome::kHeadEnds : Outcome::kFault;
    if (!accepts(rest.substr(0, length))) return Outcome::kFault;
    position_ += length + 1;
    return Outcome::kGoOn;
  }

  static bool is_ascii(std::string_view line) {
    return std::ranges::all_of(line, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) == 0; });
  }

  static bool is_quoted(std::string_view line) { return line.starts_with('\'') || line.starts_with('"'); }

  // What int() or float() may take.
  static bool is_number(std::string_view line) {
    return line.find_first_not_of("0123456789+-._eExXoObBaAcCdDfFLlinftyINFTY \t\r") == line.npos;
  }

  // What an import could find, and what an attribute of it can be called.
  static bool is_module(std::string_view line) {
    return std::ranges::all_of(line, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
             c == '.' || c == '-' || (static_cast<unsigned char>(c) & 0x80U) != 0;
    });
  }
  static bool is_attribute(std::string_view line) { return is_module(line) && line.find('-') == line.npos; }

  base::ByteView head_;
  std::optional<std::uint64_t> size_;
  std::size_t position_ = 0;
  std::uint64_t values_ = 0;
  std::array<std::uint64_t, 64> marks_{};
  std::size_t mark_count_ = 0;
};

}  // namespace

bool may_start_pickle(base::ByteView head, std::optional<std::uint64_t> size) {
  if (head.size() >= 2 && head[0] == kProto && head[1] <= kMaxProto) return true;
  const bool whole = size && *size == head.size();
  Walk walk(head, size);
  for (;;) {
    switch (walk.step()) {
      case Outcome::kGoOn:
        break;
      case Outcome::kFault:
        return false;
      case Outcome::kActs:
        return true;
      case Outcome::kStops:
        if (walk.at_end()) return whole;
        walk.restart();
        break;
      case Outcome::kHeadEnds:
        return !whole && !head.empty();
    }
  }
}

}  // namespace holdfast::formats
