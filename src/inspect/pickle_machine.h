#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "inspect/pickle.h"
#include "inspect/pickle_explain.h"
#include "inspect/pickle_globals.h"
#include "inspect/pickle_reader.h"
#include "inspect/pickle_value.h"

// The pickle machine: follows what Modules/_pickle.c and Lib/pickle.py of CPython 3 would do with a stream,
// on values of which it keeps only what decides: names, small tuples, what made an object. Internal to the
// pickle inspector.

namespace holdfast::inspect {

// What the machines over one file share.
struct PickleJob {
  static constexpr int kMaxDepth = 4;              // of pickles within the bytes of pickles
  static constexpr std::size_t kMaxNested = 4096;  // such pickles that are remembered
  static constexpr std::size_t kMaxStorages = 64UL << 10;
  static constexpr unsigned kMaxRepeats = 16;            // findings of one rule
  static constexpr std::size_t kMaxLooks = 200'000;      // into constants
  static constexpr std::size_t kMaxCopied = 64UL << 20;  // values, to follow array data

  PickleJob(const PickleOptions& how, std::string where, Findings& to, int nested_depth);

  void report(std::string_view rule, std::optional<std::uint64_t> offset, std::string message);

  // A pickle found in a bytes constant.
  struct Nested {
    bool clean_torch = false;  // a whole legacy PyTorch file without a finding of medium severity
    bool dangerous = false;    // it names a function for attacks, or holds a pickle that does
    std::string worst;         // what is wrong with it, where something is
  };

  const PickleOptions& options;
  std::string path;
  Findings& findings;
  int depth;
  PickleHeap heap;
  PickleGlobals globals;
  std::vector<Nested> nested;
  std::size_t looks = 0;
  std::size_t copied = 0;
  PickleExplainer* explainer = nullptr;
  // Of the storages that persistent ids name, for the raw data behind a legacy PyTorch file.
  std::unordered_set<std::uint64_t> storages;
  std::uint64_t storage_bytes = 0;

 private:
  std::unordered_map<std::string_view, unsigned> repeats_;
};

class PickleMachine {
 public:
  static constexpr std::size_t kMaxStack = 2UL << 20;
  static constexpr std::size_t kMaxMarks = 1UL << 20;
  // What is nested, and what is within joblib's stream, has this fraction of the memory.
  static constexpr std::size_t kNestedShare = 16;
  static constexpr std::size_t kWithinShare = 8;

  enum class End : std::uint8_t {
    kStop,
    kNothing,    // the stream was at its end
    kTruncated,  // it ends before STOP
    kMalformed,  // an instruction that every loader fails at
    kRefused,    // not followed further; a finding says why
  };
  // What of joblib's stream is read; `outer` is the machine that came upon it.
  enum class Part : std::uint8_t {
    kObjects,  // the pickle of an object array, for which loaders other than joblib's go on with the outer
               // memo
    kData,  // raw array data, as a loader that knows nothing of joblib would read it, from the outer state on
  };

  PickleMachine(PickleJob& job, PickleReader& reader)
      : job_(job), reader_(reader), memo_(job.depth > 0 ? kNestedShare : 1) {}
  // `outer` must outlive it.
  PickleMachine(const PickleMachine& outer, PickleReader& reader, Part part);

  End run();
  // What STOP gave.
  [[nodiscard]] PickleValue result() const { return result_; }
  // Why End::kMalformed or kTruncated.
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  struct Dispatch;
  using Handler = bool (*)(PickleMachine&, const PickleInstruction&);
  End ended_early(PickleReader::Step step, bool first);

  // Each gives false where the machine ends, with end_ set.
  bool finish(End end, std::string_view why);
  bool push(PickleValue value) {
    if (stack_.size() == stack_.capacity() && !grow()) return false;
    stack_.push_back(value);
    return true;
  }
  bool push_integer(std::int64_t number) { return push(PickleValue::integer(number)); }
  bool grow();
  bool need(std::size_t count);  // values above the last mark
  bool pop_mark();               // its items are those from popped_ on
  bool drop(std::size_t from);
  bool mark();
  bool pop();
  bool make_tuple(std::size_t count);
  bool collect(PickleKind kind);
  void compare_readings(std::uint64_t index, PickleValue value);
  bool put(std::uint64_t index);
  bool get(std::uint64_t index);
  bool add_items(std::uint64_t offset, std::size_t start);
  bool set_items(std::uint64_t offset, std::size_t start);
  bool start_protocol(std::uint64_t protocol);
  bool start_frame(std::uint64_t size);
  bool stop();
  bool line_constant(const PickleInstruction& instruction);
  std::optional<std::uint64_t> line_index(const PickleInstruction& instruction);
  bool put_at_line(const PickleInstruction& instruction);
  bool get_at_line(const PickleInstruction& instruction);
  bool long_constant(const PickleInstruction& instruction);
  bool string_constant(const PickleInstruction& instruction);
  bool bytes_constant(const PickleInstruction& instruction);
  bool skip_payload();
  // pickle_nested.cc: the constant as a pickle. 1 + an index of PickleJob::nested, or 0 where it is none.
  std::uint64_t look_into(const PickleInstruction& instruction, bool as_latin1);

