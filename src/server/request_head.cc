#include <fmt/format.h>

#include <algorithm>

#include "server/connection.h"

namespace holdfast::server {

using base::ErrorCode;
using base::fail;

namespace {

// Nothing is one too: it was not said.
bool is_number(std::string_view length) {
  return length.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_chunked(std::string_view coding) { return beast::iequals(coding, "chunked"); }

}  // namespace

base::Result<RequestHead> request_head(const http::request_header<>& header, const Peer& peer) {
  // RFC 9110, section 5.3: only list-valued fields may repeat. Of these a second one could change the
  // meaning.
  constexpr std::string_view kOnce[] = {
      "host",           "authorization", "content-type",     "content-encoding",
      "content-length", "expect",        "transfer-encoding"};
  const auto method = parse_method(header.method_string());
  if (!method)
    return fail(ErrorCode::kInvalidArgument, "the request's method is not one that this server knows");
  if (header.version() != 11) return fail(ErrorCode::kInvalidArgument, "this server speaks HTTP/1.1 only");
  HF_TRY(auto target, parse_target(header.target()));
  RequestHead head{
      .method = *method, .path = std::move(target.path), .query = std::move(target.query), .peer = peer};
  for (const auto& field : header) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    const auto [entry, fresh] = head.headers.emplace(name, std::string(field.value()));
    if (fresh) continue;
    if (std::find(std::begin(kOnce), std::end(kOnce), name) != std::end(kOnce)) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("the header {} stands twice", name));
    }
    entry->second.append(", ").append(std::string_view(field.value()));
  }
  if (head.header("host").empty()) return fail(ErrorCode::kInvalidArgument, "the header host is missing");
  if (!is_number(head.header("content-length"))) {
    return fail(ErrorCode::kInvalidArgument, "content-length is one whole number");
  }
  if (!head.header("content-length").empty() && !head.header("transfer-encoding").empty()) {
    return fail(ErrorCode::kInvalidArgument, "content-length and transfer-encoding contradict each other");
  }
  // RFC 9112, section 6.1: with any other the end of the body is a guess, and what follows it a request.
  if (const auto coding = head.header("transfer-encoding"); !coding.empty() && !is_chunked(coding)) {
    return fail(ErrorCode::kInvalidArgument, "the only transfer-encoding that this server takes is chunked");
  }
  return head;
}

}  // namespace holdfast::server
