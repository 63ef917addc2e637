#include "programs/server_backend.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "cli/updates_settings.h"
#include "keys/master_rotation.h"
#include "server/api.h"
#include "server/host.h"
#include "updates/rules.h"
#include "updates/state.h"

using holdfast::base::Config;
using holdfast::base::ErrorCode;
using holdfast::base::fail;
using holdfast::base::Result;
using holdfast::cli::ApiRequest;
using holdfast::cli::ApiResponse;
using holdfast::cli::ExitCode;
using holdfast::cli::ServeOptions;
using holdfast::keys::MasterKey;
using holdfast::registry::AdmissionRules;
using holdfast::server::BodyReader;
using holdfast::server::Host;
using holdfast::server::Installation;
namespace fs = std::filesystem;
namespace updates = holdfast::updates;

namespace {

constexpr const char* kCredential = "holdfast-master-key";

// What a program may do that finds no installation.
enum class Missing { kMade, kRefused };

struct Master {
  MasterKey key;
  fs::path file;  // empty for a credential of systemd
};

// A credential of systemd where the service was given one, else the file of the settings.
Result<Master> master_key(const fs::path& state, const Config& settings, Missing missing) {
  auto credential = MasterKey::from_credential(kCredential);
  if (credential) return Master{*std::move(credential), {}};
  if (credential.error().code != ErrorCode::kNotFound) return fail(std::move(credential).error());
  const fs::path file = settings.text("keys.master_file");
  auto key = holdfast::keys::master_key_in_force(file, state, state / "keys");
  if (key) return Master{*std::move(key), file};
  if (key.error().code != ErrorCode::kNotFound || missing == Missing::kRefused) {
    return fail(std::move(key).error());
  }
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) {
    return holdfast::base::fail_errno(fmt::format("cannot make the folder of {}", file.string()),
                                      error.value());
  }
  HF_CHECK(MasterKey::generate_file(file, state, holdfast::base::system_random()));
  HF_TRY(auto made, MasterKey::from_file(file, state));
  return Master{std::move(made), file};
}

// Read again at each admission, so that a set that was installed meanwhile counts.
std::function<Result<AdmissionRules::JudgedBy>()> judged_by(const fs::path& state, const Config& settings) {
  return [state, keys = settings.list("rules.keys"), days = settings.integer("rules.max_age_days"),
          fresh = settings.boolean("rules.require_fresh")]() -> Result<AdmissionRules::JudgedBy> {
    HF_TRY(auto use, updates::rules_to_use(state, keys, {.max_age_days = days, .require_fresh = fresh},
                                           holdfast::base::system_clock().now()));
    return AdmissionRules::JudgedBy{.set = std::move(use.set), .overdue = std::move(use.expired)};
  };
}

std::function<Result<updates::UpdateState>()> update_state(const fs::path& state, const Config& settings,
                                                           const char* version) {
  return [places = updates::UpdatePlaces{.state = state,
                                         .master_key = settings.text("keys.master_file"),
                                         .rule_keys = settings.list("rules.keys")},
          limits = holdfast::cli::update_limits(settings), version] {
    return updates::read_update_state(places, limits, version, holdfast::base::system_clock().now());
  };
}

Result<std::unique_ptr<Installation>> open(const fs::path& state, const Config& settings, const char* version,
                                           Missing missing) {
  std::error_code error;
  // What is wrong with it, the lock's error says.
  if (missing == Missing::kMade) fs::create_directories(state.parent_path(), error);
  HF_TRY(auto master, master_key(state, settings, missing));
  const auto weakest = settings.boolean("jail.require_namespaces")
                           ? holdfast::worker::JailStrength::kFull
                           : holdfast::worker::JailStrength::kWithoutNamespaces;
  return Installation::open(
      {.state = state,
       .version = version,
       .master_file = master.file,
       .issuer = settings.text("server.issuer"),
       .one_time_life = std::chrono::hours(settings.integer("access.one_time_hours")),
       .egress = settings.list("egress.allow"),
       .quiet_windows = static_cast<int>(settings.integer("alerts.quiet_windows")),
       .weakest_jail = weakest,
       .admission = {.inspect_memory_bytes =
                         static_cast<std::uint64_t>(settings.integer("inspect.memory_mib")) << 20,
                     .inspect_time = std::chrono::seconds(settings.integer("inspect.seconds")),
                     .weakest_jail = weakest,
                     .judged_by = judged_by(state, settings)},
       .update_state = update_state(state, settings, version)},
      std::move(master.key));
}

std::string first_words(const holdfast::access::OneTimePassword& first) {
  return fmt::format(
      "the administrator is {}, with the one-time password {} (set another with `holdfast password {}` until "
      "{}, or make a new one with `holdfast person reset {}`); it is not shown again",
      first.name, first.password.reveal_text(), first.name, first.expires.text(), first.name);
}

holdfast::server::WatchOptions watch_options(const Config& settings) {
  return {.window_rows = static_cast<std::uint64_t>(settings.integer("monitor.window_rows"))};
}

// Blocks the signals that end a server, for this thread and those that it starts, until one comes.
class EndSignals {
 public:
  static Result<EndSignals> block() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); error != 0) {
      return holdfast::base::fail_errno("cannot block signals", error);
    }
    holdfast::base::UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
    if (!fd.valid()) return holdfast::base::fail_errno("cannot wait for signals", errno);
    return EndSignals(std::move(fd));
  }
  // Whether one came within this time.
  Result<bool> wait(std::chrono::milliseconds at_most) const {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(at_most.count()));
    if (ready >= 0) return ready > 0;
    if (errno == EINTR) return false;
    return holdfast::base::fail_errno("cannot wait for signals", errno);
  }

 private:
  explicit EndSignals(holdfast::base::UniqueFd fd) : fd_(std::move(fd)) {}
  holdfast::base::UniqueFd fd_;
};

