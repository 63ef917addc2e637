#pragma once

#include "base/result.h"
#include "govern/facts.h"
#include "registry/gates.h"
#include "registry/models.h"
#include "registry/parts.h"
#include "release/releases.h"

namespace holdfast::govern {

// Where facts come from; the caller keeps them alive.
struct FactSources {
  const registry::Parts& parts;
  const registry::Models& models;
  const registry::Gates& gates;
  const release::Releases& releases;
};

// Bounds on one gathering.
inline constexpr std::size_t kMaxVersions = 500;              // the newest
inline constexpr std::size_t kMaxDatasets = 200;              //
inline constexpr std::size_t kMaxTrials = 16;                 // versions that serve and are opened
inline constexpr std::uint64_t kMaxTrialBytes = 256UL << 20;  // of one model or dataset that is opened

// Reads the log on, reads what the registry, the releases and the alerts say, opens what serves, and tries
// what must be refused. Takes as long as reading those blobs does: for a bounded pool. `log` is kept by the
// caller from call to call, under a lock of its own. Errors are those of the database and the log; what can't
// be opened is a fact, not an error.
base::Result<Facts> gather_facts(const FactSources& sources, const base::WorkspaceId& workspace,
                                 LogFacts& log, RuntimeFacts runtime);

}  // namespace holdfast::govern
