#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "inspect/finding.h"
#include "inspect/gaps.h"

namespace holdfast::inspect {

// Judges the code of a TorchScript archive: the files code/**.py, in the restricted Python that
// torch.jit.save writes and torch.jit.load compiles
// (torch/csrc/jit/serialization/{python_print,import_source}.cpp), and the bytecode of its mobile form. What
// they may call is decided by a list; everything else is found. Nothing is executed. One archive; one thread.
class TorchScript {
 public:
  static constexpr std::size_t kMaxNames = 1U << 20;  // of all files, that are kept until finish()

  // The text of one file; `path` is what findings name. Gives what could not be looked at.
  Gaps add(std::string_view text, const std::string& path, Findings& findings);
  // bytecode.pkl of the mobile form: the operations that it names. The pickle itself is for the pickle
  // inspector.
  static void add_bytecode(std::string_view pickle, const std::string& path, Findings& findings);
  // Once all files were added: calls of what none of them defines. Gives what could not be looked at.
  Gaps finish(Findings& findings);

 private:
  struct Use {
    std::string path;
    std::uint64_t offset = 0;
  };
  friend class ScriptReader;

  std::set<std::string, std::less<>> defined_;         // functions, methods and classes of all files
  std::map<std::string, Use, std::less<>> methods_;    // that are called, where first
  std::map<std::string, Use, std::less<>> functions_;  // the same for what is called by its name alone
  bool whole_ = true;
};

}  // namespace holdfast::inspect
