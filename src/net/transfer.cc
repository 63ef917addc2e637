#include "net/transfer.h"

#include <errno.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "net/curl.h"

namespace holdfast::net {
namespace {

using base::ErrorCode;
using base::Result;

constexpr long kConnectMilliseconds = 30'000;  // where a request has no deadline of its own

// What the callbacks of one transfer share. They run within curl_easy_perform, in its thread.
struct State {
  const Transfer* transfer = nullptr;
  const Curl* curl = nullptr;
  CURL* handle = nullptr;
  Response response = {};
  std::size_t header_bytes = 0;
  bool body_began = false;
  std::uint64_t sent = 0;
  std::optional<base::Error> refusal = {};  // of an address; another one may be allowed
  std::optional<base::Error> error = {};    // why a callback ended the transfer

  [[nodiscard]] const Request& request() const { return *transfer->request; }
  [[nodiscard]] int status() const {
    long status = 0;
    curl->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }
};

std::optional<IpAddress> ip_of(const curl_sockaddr& address) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&address.addr);
  if (address.family == AF_INET) return IpAddress::from_bytes({bytes + offsetof(sockaddr_in, sin_addr), 4});
  if (address.family == AF_INET6) {
    return IpAddress::from_bytes({bytes + offsetof(sockaddr_in6, sin6_addr), 16});
  }
  return std::nullopt;
}

// The address that is checked here is the one that libcurl then connects to.
curl_socket_t open_socket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& state = *static_cast<State*>(context);
  const auto ip = ip_of(*address);
  const auto& entry = state.transfer->entry;
  const Result<> permitted =
      ip && entry
          ? permit_address(*entry, *ip)
          : Result<>(base::fail(ErrorCode::kPermissionDenied, "only IP addresses can be connected to"));
  if (permitted) return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  state.refusal = permitted.error();
  return CURL_SOCKET_BAD;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

void add_header(Response& response, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(trimmed(line.substr(0, colon)));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto [place, fresh] = response.headers.try_emplace(std::move(name), trimmed(line.substr(colon + 1)));
  if (!fresh) place->second.append(", ").append(trimmed(line.substr(colon + 1)));
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* context) {
  auto& state = *static_cast<State*>(context);
  const std::string_view line(data, size * count);
  state.header_bytes += line.size();
  if (state.header_bytes > kMaxHeaderBytes) {
    state.error = base::Error{
        ErrorCode::kLimitExceeded,
        fmt::format("{} answered with over {} bytes of headers", state.transfer->shown, kMaxHeaderBytes)};
    return 0;
  }
  if (state.body_began) return line.size();                       // a trailer (RFC 9110, section 6.5)
  if (line.starts_with("HTTP/")) state.response.headers.clear();  // after an interim answer
  add_header(state.response, line);
  return line.size();
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) {
  auto& state = *static_cast<State*>(context);
  const std::string_view part(data, size * count);
  state.body_began = true;
  const Request& request = state.request();
  const int status = state.status();
  if (request.sink && status >= 200 && status < 300) {
    auto taken = request.sink(base::as_bytes(part));
    if (taken) return part.size();
    state.error = std::move(taken).error();
    return 0;
  }
  std::string& body = state.response.body;
  if (part.size() > request.max_body_bytes - body.size()) {
    state.error =
        base::Error{ErrorCode::kLimitExceeded, fmt::format("{} answered with a body of over {} bytes",
                                                           state.transfer->shown, request.max_body_bytes)};
    return 0;
  }
  body.append(part);
  return part.size();
}

