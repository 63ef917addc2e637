#include "cli/answer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "cli/api_client.h"

namespace holdfast::cli {
namespace {

// Characters, for aligning: the bytes of UTF-8 that do not continue one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string printable(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

}  // namespace

std::string field(const nlohmann::json& object, std::string_view pointer) {
  const nlohmann::json::json_pointer place{std::string(pointer)};
  if (!object.contains(place)) return {};
  const auto& value = object.at(place);
  if (value.is_string()) return printable(value.get<std::string>());
  return value.is_primitive() && !value.is_null() ? value.dump() : std::string();
}

std::string text_block(const nlohmann::json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  auto text = found->get<std::string>();
  std::ranges::replace_if(
      text, [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }, '?');
  if (!text.ends_with('\n')) text.push_back('\n');
  return text;
}

const std::vector<nlohmann::json>& items(const nlohmann::json& object, std::string_view name) {
  static const std::vector<nlohmann::json> none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() || !found->is_array() ? none
                                                     : found->get_ref<const nlohmann::json::array_t&>();
}

void Table::add(std::vector<std::string> cells) {
  HF_ASSERT(cells.size() == rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(std::string_view nothing) const {
  if (rows_.size() == 1) return std::string(nothing) + "\n";
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

void print_as_it_came(const ApiResponse& response) {
  print(response.body);
  if (!response.body.ends_with('\n')) print("\n");
}

base::Result<ExitCode> print_answer(const ApiResponse& response, bool as_json, const Show& show) {
  HF_TRY(const auto answer, accepted(response));
  if (as_json) {
    print_as_it_came(response);
  } else {
    show(answer);
  }
  return ExitCode::kDone;
}

}  // namespace holdfast::cli