  // pickle_calls.cc: what is named and what is called.
  bool global(std::uint64_t offset, std::string_view module, std::string_view name, bool cut);
  bool stack_global(std::uint64_t offset);
  bool extension(const PickleInstruction& instruction);
  bool reduce(std::uint64_t offset);
  bool new_object(std::uint64_t offset, std::size_t operands);
  // With the arguments from `first` on; everything from popped_ on goes.
  bool instantiate(std::uint64_t offset, PickleValue callee, std::size_t first);
  bool instantiate_named(const PickleInstruction& instruction);
  bool instantiate_first(std::uint64_t offset);
  bool build(std::uint64_t offset);
  bool persistent_line(const PickleInstruction& instruction);
  bool persistent_id(std::uint64_t offset);
  PickleValue storage(std::span<const PickleValue> id);
  void check_target(std::uint64_t offset, PickleValue target);
  // The values from `start` on become part of another: none may be a function that is allowed under
  // conditions.
  void check_items(std::size_t start) {
    for (std::size_t i = start; i < stack_.size(); ++i) {
      if (stack_[i].is(PickleKind::kGlobal) || stack_[i].is(PickleKind::kShaped)) {
        check_item(stack_[i].index());
      }
    }
  }
  void check_item(std::uint32_t global);
  bool is_shaped(std::size_t start) const;
  PickleValue reconstruct(PickleValue callee, PickleValue shaped);
  // A value that the stack or the memo holds once more.
  bool push_again(PickleValue value);
  enum class Manner : std::uint8_t { kNew, kCall };
  PickleValue call(std::uint64_t offset, PickleValue callee, PickleValue arguments, Manner manner);
  PickleValue allowed_call(std::uint64_t offset, std::uint32_t index, PickleRole role, PickleValue arguments,
                           Manner manner);
  // What is wrong with a call of a global that is allowed for some use; empty if nothing.
  std::string_view objection(PickleRole role, Manner manner, PickleValue arguments) const;
  std::string_view objection_to_arguments(PickleRole role, std::span<const PickleValue> arguments) const;
  bool is_member(std::uint32_t owner, std::string_view name) const;
  PickleValue member_of(std::uint64_t offset, std::uint32_t getattr, std::uint32_t owner,
                        std::string_view name);
  PickleValue instance_of(std::uint32_t global) const;
  std::optional<PickleRole> role_of(PickleValue value) const;

  // pickle_array.cc: numpy types, and the arrays that joblib leaves in the stream.
  PickleValue make_dtype(std::uint32_t global, PickleValue arguments);
  void set_dtype_state(PickleValue dtype, PickleValue state);
  struct ArrayState {
    std::uint64_t dict = 0;  // the serial number of the dict that these stand in
    bool followed = true;    // no key of it was forgotten or is unknown, and nothing else holds the dict
    PickleValue shape, dtype, alignment;

    [[nodiscard]] bool aligned() const {  // as joblib: anything but None
      return !alignment.is(PickleKind::kAbsent) && !alignment.is(PickleKind::kNone);
    }
  };
  void note_array_state(std::uint64_t dict, std::span<const PickleValue> items);
  void check_state_items(std::size_t start);
  bool read_array(std::uint64_t offset, PickleValue state);
  std::optional<std::uint64_t> array_bytes(const PickleDtype& dtype) const;
  bool skip_padding(std::uint64_t offset);
  bool skip_array_data(std::uint64_t offset, std::uint64_t bytes);
  bool read_object_array(std::uint64_t offset);
  void follow_array_data(std::uint64_t offset);  // pickle_nested.cc

  PickleJob& job_;
  PickleReader& reader_;
  bool within_ = false;  // a part of joblib's stream, in which its arrays are not looked for
  std::vector<PickleValue> stack_;
  std::vector<std::uint32_t> marks_;
  std::size_t fence_ = 0;  // values below belong to an outer mark
  std::size_t popped_ = 0;
  PickleMemo memo_;
  std::optional<PickleMemo> other_memo_;  // of Part::kObjects: as a loader other than joblib's has it
  std::uint64_t protocol_ = 0;
  ArrayState array_;
  std::uint64_t newest_shared_dict_ = 0;  // the highest serial number of those that stand in several places
  PickleValue result_;
  End end_ = End::kStop;
  std::string_view why_;
};

// Whether a constant might hold a pickle that names something. Cheap: all constants are asked.
bool may_hide_pickle(const PickleInstruction& constant, bool as_latin1);

// Reads pickles to the end of the stream, for a file and for what is nested in one. True for a whole legacy
// PyTorch file.
bool run_pickles(PickleJob& job, PickleReader& reader);

}  // namespace holdfast::inspect
