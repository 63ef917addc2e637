#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inspect/pickle_reader.h"

// Writes a pickle's instructions as the Python that they amount to, for a person to read:
//   var_0 = os.system('true')
// It follows the machine step by step, keeps each value as a short text, and stops at its bounds. Nothing is
// decided by it. Not thread-safe.

namespace holdfast::inspect {

class PickleExplainer {
 public:
  static constexpr std::size_t kMaxValueBytes = 200;  // of the text of one value; the rest is "..."
  static constexpr std::size_t kMaxValues = 200'000;

  explicit PickleExplainer(std::size_t max_program_bytes) : max_program_bytes_(max_program_bytes) {}

  void step(const PickleInstruction& instruction);
  // A comment on a line of its own.
  void note(std::string_view text);
  // Before a pickle's first instruction.
  void begin();

  [[nodiscard]] const std::string& program() const { return program_; }

 private:
  // A container's text grows while it is filled, wherever it is referred to.
  struct Value {
    std::string text;
    char close = 0;  // the bracket that a display still lacks; 0 for anything else
    bool variable = false;
  };
  using Ref = std::uint32_t;

  bool step_values(const PickleInstruction& instruction);
  bool step_containers(const PickleInstruction& instruction);
  bool step_calls(const PickleInstruction& instruction);
  void step_memo(const PickleInstruction& instruction);

  Ref make(std::string text, char close = 0);
  void push(std::string text, char close = 0) { stack_.push_back(make(std::move(text), close)); }
  Ref pop();
  std::vector<Ref> pop_to_mark();
  std::string text_of(Ref value) const;
  std::string joined(const std::vector<Ref>& items) const;
  void add(Ref container, const std::vector<Ref>& items, bool pairs);
  std::string arguments(Ref tuple) const;
  void assign(std::string expression);
  void line(std::string_view text);
  void leave_out_rest();
  void quote(const PickleInstruction& instruction, std::string_view prefix);

  std::size_t max_program_bytes_;
  std::string program_;
  std::vector<Value> values_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Ref> memo_;
  std::uint64_t variables_ = 0;
  bool full_ = false;
};

}  // namespace holdfast::inspect
