#include "inspect/pickle_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "inspect/pickle_names.h"
#include "inspect/pickle_text.h"

namespace holdfast::inspect {
namespace {

// A slot this far beyond those in use makes the C unpickler allocate memory in proportion.
constexpr std::uint64_t kFarSlot = 1UL << 20;

}  // namespace

PickleMachine::PickleMachine(const PickleMachine& outer, PickleReader& reader, Part part)
    : job_(outer.job_),
      reader_(reader),
      within_(true),
      memo_(kWithinShare, part == Part::kData ? &outer.memo_ : nullptr) {
  if (part == Part::kObjects) {
    other_memo_.emplace(kWithinShare, &outer.memo_);
    return;
  }
  stack_ = outer.stack_;
  marks_ = outer.marks_;
  fence_ = outer.fence_;
  protocol_ = outer.protocol_;
}

struct PickleMachine::Dispatch {
  using Machine = PickleMachine;
  using Step = PickleInstruction;
  using enum PickleOp;
  struct Row {
    PickleOp op;
    Handler run;
  };

  // One row an instruction, in the order of pickle_opcodes.h.
  static constexpr Row kRows[] = {
      {kMark, [](Machine& m, const Step&) { return m.mark(); }},
      {kStop, [](Machine& m, const Step&) { return m.stop(); }},
      {kPop, [](Machine& m, const Step&) { return m.pop(); }},
      {kPopMark, [](Machine& m, const Step&) { return m.pop_mark() && m.drop(m.popped_); }},
      {kDup, [](Machine& m, const Step&) { return m.need(1) && m.push_again(m.stack_.back()); }},
      {kFloat, [](Machine& m, const Step& s) { return m.line_constant(s); }},
      {kInt, [](Machine& m, const Step& s) { return m.line_constant(s); }},
      {kBinInt,
       [](Machine& m, const Step& s) { return m.push_integer(static_cast<std::int32_t>(s.number)); }},
      {kBinInt1,
       [](Machine& m, const Step& s) { return m.push_integer(static_cast<std::uint8_t>(s.number)); }},
      {kLong, [](Machine& m, const Step& s) { return m.line_constant(s); }},
      {kBinInt2,
       [](Machine& m, const Step& s) { return m.push_integer(static_cast<std::uint16_t>(s.number)); }},
      {kNone, [](Machine& m, const Step&) { return m.push(PickleValue(PickleKind::kNone)); }},
      {kPersId, [](Machine& m, const Step& s) { return m.persistent_line(s); }},
      {kBinPersId, [](Machine& m, const Step& s) { return m.persistent_id(s.offset); }},
      {kReduce, [](Machine& m, const Step& s) { return m.reduce(s.offset); }},
      {kString, [](Machine& m, const Step& s) { return m.line_constant(s); }},
      {kBinString, [](Machine& m, const Step& s) { return m.string_constant(s); }},
      {kShortBinString, [](Machine& m, const Step& s) { return m.string_constant(s); }},
      {kUnicode, [](Machine& m, const Step& s) { return m.line_constant(s); }},
      {kBinUnicode, [](Machine& m, const Step& s) { return m.string_constant(s); }},
      {kAppend,
       [](Machine& m, const Step& s) { return m.need(2) && m.add_items(s.offset, m.stack_.size() - 1); }},
      {kBuild, [](Machine& m, const Step& s) { return m.build(s.offset); }},
      {kGlobal, [](Machine& m, const Step& s) { return m.global(s.offset, s.text, s.second, s.cut); }},
      {kDict, [](Machine& m, const Step&) { return m.collect(PickleKind::kDict); }},
      {kEmptyDict, [](Machine& m, const Step&) { return m.push(m.job_.heap.dict()); }},
      {kAppends, [](Machine& m, const Step& s) { return m.pop_mark() && m.add_items(s.offset, m.popped_); }},
      {kGet, [](Machine& m, const Step& s) { return m.get_at_line(s); }},
      {kBinGet, [](Machine& m, const Step& s) { return m.get(s.number); }},
      {kInst, [](Machine& m, const Step& s) { return m.instantiate_named(s); }},
      {kLongBinGet, [](Machine& m, const Step& s) { return m.get(s.number); }},
      {kList, [](Machine& m, const Step&) { return m.collect(PickleKind::kList); }},
      {kEmptyList, [](Machine& m, const Step&) { return m.push(PickleValue(PickleKind::kList)); }},
      {kObj, [](Machine& m, const Step& s) { return m.instantiate_first(s.offset); }},
      {kPut, [](Machine& m, const Step& s) { return m.put_at_line(s); }},
      {kBinPut, [](Machine& m, const Step& s) { return m.put(s.number); }},
      {kLongBinPut, [](Machine& m, const Step& s) { return m.put(s.number); }},
      {kSetItem,
       [](Machine& m, const Step& s) { return m.need(3) && m.set_items(s.offset, m.stack_.size() - 2); }},
      {kTuple,
       [](Machine& m, const Step&) { return m.pop_mark() && m.make_tuple(m.stack_.size() - m.popped_); }},
      {kEmptyTuple, [](Machine& m, const Step&) { return m.make_tuple(0); }},
      {kSetItems, [](Machine& m, const Step& s) { return m.pop_mark() && m.set_items(s.offset, m.popped_); }},
      {kBinFloat, [](Machine& m, const Step&) { return m.push(PickleValue(PickleKind::kNumber)); }},
      {kProto, [](Machine& m, const Step& s) { return m.start_protocol(s.number); }},
      {kNewObj, [](Machine& m, const Step& s) { return m.new_object(s.offset, 2); }},
      {kExt1, [](Machine& m, const Step& s) { return m.extension(s); }},
      {kExt2, [](Machine& m, const Step& s) { return m.extension(s); }},
      {kExt4, [](Machine& m, const Step& s) { return m.extension(s); }},
      {kTuple1, [](Machine& m, const Step&) { return m.make_tuple(1); }},
      {kTuple2, [](Machine& m, const Step&) { return m.make_tuple(2); }},
      {kTuple3, [](Machine& m, const Step&) { return m.make_tuple(3); }},
      {kNewTrue, [](Machine& m, const Step&) { return m.push(PickleValue(PickleKind::kBool, 1)); }},
      {kNewFalse, [](Machine& m, const Step&) { return m.push(PickleValue(PickleKind::kBool)); }},
      {kLong1, [](Machine& m, const Step& s) { return m.long_constant(s); }},
      {kLong4, [](Machine& m, const Step& s) { return m.long_constant(s); }},
      {kBinBytes, [](Machine& m, const Step& s) { return m.bytes_constant(s); }},
      {kShortBinBytes, [](Machine& m, const Step& s) { return m.bytes_constant(s); }},
      {kShortBinUnicode, [](Machine& m, const Step& s) { return m.string_constant(s); }},
      {kBinUnicode8, [](Machine& m, const Step& s) { return m.string_constant(s); }},
      {kBinBytes8, [](Machine& m, const Step& s) { return m.bytes_constant(s); }},
      {kEmptySet, [](Machine& m, const Step&) { return m.push(PickleValue(PickleKind::kSet)); }},
      {kAddItems, [](Machine& m, const Step& s) { return m.pop_mark() && m.add_items(s.offset, m.popped_); }},
      {kFrozenSet, [](Machine& m, const Step&) { return m.collect(PickleKind::kSet); }},
      {kNewObjEx, [](Machine& m, const Step& s) { return m.new_object(s.offset, 3); }},
      {kStackGlobal, [](Machine& m, const Step& s) { return m.stack_global(s.offset); }},
      {kMemoize, [](Machine& m, const Step&) { return m.put(m.memo_.count()); }},
      {kFrame, [](Machine& m, const Step& s) { return m.start_frame(s.number); }},
      {kByteArray8, [](Machine& m, const Step& s) { return m.bytes_constant(s); }},
      {kNextBuffer, [](Machine& m, const Step&) { return m.push(PickleValue(PickleKind::kBytes)); }},
      {kReadOnlyBuffer, [](Machine& m, const Step&) { return m.need(1); }},
  };

