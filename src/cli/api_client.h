#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/config.h"
#include "base/result.h"
#include "cli/backend.h"

// How a command speaks with the installation in a state folder: with the server that holds it, over the
// folder's Unix socket, or with the same routes in this process where none does.

namespace holdfast::cli {

inline constexpr std::string_view kSocketFile = "holdfast.sock";  // in the state folder
inline constexpr std::string_view kDatabaseFile = "holdfast.db";  // likewise, once it was served
inline constexpr std::size_t kMaxAnswerBytes = 64UL << 20;
inline constexpr std::size_t kMaxTokenFileBytes = 4UL << 10;

// "/v1/models/credit/versions/3" of {"v1", "models", "credit", "versions", "3"}, each part percent-encoded
// (RFC 3986, section 2.3).
std::string path_of(std::initializer_list<std::string_view> parts);
// The path with those parameters whose value is not empty.
std::string with_query(std::string path,
                       std::initializer_list<std::pair<std::string_view, std::string>> query);
// A body of application/x-www-form-urlencoded.
std::string form_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

// An answer of a 2xx status as the value; any other as the error that its problem details (RFC 9457) tell.
base::Result<nlohmann::json> accepted(const ApiResponse& response);

// The token in the file ("-" is standard input), else in HOLDFAST_TOKEN, else none. kPermissionDenied for a
// file that others have access to.
base::Result<std::string> bearer_token(const std::optional<std::filesystem::path>& file);

// Immutable; any number of threads may send() through a client that is_remote().
class ApiClient {
 public:
  struct Options {
    std::filesystem::path state;
    base::Config settings;
    std::string bearer;
  };
  // Finds out, once, whether a server listens at the folder's socket. kInvalidArgument where its path is too
  // long for a socket, kPermissionDenied where the socket is not for this user, kNotFound where nobody
  // listens and the folder holds no installation: only `serve` makes one, so that a misspelt folder is told
  // as such.
  static base::Result<ApiClient> connect(Options options, Backend& backend);

  // Whether a server holds the folder.
  [[nodiscard]] bool is_remote() const { return remote_; }
  [[nodiscard]] const base::Config& settings() const { return options_.settings; }

  // Any answer is a success, whatever its status. What reads ends within a minute; what changes something
  // takes as long as it takes, since to stop waiting for it would not stop it.
  [[nodiscard]] base::Result<ApiResponse> send(ApiRequest request, std::stop_token stop = {}) const;

  // Requests without a body, and with a JSON one.
  [[nodiscard]] base::Result<ApiResponse> get(std::string target) const;
  [[nodiscard]] base::Result<ApiResponse> send_json(std::string method, std::string target,
                                                    const nlohmann::json& body) const;

 private:
  ApiClient(Options options, Backend& backend, bool remote)
      : options_(std::move(options)), backend_(&backend), remote_(remote) {}
  Options options_;
  Backend* backend_;
  bool remote_;
};

}  // namespace holdfast::cli
