#include "inspect/torch_archive.h"

#include <algorithm>

namespace holdfast::inspect {
namespace {

constexpr std::string_view kOlderExport = "serialized_exported_program.json";

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What stands after `folder` and `inner` in `name`; nothing where it does not begin so.
std::optional<std::string_view> below(std::string_view name, std::string_view folder,
                                      std::string_view inner) {
  if (!name.starts_with(folder)) return std::nullopt;
  name.remove_prefix(folder.size());
  if (!name.starts_with(inner)) return std::nullopt;
  return name.substr(inner.size());
}

}  // namespace

std::optional<TorchArchive> TorchArchive::recognise(const formats::ZipReader& archive) {
  constexpr std::string_view kProgram = "data.pkl";
  constexpr std::string_view kExport = "archive_format";
  for (const auto& entry : archive.entries()) {
    const std::string_view name = entry.name;
    const std::size_t slash = name.find('/');
    const std::size_t start = slash == std::string_view::npos ? 0 : slash + 1;
    const bool exported = name.substr(start) == kExport || name == kOlderExport;
    if (!exported && name.substr(start) != kProgram) continue;
    TorchArchive found(std::string(name.substr(0, start)));
    found.exported_ = exported;
    found.script_ = std::ranges::any_of(archive.entries(), [&](const formats::ZipEntry& other) {
      return found.is_code(other.name) || found.is_bytecode(other.name);
    });
    return found;
  }
  return std::nullopt;
}

bool TorchArchive::is_storage(std::string_view name) const {
  if (exported_) return false;
  // torch.save numbers its storages; TorchScript names its own under constants/ and data/ likewise.
  for (const std::string_view inner : {"data/", "constants/"}) {
    if (const auto key = below(name, folder_, inner); key && all_digits(*key)) return true;
  }
  return false;
}

bool TorchArchive::is_code(std::string_view name) const {
  return below(name, folder_, "code/") && name.ends_with(".py");
}

bool TorchArchive::is_bytecode(std::string_view name) const {
  return below(name, folder_, "bytecode.pkl") == "";
}

bool TorchArchive::is_exported_program(std::string_view name) const {
  if (!exported_) return false;
  return name == kOlderExport || (below(name, folder_, "models/") && name.ends_with(".json"));
}

bool TorchArchive::is_exported_tensor(std::string_view name) const {
  return exported_ && (below(name, folder_, "data/weights/") || below(name, folder_, "data/constants/"));
}

bool TorchArchive::is_tensor_list(std::string_view name) const {
  return is_exported_tensor(name) && name.ends_with("_config.json");
}

}  // namespace holdfast::inspect
