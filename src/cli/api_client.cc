#include "cli/api_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/secret_file.h"

namespace holdfast::cli {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::chrono::seconds kReadDeadline{60};
constexpr std::size_t kMaxShownBytes = 500;  // of an answer that is no problem details

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      encoded.push_back(c);
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

ErrorCode code_of(int status) {
  switch (status) {
    case 400:
      return ErrorCode::kInvalidArgument;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    case 408:
      return ErrorCode::kDeadline;
    case 413:
    case 429:
    case 431:
      return ErrorCode::kLimitExceeded;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kUnsupported;
  }
}

std::string printable(std::string_view text) {
  std::string shown(text.substr(0, kMaxShownBytes));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return shown;
}

std::string detail_of(const ApiResponse& response) {
  const auto body = base::parse_json(response.body);
  if (body && body->is_object()) {
    for (const char* const member : {"detail", "error_description", "title"}) {
      if (const auto found = body->find(member); found != body->end() && found->is_string())
        return printable(found->get<std::string>());
    }
  }
  return fmt::format("the server answered with status {}{}{}", response.status,
                     response.body.empty() ? "" : ": ", printable(response.body));
}

// Whether somebody listens. A connection is the proof: the file stays behind a server that was killed.
Result<bool> server_listens(const std::filesystem::path& socket_path) {
  sockaddr_un address{};
  const auto& name = socket_path.native();
  if (name.size() >= sizeof address.sun_path) {
    return base::fail(
        ErrorCode::kInvalidArgument,
        fmt::format("the path of the state folder's socket, {}, is over {} bytes: give a shorter "
                    "--state",
                    name, sizeof address.sun_path - 1));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.c_str(), name.size());
  const base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return base::fail_errno("cannot make a socket", errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return false;
  return base::fail_errno(fmt::format("cannot reach the server at {}", name), errno);
}

Result<> check_installation(const std::filesystem::path& state) {
  std::error_code error;
  if (std::filesystem::exists(state / kDatabaseFile, error)) return {};
  if (error && error != std::errc::not_a_directory) {
    return base::fail_errno(fmt::format("cannot look into {}", state.string()), error.value());
  }
  return base::fail(
      ErrorCode::kNotFound,
      fmt::format("there is no installation in {}: name its folder with --state or HOLDFAST_STATE, "
                  "or make one there with `holdfast serve`",
                  state.string()));
}

net::Request outgoing(ApiRequest request, std::stop_token stop) {
  const bool reads = request.method == "GET";
  net::Request out{.method = std::move(request.method),
                   .target = std::move(request.target),
                   .headers = {{"Accept", "application/json"}},
                   .body = std::move(request.body),
                   .deadline = reads ? std::optional<std::chrono::milliseconds>(kReadDeadline) : std::nullopt,
                   .max_body_bytes = kMaxAnswerBytes,
                   .stop = std::move(stop)};
  if (!request.content_type.empty()) out.headers.emplace_back("Content-Type", request.content_type);
  if (!request.bearer.empty()) out.headers.emplace_back("Authorization", "Bearer " + request.bearer);
  return out;
}

}  // namespace

std::string path_of(std::initializer_list<std::string_view> parts) {
  std::string path;
  for (const auto part : parts) path += "/" + percent_encode(part);
  return path;
}

std::string with_query(std::string path,
                       std::initializer_list<std::pair<std::string_view, std::string>> query) {
  char before = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += fmt::format("{}{}={}", before, name, percent_encode(value));
    before = '&';
  }
  return path;
}

std::string form_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string form;
  for (const auto& [name, value] : fields)
    form += fmt::format("{}{}={}", form.empty() ? "" : "&", name, percent_encode(value));
  return form;
}

Result<nlohmann::json> accepted(const ApiResponse& response) {
  if (response.status < 200 || response.status > 299)
    return base::fail(code_of(response.status), detail_of(response));
  if (response.body.empty()) return nlohmann::json::object();
  auto body = base::parse_json(response.body);
  if (!body) return base::fail(std::move(body).error().within("the server's answer"));
  return *std::move(body);
}

Result<std::string> bearer_token(const std::optional<std::filesystem::path>& file) {
  if (!file) {
    const char* const value = std::getenv("HOLDFAST_TOKEN");
    return std::string(value == nullptr ? "" : value);
  }
  HF_TRY(const base::Secret text, base::read_secret_file(*file, kMaxTokenFileBytes));
  auto token = text.reveal_text();
  while (token.ends_with('\n') || token.ends_with('\r')) token.remove_suffix(1);
  if (token.empty()) {
    return base::fail(
        ErrorCode::kInvalidArgument,
        fmt::format("{} holds no token: holdfast token and holdfast login print one", file->string()));
  }
  return std::string(token);
}

Result<ApiClient> ApiClient::connect(Options options, Backend& backend) {
  HF_TRY(const bool remote, server_listens(options.state / kSocketFile));
  if (!remote) HF_CHECK(check_installation(options.state));
  return ApiClient(std::move(options), backend, remote);
}

Result<ApiResponse> ApiClient::send(ApiRequest request, std::stop_token stop) const {
  request.bearer = options_.bearer;
  if (!remote_) return backend_->send_in_process(options_.state, options_.settings, request);
  const net::UnixHttpClient client(options_.state / kSocketFile);
  HF_TRY(auto response, client.send(outgoing(std::move(request), std::move(stop))));
  return ApiResponse{.status = response.status,
                     .content_type = std::string(response.header("content-type")),
                     .body = std::move(response.body)};
}

Result<ApiResponse> ApiClient::get(std::string target) const {
  return send({.method = "GET", .target = std::move(target), .content_type = {}, .body = {}, .bearer = {}});
}

Result<ApiResponse> ApiClient::send_json(std::string method, std::string target,
                                         const nlohmann::json& body) const {
  return send({.method = std::move(method),
               .target = std::move(target),
               .content_type = "application/json",
               .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
               .bearer = {}});
}

}  // namespace holdfast::cli
