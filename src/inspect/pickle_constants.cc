#include <fmt/format.h>

#include <charconv>

#include "inspect/pickle_machine.h"
#include "inspect/pickle_text.h"

// The instructions that put a constant on the stack.

namespace holdfast::inspect {
namespace {

constexpr std::uint64_t kMaxInt32 = 0x7FFF'FFFF;

// torch/serialization.py, MAGIC_NUMBER, as LONG1 holds it.
constexpr std::string_view kTorchMagic{"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10};

bool is_signed_size(PickleOp op) { return op == PickleOp::kBinString || op == PickleOp::kLong4; }

}  // namespace

bool PickleMachine::line_constant(const PickleInstruction& instruction) {
  const std::string_view line = instruction.text;
  if (instruction.cut) {
    const bool text = instruction.op == PickleOp::kString || instruction.op == PickleOp::kUnicode;
    return push(PickleValue(text ? PickleKind::kText : PickleKind::kNumber));
  }
  if (instruction.op == PickleOp::kUnicode) {
    const auto text = decode_raw_unicode(line);
    return push(text ? job_.heap.string(*text) : PickleValue(PickleKind::kText));
  }
  if (instruction.op == PickleOp::kString) {
    const bool quoted =
        line.size() >= 2 && line.front() == line.back() && (line.front() == '"' || line.front() == '\'');
    if (!quoted) return finish(End::kMalformed, "a STRING is not quoted");
    const auto text = decode_escapes(line.substr(1, line.size() - 2));
    return push(text ? job_.heap.string(*text) : PickleValue(PickleKind::kText));
  }
  if (!is_number_text(line)) return finish(End::kMalformed, "a number is none");
  if (instruction.op == PickleOp::kFloat) return push(PickleValue(PickleKind::kNumber));
  // pickle.py: "I00" and "I01" are False and True.
  if (line == "00" || line == "01") return push(PickleValue(PickleKind::kBool, line == "01" ? 1 : 0));
  std::int64_t number = 0;
  const std::string_view digits = line.ends_with('L') ? line.substr(0, line.size() - 1) : line;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  return push(whole ? PickleValue::integer(number) : PickleValue(PickleKind::kNumber));
}

// The index of GET and PUT, for which Python's int() takes more than digits; only what a pickler writes is
// followed.
std::optional<std::uint64_t> PickleMachine::line_index(const PickleInstruction& instruction) {
  const std::string_view line = instruction.text;
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (!line.empty() && error == std::errc{} && end == line.data() + line.size()) return index;
  if (!instruction.cut && !is_number_text(line)) {
    finish(End::kMalformed, "a memo index is no number");
    return std::nullopt;
  }
  job_.report(
      "pickle.reads-two-ways", instruction.offset,
      fmt::format(
          "The memo index \"{}\" is not written as picklers write it; what follows was not looked at.",
          printable(line)));
  finish(End::kRefused, {});
  return std::nullopt;
}

bool PickleMachine::put_at_line(const PickleInstruction& instruction) {
  const auto index = line_index(instruction);
  return index && put(*index);
}

bool PickleMachine::get_at_line(const PickleInstruction& instruction) {
  const auto index = line_index(instruction);
  return index && get(*index);
}

bool PickleMachine::long_constant(const PickleInstruction& instruction) {
  if (is_signed_size(instruction.op) && instruction.number > kMaxInt32) {
    return finish(End::kMalformed, "a number has a negative size");
  }
  const std::string_view digits = instruction.text;
  PickleValue value(PickleKind::kNumber);
  if (digits == kTorchMagic) {
    value = PickleValue(PickleKind::kMagic);
  } else if (digits.size() <= sizeof(std::int64_t)) {
    std::uint64_t bits = !digits.empty() && (digits.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = digits.size(); i-- > 0;) bits = bits << 8 | static_cast<std::uint8_t>(digits[i]);
    value = PickleValue::integer(static_cast<std::int64_t>(bits));
  }
  return skip_payload() && push(value);
}

bool PickleMachine::string_constant(const PickleInstruction& instruction) {
  if (is_signed_size(instruction.op) && instruction.number > kMaxInt32) {
    return finish(End::kMalformed, "a string has a negative size");
  }
  std::uint64_t nested = 0;
  if (may_hide_pickle(instruction, /*as_latin1=*/true)) nested = look_into(instruction, /*as_latin1=*/true);
  if (instruction.number <= PickleRing<char>::kMaxRun) return push(job_.heap.string(instruction.text));
  return skip_payload() && push(PickleValue(PickleKind::kText, nested));
}

bool PickleMachine::bytes_constant(const PickleInstruction& instruction) {
  std::uint64_t nested = 0;
  if (may_hide_pickle(instruction, /*as_latin1=*/false)) nested = look_into(instruction, /*as_latin1=*/false);
  return skip_payload() && push(PickleValue(PickleKind::kBytes, nested));
}

bool PickleMachine::skip_payload() {
  return reader_.skip_payload() || finish(End::kTruncated, "it ends within a constant");
}

}  // namespace holdfast::inspect
