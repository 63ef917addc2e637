#include "access/jwt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/json.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using nlohmann::json;

constexpr base::JsonLimits kLimits{.max_bytes = kMaxJwtBytes, .max_depth = 8};
constexpr std::size_t kMaxAudiences = 8;
constexpr std::int64_t kLatestTime = 253'402'300'799;  // 9999-12-31T23:59:59Z

tl::unexpected<base::Error> refuse(std::string_view why) {
  return base::fail(ErrorCode::kInvalidArgument, fmt::format("the assertion is refused: {}", why));
}

Result<json> read_object(std::string_view part, std::string_view what) {
  const auto bytes = base::base64_decode(part, base::Base64::kUrl);
  if (!bytes) return refuse(fmt::format("its {} is not base64url", what));
  auto value = base::parse_json(base::as_text(*bytes), kLimits);
  if (!value) return refuse(fmt::format("its {}: {}", what, value.error().message));
  if (!value->is_object()) return refuse(fmt::format("its {} is no JSON object", what));
  return value;
}

// Printable ASCII, so that it can stand in a record and a message as it is.
bool is_plain(const json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return !text.empty() && text.size() <= kMaxJwtTextBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7F'; });
}

Result<std::string> read_text(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !is_plain(*found)) {
    return refuse(
        fmt::format("{} must be a text of 1 to {} printable ASCII characters", name, kMaxJwtTextBytes));
  }
  return found->get<std::string>();
}

Result<std::int64_t> read_time(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found != object.end() && found->is_number_integer() && *found >= 0 && *found <= kLatestTime) {
    return found->get<std::int64_t>();
  }
  return refuse(fmt::format("{} must be a whole number of seconds since 1970", name));
}

Result<std::vector<std::string>> read_audience(const json& claims) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return refuse("aud is missing");
  if (is_plain(*found)) return std::vector{found->get<std::string>()};
  const bool listed = found->is_array() && !found->empty() && found->size() <= kMaxAudiences &&
                      std::all_of(found->begin(), found->end(), is_plain);
  if (!listed) return refuse("aud must be a text, or a list of a few");
  return found->get<std::vector<std::string>>();
}

bool is_allowed_type(std::string type) {
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type == "jwt" || type == "client-authentication+jwt" ||
         type == "application/client-authentication+jwt";
}

Result<> read_header(std::string_view part, Jwt& token) {
  HF_TRY(const json header, read_object(part, "header"));
  for (const auto& [name, value] : header.items()) {
    if (name != "alg" && name != "kid" && name != "typ") {
      return refuse(fmt::format("its header may hold alg, kid and typ, not \"{}\"", name.substr(0, 40)));
    }
  }
  HF_TRY(token.algorithm, read_text(header, "alg"));
  if (header.contains("kid")) {
    HF_TRY(token.key_id, read_text(header, "kid"));
  }
  if (header.contains("typ")) {
    HF_TRY(const std::string type, read_text(header, "typ"));
    if (!is_allowed_type(type)) return refuse("its typ is that of another kind of token");
  }
  return {};
}

Result<> read_claims(std::string_view part, Jwt& token) {
  HF_TRY(const json claims, read_object(part, "claims"));
  HF_TRY(token.issuer, read_text(claims, "iss"));
  HF_TRY(token.subject, read_text(claims, "sub"));
  HF_TRY(token.audience, read_audience(claims));
  HF_TRY(token.id, read_text(claims, "jti"));
  HF_TRY(token.issued_at, read_time(claims, "iat"));
  HF_TRY(token.expires, read_time(claims, "exp"));
  if (claims.contains("nbf")) {
    HF_TRY(token.not_before, read_time(claims, "nbf"));
  }
  return {};
}

}  // namespace

Result<Jwt> parse_jwt(std::string_view text) {
  if (text.size() > kMaxJwtBytes) {
    return base::fail(
        ErrorCode::kLimitExceeded,
        fmt::format("the assertion has {} bytes, over the limit of {}", text.size(), kMaxJwtBytes));
  }
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
    return refuse("it must have three parts with a point between them");
  }
  Jwt token;
  HF_CHECK(read_header(text.substr(0, first), token));
  HF_CHECK(read_claims(text.substr(first + 1, second - first - 1), token));
  const auto signature = base::base64_decode(text.substr(second + 1), base::Base64::kUrl);
  if (!signature || signature->empty()) return refuse("its signature is missing, or not base64url");
  token.signature = *signature;
  token.signed_text = std::string(text.substr(0, second));
  return token;
}

}  // namespace holdfast::access