  static constexpr std::array<Handler, 256> table() {
    std::array<Handler, 256> handlers{};
    for (const Row& row : kRows) handlers[static_cast<std::uint8_t>(row.op)] = row.run;
    return handlers;
  }
};

PickleMachine::End PickleMachine::run() {
  static constexpr std::array<Handler, 256> kHandlers = Dispatch::table();
  PickleInstruction instruction;
  for (bool first = true;; first = false) {
    const PickleReader::Step step = reader_.next(instruction);
    if (step != PickleReader::Step::kInstruction) return ended_early(step, first);
    if (job_.explainer != nullptr) job_.explainer->step(instruction);
    if (!kHandlers[static_cast<std::uint8_t>(instruction.op)](*this, instruction)) return end_;
  }
}

PickleMachine::End PickleMachine::ended_early(PickleReader::Step step, bool first) {
  if (step == PickleReader::Step::kEnd && first) return End::kNothing;
  const bool invalid = step == PickleReader::Step::kInvalid;
  why_ = invalid ? "a byte is no instruction" : "it ends before its STOP instruction";
  return invalid ? End::kMalformed : End::kTruncated;
}

bool PickleMachine::finish(End end, std::string_view why) {
  end_ = end;
  why_ = why;
  return false;
}

// By doubling at first; then at once to the whole, of which only what is used takes memory.
bool PickleMachine::grow() {
  if (stack_.size() >= kMaxStack) {
    job_.report(
        "pickle.too-large", reader_.position(),
        fmt::format("More than {} values wait on the stack; what follows was not looked at.", kMaxStack));
    return finish(End::kRefused, {});
  }
  stack_.reserve(stack_.size() < kMaxStack / 32 ? std::max<std::size_t>(64, 2 * stack_.size()) : kMaxStack);
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

bool PickleMachine::pop_mark() {
  if (marks_.empty()) return finish(End::kMalformed, "an instruction finds no mark");
  popped_ = marks_.back();
  marks_.pop_back();
  fence_ = marks_.empty() ? 0 : marks_.back();
  return true;
}

bool PickleMachine::drop(std::size_t from) {
  stack_.resize(from);
  return true;
}

// load_pop: takes the mark away where it is on top.
bool PickleMachine::pop() {
  if (!marks_.empty() && marks_.back() == stack_.size()) return pop_mark();
  if (!need(1)) return false;
  stack_.pop_back();
  return true;
}

bool PickleMachine::make_tuple(std::size_t count) {
  if (!need(count)) return false;
  const std::size_t start = stack_.size() - count;
  if (is_shaped(start)) {
    const PickleValue shaped(PickleKind::kShaped, stack_[start].payload());
    check_items(start + 1);
    stack_.resize(start);
    return push(shaped);
  }
  check_items(start);
  const PickleValue tuple = job_.heap.tuple(std::span(stack_).last(count));
  stack_.resize(stack_.size() - count);
  return push(tuple);
}

bool PickleMachine::collect(PickleKind kind) {
  if (!pop_mark()) return false;
  const std::size_t start = popped_;
  PickleValue made(kind);
  if (kind == PickleKind::kDict) {
    made = job_.heap.dict();
    if ((stack_.size() - start) % 2 != 0) return finish(End::kMalformed, "DICT has a key without a value");
    if (start > 0 && stack_[start - 1].is(PickleKind::kArray)) {
      note_array_state(made.payload(), std::span(stack_).subspan(start));
      check_state_items(start);
      stack_.resize(start);
      return push(made);
    }
  }
  check_items(start);
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
  return push_again(value);
}

// What joblib's arrays depend on is followed in one place only: picklers never write either twice.
bool PickleMachine::push_again(PickleValue value) {
  if (value.is(PickleKind::kDict)) newest_shared_dict_ = std::max(newest_shared_dict_, value.payload());
  if (!value.is(PickleKind::kArray) || within_) return push(value);
  job_.report(
      "pickle.array-unreadable", reader_.position(),
      "An array that joblib is still to read stands in two places, so where the instructions go on can't "
      "be told; they were not followed.");
  return finish(End::kRefused, {});
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

bool PickleMachine::add_items(std::uint64_t offset, std::size_t start) {
  if (start <= fence_) return finish(End::kMalformed, "items are added to nothing");
  if (stack_.size() == start) return true;
  check_target(offset, stack_[start - 1]);
  check_items(start);
  stack_.resize(start);
  return true;
}

bool PickleMachine::set_items(std::uint64_t offset, std::size_t start) {
  if (start <= fence_) return finish(End::kMalformed, "items are set in nothing");
  const PickleValue target = stack_[start - 1];
  const bool in_array = start >= 2 && stack_[start - 2].is(PickleKind::kArray);
  if (target.is(PickleKind::kDict)) {
    if (in_array || target.payload() == array_.dict) {
      note_array_state(target.payload(), std::span(stack_).subspan(start));
      check_state_items(start);
      stack_.resize(start);
      return true;
    }
  } else if (stack_.size() > start) {
    check_target(offset, target);
  }
  check_items(start);
  stack_.resize(start);
  return true;
}

bool PickleMachine::start_protocol(std::uint64_t protocol) {
  if (protocol > kHighestPickleProtocol) return finish(End::kMalformed, "its protocol is unknown to Python");
  protocol_ = protocol;
  return true;
}

bool PickleMachine::start_frame(std::uint64_t size) {
  // C: "FRAME length exceeds system's maximum"; Python: "frame size > sys.maxsize".
  if (size >> 63 != 0) return finish(End::kMalformed, "a frame has an impossible size");
  reader_.enter_frame(size);
  return true;
}

bool PickleMachine::stop() {
  if (!need(1)) return false;
  result_ = stack_.back();
  return finish(End::kStop, {});
}

}  // namespace holdfast::inspect
