#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/strong.h"
#include "base/time.h"
#include "evaluate/figure.h"
#include "govern/log_facts.h"
#include "updates/state.h"

// What the posture is computed from: what happened, and what was tried a moment ago. Plain values; nothing in
// them says how something is configured.

namespace holdfast::govern {

// What came of opening a version as an engine does, and of opening what it must refuse.
struct LoadTrial {
  base::Timestamp at;
  std::string failed;  // why the version could not be opened from its sealed blob under its signature, if so
  // From the bundle and the public key that outsiders get, and nothing else.
  bool signature_holds = false;
  bool changed_byte_refused = false;
  bool other_signer_refused = false;
};

struct EvaluationFacts {
  base::Digest evidence;  // of the signed statement
  base::Timestamp at;
  std::string split;
  std::vector<evaluate::Figure> figures;
};

struct VersionFacts {
  std::string model;
  std::int64_t version = 0;
  bool approved = false;
  bool trained_here = false;
  bool hardened = false;                      // trained here against an attack
  std::vector<std::string> serves;            // endpoints
  std::optional<base::Digest> provenance;     // of the signed statement that names the data it was made of
  std::optional<EvaluationFacts> evaluation;  // the newest on the test part
  std::string damaged;  // what is wrong with its evidence or its waivers, where they can't be believed
  std::vector<std::string> waived;  // requirements of its gate that waivers forgive or forgave it
  std::optional<LoadTrial> load;    // of what serves
};

struct DatasetFacts {
  std::string name;
  std::int64_t version = 0;
  base::Digest digest;
  base::Timestamp registered_at;
  std::string registered_by;
  std::size_t sensitive_columns = 0;  // found by name and content
  std::string failed;                 // why it could not be opened from its sealed blob, if so
  bool tried = false;                 // whether that was tried; not for very large ones
};

struct AlertFacts {
  std::int64_t id = 0;
  std::string source;
  std::string subject;
  std::int64_t windows = 0;  // that showed a signal: one alert of so many
  base::Timestamp opened_at;
  bool acknowledged = false;
  bool resolved = false;
  std::uint64_t delivered = 0;  // messages that a webhook took
};

struct RunFacts {
  std::int64_t id = 0;
  std::string kind;  // "train", "harden", "evaluate"
  base::Timestamp finished_at;
};

// What came of putting an older release in the place of the newest one, as somebody would who rolls a row
// back behind the log's back.
struct RollbackTrial {
  base::Timestamp at;
  std::string endpoint;
  bool refused = false;
};

// --- what only the running server knows; it hands it in ---

struct LogVerification {
  base::Timestamp at;
  std::uint64_t records = 0;
  std::string fault;  // what is wrong first; empty: the log held (audit::verify_log)
};

struct RowCheck {
  base::Timestamp at;
  std::string fault;  // empty: every row that carries a record is what the record says
};

// The engines of the version that an endpoint serves, as they run.
struct EngineFacts {
  std::string endpoint;
  base::Timestamp at;
  bool own_network = false;                // their jails' reports: a network namespace with nothing in it
  std::chrono::milliseconds processor{0};  // taken by all of them since they started
  std::uint64_t resident_bytes = 0;        // of memory, all of them
};

struct RuntimeFacts {
  std::optional<LogVerification> log;
  std::optional<RowCheck> rows;
  std::vector<EngineFacts> engines;
  std::optional<updates::UpdateState> updates;  // the ages of what grows old, as they are now
};

struct Facts {
  base::Timestamp at;
  LogFacts log{base::WorkspaceId()};
  bool log_read_to_end = false;
  std::vector<VersionFacts> versions;
  std::vector<DatasetFacts> datasets;
  std::vector<AlertFacts> alerts;
  std::vector<RunFacts> runs;                // that ended well
  std::vector<std::string> plain_webhooks;   // told without TLS
  std::optional<RollbackTrial> rolled_back;  // where an endpoint has two releases
  RuntimeFacts runtime;
};

}  // namespace holdfast::govern
