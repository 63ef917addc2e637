#include "inspect/pickle_explain.h"

#include <fmt/format.h>

#include <charconv>

#include "inspect/pickle_text.h"

namespace holdfast::inspect {
namespace {

constexpr std::string_view kMore = "...";
constexpr std::string_view kEnd = "# the rest is left out\n";

void append_bounded(std::string& to, std::string_view what) {
  if (to.ends_with(kMore)) return;
  if (to.size() + what.size() <= PickleExplainer::kMaxValueBytes) {
    to += what;
  } else {
    to += kMore;
  }
}

std::string little_endian_integer(std::string_view digits, std::uint64_t size) {
  if (size > sizeof(std::int64_t)) return fmt::format("<integer of {} bytes>", size);
  std::uint64_t bits = !digits.empty() && (digits.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = digits.size(); i-- > 0;) bits = bits << 8 | static_cast<std::uint8_t>(digits[i]);
  return fmt::format("{}", static_cast<std::int64_t>(bits));
}

}  // namespace

void PickleExplainer::step(const PickleInstruction& instruction) {
  if (full_) return;
  if (values_.size() > kMaxValues) {
    leave_out_rest();
    return;
  }
  if (!step_values(instruction) && !step_containers(instruction) && !step_calls(instruction))
    step_memo(instruction);
}

void PickleExplainer::begin() {
  values_.clear();
  stack_.clear();
  marks_.clear();
  memo_.clear();
}

void PickleExplainer::note(std::string_view text) { line(fmt::format("# {}", text)); }

// Keeps room for the line that says where it stopped.
void PickleExplainer::line(std::string_view text) {
  if (full_) return;
  if (program_.size() + text.size() + 1 + kEnd.size() > max_program_bytes_) return leave_out_rest();
  program_.append(text).push_back('\n');
}

void PickleExplainer::leave_out_rest() {
  full_ = true;
  if (program_.size() + kEnd.size() <= max_program_bytes_) program_ += kEnd;
}

PickleExplainer::Ref PickleExplainer::make(std::string text, char close) {
  Value value{.text = {}, .close = close};
  append_bounded(value.text, text);
  values_.push_back(std::move(value));
  return static_cast<Ref>(values_.size() - 1);
}

PickleExplainer::Ref PickleExplainer::pop() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) return make("?");
  const Ref top = stack_.back();
  stack_.pop_back();
  return top;
}

std::vector<PickleExplainer::Ref> PickleExplainer::pop_to_mark() {
  if (marks_.empty()) return {};
  const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Ref> items(from, stack_.end());
  stack_.erase(from, stack_.end());
  marks_.pop_back();
  return items;
}

std::string PickleExplainer::text_of(Ref value) const {
  const Value& what = values_[value];
  return what.close == 0 ? what.text : what.text + what.close;
}

std::string PickleExplainer::joined(const std::vector<Ref>& items) const {
  std::string text;
  for (const Ref item : items) {
    if (text.ends_with(kMore)) break;
    append_bounded(text, text.empty() ? text_of(item) : ", " + text_of(item));
  }
  return text;
}

void PickleExplainer::add(Ref container, const std::vector<Ref>& items, bool pairs) {
  const bool display = values_[container].close != 0;
  std::string added;
  for (std::size_t i = 0; i < items.size() && !added.ends_with(kMore); ++i) {
    const std::string_view between = pairs && i % 2 == 1 ? ": " : ", ";
    append_bounded(added, fmt::format("{}{}", i == 0 ? "" : between, text_of(items[i])));
  }
  if (!display) {
    line(fmt::format("{}.{}({})", text_of(container), pairs ? "update" : "extend",
                     pairs ? "{" + added + "}" : "[" + added + "]"));
    return;
  }
  std::string& text = values_[container].text;
  if (text.size() > 1 && !added.empty()) append_bounded(text, ", ");
  append_bounded(text, added);
}

