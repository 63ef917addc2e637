#pragma once

#include "server/installation.h"

namespace holdfast::server {

enum class LogState {
  kStands,
  kStopped,  // nothing that it must record can be done
  kMayGoOn,  // it had stopped for want of what comes back by itself, and that has come back
};

// Looks whether the log stands, by having it publish. Where it has stopped for want of room on the disk or of
// descriptors, and there is room again, the installation is to be closed and opened: that recovers the log,
// and settles the change that the stop left open. Blocks for as long as a small file takes.
LogState look_at_log(const Installation& installation);

}  // namespace holdfast::server
