#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "formats/zip.h"

namespace holdfast::inspect {

// A zip as torch.save and torch.jit.save write it: one folder with data.pkl, tensors as raw bytes under
// data/, and, in TorchScript, code/ (PyTorch's caffe2/serialize/inline_container.h and
// torch/csrc/jit/serialization). Or as torch.export.save and AOTInductor do: one folder with archive_format,
// programs as JSON in models/ and tensors below data/ (torch/export/pt2_archive), before PyTorch 2.8
// serialized_exported_program.json without a folder.
class TorchArchive {
 public:
  // Nothing where the archive is none.
  static std::optional<TorchArchive> recognise(const formats::ZipReader& archive);

  [[nodiscard]] std::string_view format() const {
    return exported_ ? "PyTorch export" : script_ ? "TorchScript" : "PyTorch zip";
  }
  // Raw bytes of a tensor, which no loader takes for anything else.
  [[nodiscard]] bool is_storage(std::string_view name) const;
  // A source that the TorchScript loader compiles.
  [[nodiscard]] bool is_code(std::string_view name) const;
  // The program of TorchScript's mobile form, a pickle.
  [[nodiscard]] bool is_bytecode(std::string_view name) const;
  // The graph of an exported program.
  [[nodiscard]] bool is_exported_program(std::string_view name) const;
  // A tensor of an exported program, or the description of all of them.
  [[nodiscard]] bool is_exported_tensor(std::string_view name) const;
  [[nodiscard]] bool is_tensor_list(std::string_view name) const;

 private:
  explicit TorchArchive(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;  // "archive/", or empty
  bool script_ = false;
  bool exported_ = false;
};

}  // namespace holdfast::inspect
