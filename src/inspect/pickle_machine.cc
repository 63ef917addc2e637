#include "inspect/pickle_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "inspect/pickle_names.h"
#include "inspect/pickle_text.h"

namespace holdfast::inspect {
namespace {

// A slot this far beyond those in use makes the C unpickler allocate memory in proportion.
constexpr std::uint64_t kFarSlot = 1UL << 20;
constexpr std::uint64_t kMaxInt32 = 0x7FFF'FFFF;

// torch/serialization.py, MAGIC_NUMBER, as LONG1 holds it.
constexpr std::string_view kTorchMagic{"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10};

bool is_signed_size(PickleOp op) { return op == PickleOp::kBinString || op == PickleOp::kLong4; }

}  // namespace

PickleMachine::PickleMachine(const PickleMachine& outer, PickleReader& reader, Part part)
    : job_(outer.job_),
      reader_(reader),
      within_(true),
      memo_(kNestedShare, part == Part::kData ? &outer.memo_ : nullptr) {
  if (part == Part::kObjects) {
    other_memo_.emplace(kNestedShare, &outer.memo_);
    return;
  }
  stack_ = outer.stack_;
  marks_ = outer.marks_;
  fence_ = outer.fence_;
  protocol_ = outer.protocol_;
}

PickleMachine::End PickleMachine::run() {
  PickleInstruction instruction;
  for (bool first = true;; first = false) {
    const PickleReader::Step step = reader_.next(instruction);
    if (step != PickleReader::Step::kInstruction) {
      if (step == PickleReader::Step::kEnd && first) return End::kNothing;
      if (step == PickleReader::Step::kInvalid) {
        why_ = "a byte is no instruction";
        return End::kMalformed;
      }
      why_ = "it ends before its STOP instruction";
      return End::kTruncated;
    }
    if (job_.explainer != nullptr) job_.explainer->step(instruction);
    if (!execute(instruction)) return end_;
  }
}

bool PickleMachine::execute(const PickleInstruction& instruction) {
  using enum PickleOp;
  const std::uint64_t offset = instruction.offset;
  std::uint64_t index = instruction.number;
  std::size_t start = 0;
  switch (instruction.op) {
    case kMark:
      return mark();
    case kPop:
      return pop();
    case kPopMark:
      return pop_mark(start) && (stack_.resize(start), true);
    case kDup:
      return need(1) && push(stack_.back());
    case kMemoize:
      return put(memo_.count());
    case kPut:
      return line_index(instruction, index) && put(index);
    case kBinPut:
    case kLongBinPut:
      return put(index);
    case kGet:
      return line_index(instruction, index) && get(index);
    case kBinGet:
    case kLongBinGet:
      return get(index);
    case kEmptyTuple:
      return make_tuple(0);
    case kTuple1:
      return make_tuple(1);
    case kTuple2:
      return make_tuple(2);
    case kTuple3:
      return make_tuple(3);
    case kTuple:
      return pop_mark(start) && make_tuple(stack_.size() - start);
    case kEmptyList:
      return push(PickleValue(PickleKind::kList));
    case kEmptySet:
      return push(PickleValue(PickleKind::kSet));
    case kEmptyDict:
      return push(job_.heap.dict());
    case kList:
      return collect(PickleKind::kList);
    case kDict:
      return collect(PickleKind::kDict);
    case kFrozenSet:
      return collect(PickleKind::kSet);
    case kAppend:
      return need(2) && add_items(stack_.size() - 1);
    case kAppends:
    case kAddItems:
      return pop_mark(start) && add_items(start);
    case kSetItem:
      return need(3) && set_items(stack_.size() - 2);
    case kSetItems:
      return pop_mark(start) && set_items(start);
    case kGlobal:
      return global(offset, instruction.text, instruction.second, instruction.cut);
    case kStackGlobal:
      return stack_global(offset);
    case kReduce:
      return reduce(offset);
    case kNewObj:
      return new_object(offset, 2);
    case kNewObjEx:
      return new_object(offset, 3);
    case kBuild:
      return build(offset);
    case kStop:
      return stop();
    default:
      return execute_constant(instruction);
  }
}

bool PickleMachine::execute_constant(const PickleInstruction& instruction) {
  using enum PickleOp;
  const std::uint64_t number = instruction.number;
  switch (instruction.op) {
    case kNone:
      return push(PickleValue(PickleKind::kNone));
    case kNewTrue:
      return push(PickleValue(PickleKind::kBool, 1));
    case kNewFalse:
      return push(PickleValue(PickleKind::kBool));
    case kBinInt:
      return push(PickleValue::integer(static_cast<std::int32_t>(number)));
    case kBinInt1:
    case kBinInt2:
      return push(PickleValue::integer(static_cast<std::int64_t>(number)));
    case kBinFloat:
      return push(PickleValue(PickleKind::kNumber));
    case kShortBinUnicode:
    case kBinUnicode:
    case kBinUnicode8:
    case kShortBinString:
    case kBinString:
      return string_constant(instruction);
    case kShortBinBytes:
    case kBinBytes:
    case kBinBytes8:
    case kByteArray8:
      return bytes_constant(instruction);
    case kLong1:
    case kLong4:
      return long_constant(instruction);
    case kInt:
    case kLong:
    case kFloat:
    case kString:
    case kUnicode:
      return line_constant(instruction);
    default:
      return execute_object(instruction);
  }
}

bool PickleMachine::execute_object(const PickleInstruction& instruction) {
  using enum PickleOp;
  const std::uint64_t offset = instruction.offset;
  std::size_t start = 0;
  switch (instruction.op) {
    case kInst: {
      // Before the mark is looked for, as pickle.py does: the import happens even where there is none.
      if (!global(offset, instruction.text, instruction.second, instruction.cut)) return false;
      const PickleValue callee = stack_.back();
      stack_.pop_back();
      return pop_mark(start) && instantiate(offset, callee, start, start);
    }
    case kObj:
      if (!pop_mark(start)) return false;
      if (stack_.size() == start) return finish(End::kMalformed, "OBJ has no class");
      return instantiate(offset, stack_[start], start, start + 1);
    case kPersId:
      job_.report("pickle.persistent-id", offset,
                  fmt::format("The persistent id \"{}\" stands for an object that the loader supplies.",
                              printable(instruction.text)));
      return push(PickleValue(PickleKind::kReported));
    case kBinPersId:
      return persistent_id(offset);
    case kNextBuffer:
      return push(PickleValue(PickleKind::kBytes));
    case kReadOnlyBuffer:
      return need(1);
    case kProto:
      return start_protocol(instruction.number);
    case kFrame:
      // C: "FRAME length exceeds system's maximum"; Python: "frame size > sys.maxsize".
      if (instruction.number >> 63 != 0) return finish(End::kMalformed, "a frame has an impossible size");
      reader_.enter_frame(instruction.number);
      return true;
    default:
      return extension(instruction);
  }
}

bool PickleMachine::finish(End end, std::string_view why) {
  end_ = end;
  why_ = why;
  return false;
}

bool PickleMachine::push(PickleValue value) {
  if (stack_.size() >= kMaxStack) {
    job_.report(
        "pickle.too-large", reader_.position(),
        fmt::format("More than {} values wait on the stack; what follows was not looked at.", kMaxStack));
    return finish(End::kRefused, {});
  }
  if (stack_.size() == stack_.capacity() && stack_.size() >= kMaxStack / 32) stack_.reserve(kMaxStack);
  stack_.push_back(value);
  return true;
}

bool PickleMachine::need(std::size_t count) {
  if (stack_.size() - fence_ >= count) return true;
  return finish(End::kMalformed, "an instruction finds too few values on the stack");
}

bool PickleMachine::mark() {
  if (marks_.size() >= kMaxMarks) {
    job_.report(
        "pickle.too-large", reader_.position(),
        fmt::format("Marks are nested more than {} deep; what follows was not looked at.", kMaxMarks));
    return finish(End::kRefused, {});
  }
  fence_ = stack_.size();
  marks_.push_back(static_cast<std::uint32_t>(fence_));
  return true;
}

bool PickleMachine::pop_mark(std::size_t& start) {
  if (marks_.empty()) return finish(End::kMalformed, "an instruction finds no mark");
  start = marks_.back();
  marks_.pop_back();
  fence_ = marks_.empty() ? 0 : marks_.back();
  return true;
}

// load_pop: takes the mark away where it is on top.
bool PickleMachine::pop() {
  std::size_t start = 0;
  if (!marks_.empty() && marks_.back() == stack_.size()) return pop_mark(start);
  if (!need(1)) return false;
  stack_.pop_back();
  return true;
}

bool PickleMachine::make_tuple(std::size_t count) {
  if (!need(count)) return false;
  const PickleValue tuple = job_.heap.tuple(std::span(stack_).last(count));
  stack_.resize(stack_.size() - count);
  return push(tuple);
}

bool PickleMachine::collect(PickleKind kind) {
  std::size_t start = 0;
  if (!pop_mark(start)) return false;
  PickleValue made(kind);
  if (kind == PickleKind::kDict) {
    made = job_.heap.dict();
    if ((stack_.size() - start) % 2 != 0) return finish(End::kMalformed, "DICT has a key without a value");
    if (start > 0 && stack_[start - 1].is(PickleKind::kArray)) {
      note_array_state(made.payload(), std::span(stack_).subspan(start));
    }
  }
  stack_.resize(start);
  return push(made);
}

bool PickleMachine::put(std::uint64_t index) {
  if (!need(1)) return false;
  if (index >= memo_.count() + kFarSlot) {
    job_.report("pickle.memo-bomb", reader_.position(),
                fmt::format("Memo slot {} is written while {} are in use.", index, memo_.count()));
  }
  if (other_memo_) other_memo_->put(index == memo_.count() ? other_memo_->count() : index, stack_.back());
  memo_.put(index, stack_.back());
  return true;
}

bool PickleMachine::get(std::uint64_t index) {
  const PickleValue value = memo_.get(index);
  if (value.is(PickleKind::kAbsent))
    return finish(End::kMalformed, "a memo slot is read that was never written");
  if (other_memo_) compare_readings(index, value);
  return push(value);
}

// A loader other than joblib's reads another slot here. Where honest files differ so, that loader soon fails;
// what is looked for is a slot that would make it name or call something else than what was judged.
void PickleMachine::compare_readings(std::uint64_t index, PickleValue value) {
  const PickleValue other = other_memo_->get(index);
  if (other == value) return;
  const auto text = job_.heap.text_of(other);
  const auto role = role_of(other);
  const bool names =
      is_text(value) && (text ? is_dangerous_word(*text) : is_text(other) || other.is(PickleKind::kUnknown));
  const bool calls = value.is(PickleKind::kGlobal) && role && !is_class(*role);
  if (!names && !calls) return;
  job_.report(
      "pickle.reads-two-ways", reader_.position(),
      fmt::format("A loader other than joblib's would find {} here, which may name or call something else.",
                  text ? fmt::format("\"{}\"", printable(*text)) : std::string("another value")));
}

bool PickleMachine::add_items(std::size_t start) {
  if (start <= fence_) return finish(End::kMalformed, "items are added to nothing");
  if (stack_.size() == start) return true;
  check_target(reader_.position() - 1, stack_[start - 1]);
  stack_.resize(start);
  return true;
}

bool PickleMachine::set_items(std::size_t start) {
  if (start <= fence_) return finish(End::kMalformed, "items are set in nothing");
  const PickleValue target = stack_[start - 1];
  const bool in_array = start >= 2 && stack_[start - 2].is(PickleKind::kArray);
  if (target.is(PickleKind::kDict)) {
    if (in_array || target.payload() == array_.dict) {
      note_array_state(target.payload(), std::span(stack_).subspan(start));
    }
  } else if (stack_.size() > start) {
    check_target(reader_.position() - 1, target);
  }
  stack_.resize(start);
  return true;
}

bool PickleMachine::start_protocol(std::uint64_t protocol) {
  if (protocol > kHighestPickleProtocol) return finish(End::kMalformed, "its protocol is unknown to Python");
  protocol_ = protocol;
  return true;
}

bool PickleMachine::stop() {
  if (!need(1)) return false;
  result_ = stack_.back();
  return finish(End::kStop, {});
}

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
bool PickleMachine::line_index(const PickleInstruction& instruction, std::uint64_t& index) {
  const std::string_view line = instruction.text;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (!line.empty() && error == std::errc{} && end == line.data() + line.size()) return true;
  if (!instruction.cut && !is_number_text(line)) return finish(End::kMalformed, "a memo index is no number");
  job_.report(
      "pickle.reads-two-ways", instruction.offset,
      fmt::format(
          "The memo index \"{}\" is not written as picklers write it; what follows was not looked at.",
          printable(line)));
  return finish(End::kRefused, {});
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