// As many files as the system lets this process open; its workers get fewer, by their own limits.
void raise_descriptors() {
  constexpr rlim_t kEnough = 65'536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  // Where it can't be, the listener takes fewer connections.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

struct End {
  bool asked;  // else its log had stopped, and could go on if it were opened again
  std::uint16_t port;
};

Result<End> serve_once(const ServeOptions& options, const char* version, const EndSignals& signals) {
  constexpr std::chrono::seconds kLookAtLog{2};
  HF_TRY(const auto installation, open(options.state, options.settings, version, Missing::kMade));
  HF_TRY(const auto first, installation->bootstrap());
  HF_TRY(const auto host, Host::start(*installation, {.address = options.address,
                                                      .port = options.port,
                                                      .names = options.settings.list("server.names"),
                                                      .watch = watch_options(options.settings)}));
  if (first) options.say(first_words(*first));
  options.say(fmt::format("listening on https://{}:{}, and for this user on {}", options.address,
                          host->port(), (options.state / Host::kSocketFile).string()));
  for (;;) {
    HF_TRY(const bool asked, signals.wait(kLookAtLog));
    if (asked) options.say("ending: requests under way are finished first");
    if (asked) return End{.asked = true, .port = host->port()};
    if (host->look_at_log() != holdfast::server::LogState::kMayGoOn) continue;
    options.say("the audit log had stopped, and there is room for it again: starting anew");
    return End{.asked = false, .port = host->port()};
  }
}

// The body of a request that comes from this process.
class LocalBody final : public BodyReader {
 public:
  explicit LocalBody(const ApiRequest& request) : request_(&request) {}
  void limit(std::uint64_t max_bytes) override { left_ = max_bytes; }
  Result<std::size_t> read(holdfast::base::MutableByteView buffer) override {
    HF_TRY(const std::size_t got, take(buffer));
    if (got > left_) return fail(ErrorCode::kLimitExceeded, "the body is longer than this request may have");
    left_ -= got;
    return got;
  }

 private:
  Result<std::size_t> take(holdfast::base::MutableByteView buffer) {
    if (const auto* file = std::get_if<holdfast::net::FileBody>(&request_->body)) {
      const ssize_t got = ::read(file->fd, buffer.data(), buffer.size());
      if (got < 0) return holdfast::base::fail_errno("cannot read what is to be sent", errno);
      return static_cast<std::size_t>(got);
    }
    const auto* text = std::get_if<std::string>(&request_->body);
    if (text == nullptr) return 0;
    const auto rest = std::string_view(*text).substr(sent_, buffer.size());
    std::copy(rest.begin(), rest.end(), buffer.begin());
    sent_ += rest.size();
    return rest.size();
  }

  const ApiRequest* request_;
  std::uint64_t left_ = kDefaultMaxBytes;
  std::size_t sent_ = 0;
};

Result<ApiResponse> response_of(holdfast::server::Response response) {
  ApiResponse answer{.status = response.status, .content_type = response.content_type, .body = {}};
  if (auto* text = std::get_if<std::string>(&response.body)) {
    answer.body = std::move(*text);
    return answer;
  }
  auto& source = *std::get<std::unique_ptr<holdfast::server::BodySource>>(response.body);
  holdfast::base::Bytes piece(1UL << 16);
  for (;;) {
    HF_TRY(const std::size_t got, source.read(piece));
    if (got == 0) return answer;
    answer.body += holdfast::base::as_text(holdfast::base::ByteView(piece).first(got));
  }
}

}  // namespace

Result<ExitCode> ServerBackend::serve(const ServeOptions& options) {
  HF_TRY(const auto signals, EndSignals::block());
  raise_descriptors();
  ServeOptions now = options;
  for (;;) {
    HF_TRY(const auto end, serve_once(now, version_, signals));
    if (end.asked) return ExitCode::kDone;
    now.port = end.port;  // those who know it come back to it
  }
}

Result<ApiResponse> ServerBackend::send_in_process(const fs::path& state, const Config& settings,
                                                   const ApiRequest& request) {
  HF_TRY(const auto installation, open(state, settings, version_, Missing::kRefused));
  HF_TRY(const auto first, installation->bootstrap());
  if (first) holdfast::cli::print_error(first_words(*first));
  holdfast::server::Deployment deployment(*installation, watch_options(settings));
  HF_CHECK(deployment.restore());
  holdfast::server::Router router(
      holdfast::server::api_routes({.installation = *installation, .deployment = deployment}),
      installation->access(), Installation::workspace(), ::geteuid());
  HF_TRY(auto target, holdfast::server::parse_target(request.target));
  const auto method = holdfast::server::parse_method(request.method);
  if (!method) return fail(ErrorCode::kInvalidArgument, fmt::format("there is no method {}", request.method));
  holdfast::server::RequestHead head{.method = *method,
                                     .path = std::move(target.path),
                                     .query = std::move(target.query),
                                     .headers = {},
                                     .peer = {.address = "local", .local_uid = ::geteuid()}};
  if (!request.bearer.empty()) head.headers["authorization"] = "Bearer " + request.bearer;
  if (!request.content_type.empty()) head.headers["content-type"] = request.content_type;
  LocalBody body(request);
  return response_of(router.serve(head, body));
}