std::string PickleExplainer::arguments(Ref tuple) const {
  const std::string text = text_of(tuple);
  if (!text.starts_with('(') || !text.ends_with(')')) return "(*" + text + ")";
  return text.ends_with(",)") ? text.substr(0, text.size() - 2) + ")" : text;
}

void PickleExplainer::assign(std::string expression) {
  const std::string name = fmt::format("var_{}", variables_++);
  line(fmt::format("{} = {}", name, expression));
  push(name);
}

void PickleExplainer::quote(const PickleInstruction& instruction, std::string_view prefix) {
  const bool whole = instruction.number <= instruction.text.size() && instruction.text.size() <= 120;
  push(fmt::format("{}'{}'{}", prefix, printable(instruction.text),
                   whole ? "" : fmt::format(" <{} bytes>", instruction.number)));
}

bool PickleExplainer::step_values(const PickleInstruction& instruction) {
  using enum PickleOp;
  switch (instruction.op) {
    case kNone:
      push("None");
      return true;
    case kNewTrue:
      push("True");
      return true;
    case kNewFalse:
      push("False");
      return true;
    case kBinInt:
      push(fmt::format("{}", static_cast<std::int32_t>(instruction.number)));
      return true;
    case kBinInt1:
    case kBinInt2:
      push(fmt::format("{}", instruction.number));
      return true;
    case kBinFloat:
      push(fmt::format("{}", std::bit_cast<double>(__builtin_bswap64(instruction.number))));
      return true;
    case kInt:
    case kLong:
    case kFloat:
      push(printable(instruction.text));
      return true;
    case kLong1:
    case kLong4:
      push(little_endian_integer(instruction.text, instruction.number));
      return true;
    case kString:
      push(printable(instruction.text));
      return true;
    case kUnicode:
      push(fmt::format("'{}'", printable(instruction.text)));
      return true;
    case kShortBinUnicode:
    case kBinUnicode:
    case kBinUnicode8:
    case kShortBinString:
    case kBinString:
      quote(instruction, "");
      return true;
    case kShortBinBytes:
    case kBinBytes:
    case kBinBytes8:
      quote(instruction, "b");
      return true;
    case kByteArray8:
      quote(instruction, "bytearray:");
      return true;
    case kNextBuffer:
      push("next(buffers)");
      return true;
    case kReadOnlyBuffer:
      return true;
    case kEmptyTuple:
      push("()");
      return true;
    case kEmptyList:
      push("[", ']');
      return true;
    case kEmptyDict:
      push("{", '}');
      return true;
    case kEmptySet:
      push("{", '}');
      return true;
    default:
      return false;
  }
}

bool PickleExplainer::step_containers(const PickleInstruction& instruction) {
  using enum PickleOp;
  const auto tuple = [&](std::size_t count) {
    std::vector<Ref> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(fmt::format("({}{})", joined(items), count == 1 ? "," : ""));
  };
  const auto fill = [&](const std::vector<Ref>& items, bool pairs) {
    if (stack_.empty()) push("?");
    if (!items.empty()) add(stack_.back(), items, pairs);
  };
  switch (instruction.op) {
    case kTuple1:
      tuple(1);
      return true;
    case kTuple2:
      tuple(2);
      return true;
    case kTuple3:
      tuple(3);
      return true;
    case kTuple: {
      const auto items = pop_to_mark();
      push(fmt::format("({}{})", joined(items), items.size() == 1 ? "," : ""));
      return true;
    }
    case kList:
    case kDict: {
      const auto items = pop_to_mark();
      push(instruction.op == kList ? "[" : "{", instruction.op == kList ? ']' : '}');
      fill(items, instruction.op == kDict);
      return true;
    }
    case kFrozenSet:
      push(fmt::format("frozenset([{}])", joined(pop_to_mark())));
      return true;
    case kAppend: {
      const Ref item = pop();
      fill({item}, false);
      return true;
    }
    case kAppends:
    case kAddItems:
      fill(pop_to_mark(), false);
      return true;
    case kSetItem: {
      const Ref value = pop();
      const Ref key = pop();
      fill({key, value}, true);
      return true;
    }
    case kSetItems:
      fill(pop_to_mark(), true);
      return true;
    default:
      return false;
  }
}

