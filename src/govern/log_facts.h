#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "audit/log.h"
#include "base/result.h"
#include "base/strong.h"
#include "base/time.h"

namespace holdfast::govern {

// What a record of the log says, as far as a practice asks for it.
enum class Happening : std::uint8_t {
  kAllowed,              // a decision of a policy
  kDenied,               // likewise
  kInferenceDenied,      // of these, at an endpoint
  kServiceSignedIn,      // by a signed assertion
  kGranted,              // somebody was given a right of their own
  kMetricsRead,          // by a scraper or a person
  kDatasetRegistered,    // sealed, with purpose and retention
  kModelRegistered,      // after it was looked into
  kModelRefused,         // because of what was found in it
  kApproved,             // by its gates
  kApprovedByPerson,     // of these, asked for by a person who signed in, not by the server's own user
  kApprovalRefused,      // by its gates
  kReleased,             // to an endpoint
  kRolledBack,           // likewise
  kPredicted,            // a prediction was given out
  kPredictedForService,  // of these, to a service
  kFlagged,              // of these, for inputs outside of what the model has learned from
  kGuardRefused,         // a request whose inputs were no such
  kDriftMeasured,        // of a window of an endpoint, with enough rows to tell
  kQualityEstimated,     // of such a window, likewise
  kKeysRotated,          // the master key, or that of what is kept
};
inline constexpr std::size_t kHappenings = static_cast<std::size_t>(Happening::kKeysRotated) + 1;

// How often something happened, and the newest record of it.
struct Seen {
  std::uint64_t count = 0;
  std::uint64_t record = 0;
  base::Timestamp at;
  std::string actor;
  std::string resource;

  friend bool operator==(const Seen&, const Seen&) = default;
};

// What the listener counted, over all starts: it records what came since the last time (server/upkeep.h).
struct ChannelFacts {
  std::string address;      // of the newest record: "127.0.0.1:8443"
  bool is_private = false;  // loopback or a private network
  std::uint64_t record = 0;
  base::Timestamp at;
  std::uint64_t tls13_connections = 0;
  std::uint64_t old_version_refused = 0;
  std::uint64_t plaintext_refused = 0;
};

// What happened in one workspace, gathered from the log record by record, each read once however often the
// posture is asked for. A value. Not thread-safe.
class LogFacts {
 public:
  explicit LogFacts(base::WorkspaceId workspace) : workspace_(std::move(workspace)) {}

  // Reads on from where it stopped, at most kMaxRecordsAtOnce records. True at the end of the log.
  base::Result<bool> read_on(const audit::Log& log);
  static constexpr std::uint64_t kMaxRecordsAtOnce = 200'000;

  // One record; those of other workspaces and those whose body is gone pass by. kDataCorrupt for details that
  // are no JSON object.
  base::Result<> add(const audit::StoredRecord& record);

  // Null where it never happened.
  [[nodiscard]] const Seen* find(Happening what) const;
  // The same of one endpoint alone: its predictions, refusals and windows.
  [[nodiscard]] const Seen* find(Happening what, const std::string& endpoint) const;
  [[nodiscard]] const std::optional<ChannelFacts>& channels() const { return channels_; }
  [[nodiscard]] std::uint64_t read() const { return next_; }  // records of the log, of any workspace
  // Bodies opened: what was sealed on disk and could be read with the workspace's key.
  [[nodiscard]] std::uint64_t opened() const { return opened_; }

 private:
  void note(Happening what, const audit::StoredRecord& record);
  void add_decision(const audit::StoredRecord& record);
  base::Result<> add_prediction(const audit::StoredRecord& record);
  base::Result<> add_window(const audit::StoredRecord& record);
  base::Result<> add_connections(const audit::StoredRecord& record);
  bool add_action(const audit::StoredRecord& record);

  base::WorkspaceId workspace_;
  std::uint64_t next_ = 0;
  std::uint64_t opened_ = 0;
  using AllSeen = std::array<Seen, kHappenings>;
  AllSeen seen_;
  std::map<std::string, AllSeen> of_endpoints_;  // by name
  std::optional<ChannelFacts> channels_;
};

}  // namespace holdfast::govern
