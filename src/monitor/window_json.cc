#include <fmt/format.h>

#include <optional>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "data/json_fields.h"
#include "monitor/window.h"

namespace holdfast::monitor {
namespace {

using base::fail;
using base::Result;
using data::JsonFields;
using nlohmann::json;

constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMaxRows = 1ULL << 48;  // as in a reference
constexpr int kMaxDepth = 4;

template <typename Sketch>
std::string base64_of(const Sketch& sketch) {
  base::Bytes bytes;
  sketch.append_to(bytes);
  return base::base64_encode(bytes);
}

template <typename Sketch>
Result<Sketch> read_sketch(JsonFields& fields, std::string_view name) {
  HF_TRY(const base::Bytes bytes, fields.bytes(name));
  auto sketch = Sketch::parse(bytes);
  if (!sketch) return fail(std::move(sketch).error().within(fields.wrong(name, "can't be read").message));
  return sketch;
}

Result<std::uint64_t> read_rows(JsonFields& fields, std::string_view name) {
  HF_TRY(const std::uint64_t rows, fields.count(name));
  if (rows > kMaxRows) return fail(fields.wrong(name, "counts too many rows"));
  return rows;
}

Result<AnswerWindow> read_answer(const json& value, std::string place) {
  HF_TRY(JsonFields fields, JsonFields::of(value, std::move(place)));
  AnswerWindow answer;
  HF_TRY(answer.rows, read_rows(fields, "rows"));
  HF_TRY(answer.probability, read_sketch<stats::Moments>(fields, "probability"));
  HF_CHECK(fields.end());
  const stats::Moments& probability = answer.probability;
  const bool fits = probability.count() == answer.rows && probability.not_finite() == 0 &&
                    (answer.rows == 0 || (probability.mean() >= 0 && probability.mean() <= 1));
  if (!fits) return fail(fields.wrong("probability", "is not of as many probabilities"));
  return answer;
}

json json_of(const AnswerWindow& answer) {
  return {{"rows", answer.rows}, {"probability", base64_of(answer.probability)}};
}

}  // namespace

// Reads and writes what windows keep to themselves.
class WindowJson {
 public:
  static json of(const ColumnWindow& window, const ReferenceColumn& reference) {
    json value = {{"missing", window.missing_}};
    if (reference.numbers) {
      value["histogram"] = base64_of(window.numbers_);
    } else {
      value["categories"] = window.categories_;
    }
    return value;
  }

  // Of `rows` values, where they are known.
  static Result<ColumnWindow> read_column(const json& value, const ReferenceColumn& reference,
                                          std::string place, std::optional<std::uint64_t> rows) {
    HF_TRY(JsonFields fields, JsonFields::of(value, std::move(place)));
    ColumnWindow window(reference);
    HF_TRY(window.missing_, read_rows(fields, "missing"));
    if (reference.numbers) {
      HF_TRY(window.numbers_, read_sketch<stats::LogLinearHistogram>(fields, "histogram"));
      if (window.numbers_.not_finite() != 0) return fail(fields.wrong("histogram", "is not of numbers"));
    } else {
      HF_CHECK(read_categories(fields, window.categories_));
    }
    HF_CHECK(fields.end());
    std::uint64_t counted = 0;
    for (const std::uint64_t count : window.bins(reference)) {
      if (count > kMaxRows - counted) return fail(fields.wrong("missing", "counts too many rows"));
      counted += count;
    }
    if (rows && counted != *rows)
      return fail(fields.wrong("missing", "does not add up to the rows of the window"));
    return window;
  }

  static Result<> read(JsonFields& fields, Window& window) {
    HF_TRY(window.rows_, read_rows(fields, "rows"));
    HF_TRY(window.scores_, read_rows(fields, "scores"));
    const Reference& reference = window.reference();
    HF_TRY(const json* const columns, fields.array("columns", reference.columns().size()));
    if (columns->size() != reference.columns().size()) {
      return fail(fields.wrong("columns", "are not those of the reference"));
    }
    for (std::size_t i = 0; i < columns->size(); ++i) {
      HF_TRY(window.columns_[i], read_column((*columns)[i], reference.columns()[i],
                                             fmt::format("column {} of the window", i), window.rows_));
    }
    HF_TRY(const json* const score, fields.object("score"));
    HF_TRY(window.score_, read_column(*score, reference.score(), "the score of the window", std::nullopt));
    if (window.score_.numbers_.count() != window.scores_) {
      return fail(fields.wrong("scores", "are not as many as the score's values"));
    }
    HF_TRY(const json* const yes, fields.object("yes"));
    HF_TRY(window.yes_, read_answer(*yes, "\"yes\" of the window"));
    HF_TRY(const json* const no, fields.object("no"));
    HF_TRY(window.no_, read_answer(*no, "\"no\" of the window"));
    const std::uint64_t calibrated = reference.calibration() ? window.scores_ : 0;
    if (window.yes_.rows + window.no_.rows != calibrated) {
      return fail(fields.wrong("yes", "and \"no\" do not add up to the scores"));
    }
    return {};
  }

 private:
  static Result<> read_categories(JsonFields& fields, std::vector<std::uint64_t>& categories) {
    HF_TRY(const json* const array, fields.array("categories", categories.size()));
    if (array->size() != categories.size()) {
      return fail(fields.wrong("categories", "are not as many as in the reference"));
    }
    for (std::size_t i = 0; i < categories.size(); ++i) {
      if (!(*array)[i].is_number_unsigned())
        return fail(fields.wrong("categories", "holds what is no count"));
      categories[i] = (*array)[i].get<std::uint64_t>();
    }
    return {};
  }
};

std::string to_json(const Window& window) {
  const Reference& reference = window.reference();
  json value = {{"columns", json::array()},
                {"no", json_of(window.answer(false))},
                {"rows", window.rows()},
                {"score", WindowJson::of(window.score(), reference.score())},
                {"scores", window.scores()},
                {"version", kVersion},
                {"yes", json_of(window.answer(true))}};
  for (std::size_t i = 0; i < window.columns().size(); ++i) {
    value["columns"].push_back(WindowJson::of(window.columns()[i], reference.columns()[i]));
  }
  return data::canonical_text(value);
}

Result<Window> parse_window(std::shared_ptr<const Reference> reference, std::string_view text) {
  HF_TRY(const json value,
         base::parse_json(text, {.max_bytes = Reference::kMaxBytes, .max_depth = kMaxDepth}));
  HF_TRY(JsonFields fields, JsonFields::of(value, "the window"));
  HF_TRY(const std::uint64_t version, fields.count("version"));
  if (version != kVersion) return fail(fields.wrong("version", fmt::format("is not {}", kVersion)));
  Window window(std::move(reference));
  HF_CHECK(WindowJson::read(fields, window));
  HF_CHECK(fields.end());
  return window;
}

}  // namespace holdfast::monitor