bool PickleExplainer::step_calls(const PickleInstruction& instruction) {
  using enum PickleOp;
  switch (instruction.op) {
    case kGlobal:
      push(fmt::format("{}.{}", printable(instruction.text), printable(instruction.second)));
      return true;
    case kStackGlobal: {
      const std::string name = text_of(pop());
      const std::string module = text_of(pop());
      const bool known =
          name.size() > 1 && name.front() == '\'' && module.size() > 1 && module.front() == '\'';
      push(known ? fmt::format("{}.{}", module.substr(1, module.size() - 2), name.substr(1, name.size() - 2))
                 : fmt::format("getattr(import({}), {})", module, name));
      return true;
    }
    case kReduce: {
      const Ref given = pop();
      const Ref callee = pop();
      assign(text_of(callee) + arguments(given));
      return true;
    }
    case kNewObj: {
      const Ref given = pop();
      const Ref made = pop();
      assign(fmt::format("{0}.__new__({0}, *{1})", text_of(made), text_of(given)));
      return true;
    }
    case kNewObjEx: {
      const Ref named = pop();
      const Ref given = pop();
      const Ref made = pop();
      assign(fmt::format("{0}.__new__({0}, *{1}, **{2})", text_of(made), text_of(given), text_of(named)));
      return true;
    }
    case kInst:
      assign(fmt::format("{}.{}({})", printable(instruction.text), printable(instruction.second),
                         joined(pop_to_mark())));
      return true;
    case kObj: {
      auto items = pop_to_mark();
      const std::string callee = items.empty() ? "?" : text_of(items.front());
      if (!items.empty()) items.erase(items.begin());
      assign(fmt::format("{}({})", callee, joined(items)));
      return true;
    }
    case kBuild: {
      const Ref state = pop();
      if (stack_.empty()) push("?");
      line(fmt::format("{}.__setstate__({})", text_of(stack_.back()), text_of(state)));
      return true;
    }
    case kPersId:
      assign(fmt::format("persistent_load('{}')", printable(instruction.text)));
      return true;
    case kBinPersId:
      assign(fmt::format("persistent_load({})", text_of(pop())));
      return true;
    case kExt1:
    case kExt2:
    case kExt4:
      push(fmt::format("copyreg_extension({})", static_cast<std::int32_t>(instruction.number)));
      return true;
    case kStop:
      line(fmt::format("result = {}", text_of(pop())));
      return true;
    default:
      return false;
  }
}

void PickleExplainer::step_memo(const PickleInstruction& instruction) {
  using enum PickleOp;
  std::uint64_t index = instruction.number;
  if (instruction.op == kGet || instruction.op == kPut) {
    std::from_chars(instruction.text.data(), instruction.text.data() + instruction.text.size(), index);
  }
  switch (instruction.op) {
    case kMark:
      marks_.push_back(stack_.size());
      break;
    case kPopMark:
      pop_to_mark();
      break;
    case kPop:
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      break;
    case kDup:
      if (!stack_.empty()) stack_.push_back(stack_.back());
      break;
    case kMemoize:
    case kPut:
    case kBinPut:
    case kLongBinPut:
      if (!stack_.empty()) memo_[instruction.op == kMemoize ? memo_.size() : index] = stack_.back();
      break;
    case kGet:
    case kBinGet:
    case kLongBinGet:
      if (const auto known = memo_.find(index); known != memo_.end()) {
        stack_.push_back(known->second);
      } else {
        push("?");
      }
      break;
    default:
      break;
  }
}

}  // namespace holdfast::inspect
