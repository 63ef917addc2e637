#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// Which functions of Python's world do what a model file has no business doing, as data.

namespace holdfast::inspect {

enum class PythonCallKind : std::uint8_t {
  kNone,
  kExecutesText,  // exec, eval, compile
  kShell,         // text that a shell reads
  kProcess,       // another program
  kUnpickles,     // runs what a pickle asks for, always
  kTorchLoad,     // unless weights_only=True
  kNumpyLoad,     // with allow_pickle=True
  kYamlLoad,      // unless with a safe loader
  kKerasLoad,     // with safe_mode=False
  kImports,       // a module by its name
  kNetwork,
  kNative,          // code of a shared library
  kRemoteCode,      // code from a hub
  kDecodes,         // gives bytes or text that were not readable in the source
  kTemplate,        // a template that is itself an argument
  kPromptTemplate,  // a prompt's fixed part
};

// By the name with its modules: "os.system"; without any for what is built in: "eval".
PythonCallKind python_call_kind(std::string_view name);

// As data/python_calls.list writes it: "executes-text".
std::optional<PythonCallKind> parse_python_call_kind(std::string_view word);

}  // namespace holdfast::inspect
