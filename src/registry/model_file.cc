#include "registry/model_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::registry {
namespace {

using namespace std::string_view_literals;

// As formats/sniff.cc calls what no library loads as a model.
constexpr std::array kNeverModels{"empty"sv,  "pdf"sv, "png"sv, "jpeg"sv,
                                  "python"sv, "elf"sv, "pe"sv,  "mach-o"sv};

// What tells the models that are written as text: LightGBM's first line, the root of PMML (dmg.org), and a
// member that stands at the beginning of what XGBoost's and CatBoost's JSON writers make.
constexpr std::array kTextMarks{"tree\nversion="sv, "<PMML"sv};
constexpr std::array kJsonMarks{"\"learner\""sv, "\"oblivious_trees\""sv, "\"features_info\""sv};

bool has_any(std::string_view head, const auto& marks) {
  return std::ranges::any_of(marks, [&](std::string_view mark) { return head.find(mark) != head.npos; });
}

}  // namespace

std::optional<std::string> why_no_model(std::string_view format, base::ByteView head) {
  const auto text = base::as_text(head.first(std::min(head.size(), kModelHeadBytes)));
  const bool none = std::ranges::find(kNeverModels, format) != kNeverModels.end() ||
                    (format == "text" && !has_any(text, kTextMarks)) ||
                    (format == "json" && !has_any(text, kJsonMarks));
  if (!none) return std::nullopt;
  return fmt::format("it is {}{}, and no model", format, format == "empty" ? "" : " alone");
}

}  // namespace holdfast::registry
