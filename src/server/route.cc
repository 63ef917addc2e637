#include "server/route.h"

#include <fmt/format.h>

#include <charconv>

#include "base/assert.h"

namespace holdfast::server {

using base::ErrorCode;
using base::fail;
using base::Result;

const access::Authorised& Call::allowed() const {
  HF_ASSERT(authorised != nullptr);
  return *authorised;
}

const access::Caller& Call::caller() const {
  HF_ASSERT(known_caller != nullptr);
  return *known_caller;
}

const std::string& Call::parameter(std::string_view name) const {
  const auto found = parameters.find(name);
  HF_ASSERT(found != parameters.end());
  return found->second;
}

Result<std::int64_t> Call::number(std::string_view name) const {
  const std::string& text = parameter(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value > 0) return value;
  return fail(ErrorCode::kInvalidArgument, fmt::format("{} in the path is a whole number from 1 on", name));
}

std::string Call::query(std::string_view name) const {
  const auto found = head.query.find(std::string(name));
  return found == head.query.end() ? std::string() : found->second;
}

ResourceOf on_workspace() {
  return [](const access::Caller& caller, const Parameters& /*parameters*/) -> Result<access::Resource> {
    return access::Resource{.type = access::ResourceType::kWorkspace, .workspace = caller.workspace()};
  };
}

ResourceOf on_named(access::ResourceType type, std::string parameter) {
  return [type, parameter](const access::Caller& caller,
                           const Parameters& parameters) -> Result<access::Resource> {
    return access::Resource{
        .type = type, .workspace = caller.workspace(), .id = parameters.find(parameter)->second};
  };
}

Response json_response(std::string body, int status) {
  body += '\n';
  return {.status = status, .headers = {}, .body = std::move(body)};
}

}  // namespace holdfast::server