std::size_t give_body(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto& state = *static_cast<State*>(context);
  const auto& file = std::get<FileBody>(state.request().body);
  std::uint64_t wanted = size * count;
  if (file.size) wanted = std::min(wanted, *file.size - state.sent);
  if (wanted == 0) return 0;
  ssize_t got = -1;
  do {
    got = ::read(file.fd, buffer, static_cast<std::size_t>(wanted));
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    state.error = base::fail_errno("reading what is to be sent", errno).value();
    return CURL_READFUNC_ABORT;
  }
  if (got == 0 && file.size) {
    state.error =
        base::Error{ErrorCode::kDataCorrupt,
                    fmt::format("what is to be sent ended after {} of its {} bytes", state.sent, *file.size)};
    return CURL_READFUNC_ABORT;
  }
  state.sent += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

int watch(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<State*>(context)->request().stop.stop_requested() ? 1 : 0;
}

// A handle of libcurl with its list of headers; options after one that failed are left out.
class Handle {
 public:
  explicit Handle(const Curl& curl) : curl_(&curl), handle_(curl.easy_init()) {
    if (handle_ == nullptr) result_ = CURLE_OUT_OF_MEMORY;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (handle_ != nullptr) curl_->easy_cleanup(handle_);
    curl_->slist_free_all(headers_);
  }

  template <typename T>
  void set(CURLoption option, T value) {
    if (result_ == CURLE_OK) result_ = curl_->easy_setopt(handle_, option, value);
  }
  void header(const std::string& line) {
    curl_slist* const longer = curl_->slist_append(headers_, line.c_str());
    if (longer == nullptr) result_ = CURLE_OUT_OF_MEMORY;
    if (longer != nullptr) headers_ = longer;
  }
  [[nodiscard]] CURL* get() const { return handle_; }
  [[nodiscard]] curl_slist* headers() const { return headers_; }
  [[nodiscard]] CURLcode result() const { return result_; }

 private:
  const Curl* curl_;
  CURL* handle_;
  curl_slist* headers_ = nullptr;
  CURLcode result_ = CURLE_OK;
};

void set_connection(Handle& handle, const Transfer& transfer) {
  const Request& request = *transfer.request;
  handle.set(CURLOPT_URL, transfer.url.c_str());
  handle.set(CURLOPT_PATH_AS_IS, 1L);
  handle.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  handle.set(CURLOPT_PROXY, "");  // else the environment names one, past the egress list
  handle.set(CURLOPT_FOLLOWLOCATION, 0L);
  handle.set(CURLOPT_FRESH_CONNECT, 1L);
  handle.set(CURLOPT_FORBID_REUSE, 1L);
  handle.set(CURLOPT_NOSIGNAL, 1L);
  handle.set(CURLOPT_QUICK_EXIT, 1L);  // a name server that doesn't answer may not outlast the deadline
  if (request.deadline) {
    handle.set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(request.deadline->count(), 1)));
  } else {
    handle.set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  }
}

void set_tls(Handle& handle, const HttpClientOptions& options) {
  handle.set(CURLOPT_SSLVERSION,
             static_cast<long>(options.minimum_tls == MinimumTls::kTls13 ? CURL_SSLVERSION_TLSv1_3
                                                                         : CURL_SSLVERSION_TLSv1_2));
  handle.set(CURLOPT_SSL_VERIFYPEER, 1L);
  handle.set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.system_ca) {
    handle.set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    handle.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (options.extra_ca_pem.empty()) return;
  // Takes the place of the system's file of certificates; its folder of the same ones stays in force.
  std::string pem = options.extra_ca_pem;
  curl_blob blob{.data = pem.data(), .len = pem.size(), .flags = CURL_BLOB_COPY};
  handle.set(CURLOPT_CAINFO_BLOB, &blob);
}

