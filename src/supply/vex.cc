#include "supply/vex.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "supply/json_document.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;
using Json = nlohmann::json;

// {"@id": ...} or, before 0.2.0, the text itself.
std::string id_of(const Json& value, const char* name) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object()) return {};
  auto id = text_of(value, name);
  return id.empty() ? text_of(value, "@id") : id;
}

base::Result<VexStatement> read_statement(const Json& statement, const std::string& document_time) {
  VexStatement read;
  if (const auto found = statement.find("vulnerability"); found != statement.end()) {
    read.advisory = id_of(*found, "name");
  }
  if (const auto found = statement.find("products"); found != statement.end() && found->is_array()) {
    for (const auto& product : *found) read.products.push_back(id_of(product, "@id"));
  }
  read.status = text_of(statement, "status");
  read.justification = text_of(statement, "justification");
  if (read.justification.empty()) read.justification = text_of(statement, "impact_statement");
  if (read.justification.empty() && read.status == "fixed") read.justification = "fixed";
  const bool whole = !read.advisory.empty() && !read.products.empty() && !read.justification.empty();
  if (!whole) {
    return base::fail(
        ErrorCode::kDataCorrupt,
        fmt::format("the statement on \"{}\" names no vulnerability, no product or no justification",
                    read.advisory));
  }
  auto said_at = text_of(statement, "last_updated");
  if (said_at.empty()) said_at = text_of(statement, "timestamp");
  const auto moment = base::Timestamp::parse(said_at.empty() ? document_time : said_at);
  if (!moment) {
    return base::fail(ErrorCode::kDataCorrupt,
                      fmt::format("the statement on {} has no time that can be read", read.advisory));
  }
  read.said_at = *moment;
  return read;
}

}  // namespace

base::Result<std::vector<VexStatement>> read_openvex(std::string_view text) {
  HF_TRY(const auto document, parse_document(text, kMaxVexBytes));
  const auto statements = document.find("statements");
  const bool openvex = text_of(document, "@context").find("openvex") != std::string::npos;
  if (!openvex || statements == document.end() || !statements->is_array()) {
    return base::fail(ErrorCode::kDataCorrupt, "it is no OpenVEX document");
  }
  auto document_time = text_of(document, "last_updated");
  if (document_time.empty()) document_time = text_of(document, "timestamp");
  std::vector<VexStatement> all;
  for (const auto& statement : *statements) {
    if (!statement.is_object()) return base::fail(ErrorCode::kDataCorrupt, "a statement is no object");
    const auto status = text_of(statement, "status");
    if (status != "not_affected" && status != "fixed") continue;
    HF_TRY(auto read, read_statement(statement, document_time));
    all.push_back(std::move(read));
  }
  return all;
}

}  // namespace holdfast::supply
