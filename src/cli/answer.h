#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "cli/backend.h"

// How the answers of the API are shown: as they came, or as text for people.

namespace holdfast::cli {

// The text, number or truth value at a JSON pointer ("/version/digest"), without what a terminal would obey;
// empty where there is none. An answer may name more than this program knows, and less.
std::string field(const nlohmann::json& object, std::string_view pointer);
// A text of several lines, kept, and a line feed at its end; empty where there is none.
std::string text_block(const nlohmann::json& object, std::string_view name);
// The members of the array of that name; none where it is no array.
const std::vector<nlohmann::json>& items(const nlohmann::json& object, std::string_view name);

// Columns two spaces apart, under their headings.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  // As many cells as there are headings.
  void add(std::vector<std::string> cells);
  // `nothing` and a line feed where there is no row.
  [[nodiscard]] std::string text(std::string_view nothing) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// The body as the server sent it, and a line feed where it lacks one.
void print_as_it_came(const ApiResponse& response);

// Of a 2xx answer: prints it as it came where `as_json` is set, else by `show`. Others are errors.
using Show = std::function<void(const nlohmann::json& answer)>;
base::Result<ExitCode> print_answer(const ApiResponse& response, bool as_json, const Show& show);

}  // namespace holdfast::cli
