#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "inspect/finding.h"

// What PyTorch's operations may do beyond computing, by the rule list kTorchOps: for TorchScript and exported
// programs, which name them.

namespace holdfast::inspect {

enum class TorchReach : std::uint8_t {
  kNothing,
  kFile,
  kNetwork,
  kPython,
  kMemory,
  kNative,
  kUnknown,  // no operation of PyTorch or torchvision
};

// Whether a line of data/torch_ops.list may begin with this word: "file".
bool is_torch_kind(std::string_view word);

// By namespace and name without overload: "aten::add".
TorchReach torch_reach(std::string_view operation);

// Adds what an operation that is not harmless does; `operation` as the model names it.
void report_torch_operation(TorchReach reach, std::string_view operation, const std::string& path,
                            std::optional<std::uint64_t> offset, Findings& findings);

// Whether a class that is written in C++ ("quantized.Conv2dPackedParamsBase", below torch.classes) is
// PyTorch's own and holds tensors alone.
bool is_torch_class(std::string_view name);

std::span<const Rule> torch_rules();

}  // namespace holdfast::inspect
