#include "intake/dataset_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "intake/wire_error.h"
#include "worker/frame.h"

namespace holdfast::intake {
namespace {

using base::ErrorCode;
using nlohmann::json;

tl::unexpected<base::Error> malformed() {
  return base::fail(ErrorCode::kDataCorrupt, "the worker gave a survey that makes no sense");
}

std::string encode_error(const base::Error& error) {
  json object{{"is", "no survey"}};
  put_error(object, error);
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n\n";
}

// Up to a line feed, and removes both.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

bool take(const json& object, const char* name, std::uint64_t& to) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return false;
  to = found->get<std::uint64_t>();
  return true;
}

bool take(const json& object, const char* name, base::Digest& to) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return false;
  const auto digest = base::Digest::from_hex(found->get_ref<const std::string&>());
  if (!digest) return false;
  to = *digest;
  return true;
}

// Of parts that hold rows, and all of them.
bool take_parts(const json& object, std::uint64_t rows, std::array<data::PartSurvey, 3>& parts) {
  const auto list = object.find("parts");
  if (list == object.end() || !list->is_array() || list->size() != parts.size()) return false;
  std::uint64_t left = rows;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const json& one = (*list)[i];
    if (!one.is_object() || !take(one, "digest", parts[i].digest) || !take(one, "rows", parts[i].rows))
      return false;
    if (parts[i].rows == 0 || parts[i].rows > left) return false;
    left -= parts[i].rows;
  }
  return left == 0;
}

bool of_same_columns(const data::Schema& schema, const data::Profile& profile) {
  return std::ranges::equal(schema.columns, profile.columns(), {}, &data::Column::name,
                            &data::ColumnProfile::name);
}

}  // namespace

std::string encode(const base::Result<DatasetSurvey>& survey) {
  if (!survey) return encode_error(survey.error());
  json parts = json::array();
  for (const auto& part : survey->parts)
    parts.push_back({{"digest", part.digest.hex()}, {"rows", part.rows}});
  const json head{{"is", "survey"},
                  {"digest", survey->digest.hex()},
                  {"rows", survey->rows},
                  {"parts", std::move(parts)}};
  std::string frame = fmt::format("{}\n{}\n{}", head.dump(), data::to_json(survey->schema),
                                  data::to_json(survey->train_profile));
  if (frame.size() <= worker::kMaxFrameBytes) return frame;
  return encode_error(
      {ErrorCode::kLimitExceeded,
       fmt::format("the profile of the dataset's {} columns takes over {} MiB: leave out columns "
                   "that no model needs",
                   survey->schema.columns.size(), worker::kMaxFrameBytes >> 20)});
}

base::Result<DatasetSurvey> decode_survey(base::ByteView frame) {
  std::string_view text = base::as_text(frame);
  const auto head = base::parse_json(take_line(text));
  if (!head || !head->is_object() || !head->contains("is")) return malformed();
  if ((*head)["is"] == "no survey") {
    return base::fail(take_error(*head, {ErrorCode::kInvalidArgument, ErrorCode::kDataCorrupt,
                                         ErrorCode::kUnsupported, ErrorCode::kLimitExceeded}));
  }
  base::Digest digest;
  std::uint64_t rows = 0;
  std::array<data::PartSurvey, 3> parts;
  if ((*head)["is"] != "survey" || head->size() != 4 || !take(*head, "digest", digest) ||
      !take(*head, "rows", rows) || !take_parts(*head, rows, parts)) {
    return malformed();
  }
  auto schema = data::parse_schema(take_line(text));
  auto profile = data::parse_profile(text);
  if (!schema || !profile || !of_same_columns(*schema, *profile)) return malformed();
  if (profile->rows() != parts.front().rows) return malformed();
  return DatasetSurvey{.digest = digest,
                       .rows = rows,
                       .parts = parts,
                       .schema = *std::move(schema),
                       .train_profile = *std::move(profile)};
}

}  // namespace holdfast::intake