void set_body(Handle& handle, const Request& request, State& state) {
  if (request.method == "HEAD") handle.set(CURLOPT_NOBODY, 1L);
  if (const auto* file = std::get_if<FileBody>(&request.body)) {
    handle.set(CURLOPT_UPLOAD, 1L);
    handle.set(CURLOPT_READFUNCTION, &give_body);
    handle.set(CURLOPT_READDATA, &state);
    handle.set(CURLOPT_INFILESIZE_LARGE, file->size ? static_cast<curl_off_t>(*file->size) : curl_off_t{-1});
  } else {
    const auto* text = std::get_if<std::string>(&request.body);
    const bool sends = text != nullptr || request.method == "POST" || request.method == "PUT" ||
                       request.method == "PATCH";  // whose length is told even where it is zero
    if (sends) {
      handle.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text == nullptr ? 0 : text->size()));
      handle.set(CURLOPT_POSTFIELDS, text == nullptr ? "" : text->data());
    }
  }
  handle.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_headers(Handle& handle, const Request& request) {
  handle.set(CURLOPT_USERAGENT, "holdfast");
  handle.header("Expect:");        // no round trip before the body
  handle.header("Content-Type:");  // none but the caller's
  for (const auto& [name, value] : request.headers) {
    handle.header(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
  }
  handle.set(CURLOPT_HTTPHEADER, handle.headers());
}

void set_answer(Handle& handle, State& state) {
  handle.set(CURLOPT_HEADERFUNCTION, &take_header);
  handle.set(CURLOPT_HEADERDATA, &state);
  handle.set(CURLOPT_WRITEFUNCTION, &take_body);
  handle.set(CURLOPT_WRITEDATA, &state);
  handle.set(CURLOPT_NOPROGRESS, 0L);
  handle.set(CURLOPT_XFERINFOFUNCTION, &watch);
  handle.set(CURLOPT_XFERINFODATA, &state);
}

void set_peer(Handle& handle, const Transfer& transfer, State& state) {
  if (transfer.entry) {
    handle.set(CURLOPT_PROTOCOLS_STR, transfer.entry->scheme == Scheme::kHttps ? "https" : "http");
    handle.set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    handle.set(CURLOPT_OPENSOCKETDATA, &state);
    set_tls(handle, *transfer.tls);
    return;
  }
  handle.set(CURLOPT_PROTOCOLS_STR, "http");
  handle.set(CURLOPT_UNIX_SOCKET_PATH, transfer.socket.c_str());
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kDeadline;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return ErrorCode::kUnauthenticated;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer that is no HTTP/1
    case CURLE_BAD_CONTENT_ENCODING:
      return ErrorCode::kDataCorrupt;
    default:
      return ErrorCode::kUnavailable;
  }
}

base::Error failure(const Transfer& transfer, State& state, CURLcode code, std::string_view detail) {
  if (state.error) return *std::move(state.error);
  if (code == CURLE_COULDNT_CONNECT && state.refusal) return *std::move(state.refusal);
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    return {ErrorCode::kUnavailable, fmt::format("the request to {} was stopped", transfer.shown)};
  }
  if (code == CURLE_OPERATION_TIMEDOUT && transfer.request->deadline) {
    return {ErrorCode::kDeadline, fmt::format("{} did not answer in full within {} ms", transfer.shown,
                                              transfer.request->deadline->count())};
  }
  if (code == CURLE_COULDNT_CONNECT && !transfer.entry) {
    return {ErrorCode::kUnavailable, fmt::format("no server answers at {}", transfer.shown)};
  }
  return {code_of(code), fmt::format("{}: {}", transfer.shown, detail)};
}

}  // namespace

Result<Response> perform(const Transfer& transfer) {
  HF_TRY(const Curl* const curl, load_curl());
  Handle handle(*curl);
  State state{.transfer = &transfer, .curl = curl, .handle = handle.get()};
  std::array<char, CURL_ERROR_SIZE> text{};
  handle.set(CURLOPT_ERRORBUFFER, text.data());
  set_connection(handle, transfer);
  set_peer(handle, transfer, state);
  set_body(handle, *transfer.request, state);
  set_headers(handle, *transfer.request);
  set_answer(handle, state);
  CURLcode code = handle.result();
  if (code == CURLE_OK) code = curl->easy_perform(handle.get());
  if (code != CURLE_OK) {
    return base::fail(
        failure(transfer, state, code, text[0] == '\0' ? curl->easy_strerror(code) : text.data()));
  }
  state.response.status = state.status();
  return std::move(state.response);
}

}  // namespace holdfast::net
