#include "intake/relations.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

#include "formats/anomaly.h"

namespace holdfast::intake {
namespace {

namespace fs = std::filesystem;

struct Fault {
  std::string_view rule;
  std::string what;
};

// What is wrong with the file at `location` below `folder`; nothing where all is well.
std::optional<Fault> look_up(const fs::path& folder, const inspect::Reference& reference) {
  fs::path at = folder;
  std::error_code error;
  fs::file_status status;
  for (const auto& part : fs::path(reference.location)) {
    at /= part;
    status = fs::symlink_status(at, error);
    if (fs::is_symlink(status)) return Fault{"weights.link", "lies behind a symbolic link"};
    if (!fs::exists(status)) return Fault{"weights.missing", "is not there"};
  }
  if (!fs::is_regular_file(status)) return Fault{"weights.missing", "is no file"};
  const auto size = fs::file_size(at, error);
  if (error) return Fault{"weights.missing", "can't be looked at"};
  if (size >= reference.end) return std::nullopt;
  return Fault{"weights.too-short",
               fmt::format("has {} bytes, and {} must end at byte {}", size, reference.what, reference.end)};
}

}  // namespace

void Relations::add(const std::vector<inspect::Reference>& references, inspect::FileReport& report) {
  const fs::path folder = fs::path(report.path).parent_path();
  for (const auto& reference : references) {
    if (const auto fault = look_up(folder, reference)) {
      report.findings.push_back(
          {.rule_id = std::string(fault->rule),
           .severity = inspect::find_rule(fault->rule)->severity,
           .path = report.path,
           .offset = std::nullopt,
           .message = fmt::format("{}, where {} lies, {}", formats::quote(reference.location), reference.what,
                                  fault->what)});
      continue;
    }
    (reference.numbers ? numbers_ : others_)
        .insert((folder / reference.location).lexically_normal().string());
  }
}

void Relations::apply(inspect::Report& report) const {
  constexpr std::string_view kUnknown = "unknown";
  for (auto& file : report.files) {
    const std::string path = fs::path(file.path).lexically_normal().string();
    if (file.format != kUnknown || !numbers_.contains(path) || others_.contains(path)) continue;
    file.format = "tensor data";
    file.not_looked_at.clear();
  }
}

}  // namespace holdfast::intake
