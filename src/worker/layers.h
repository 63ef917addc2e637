#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "worker/jail.h"

// The layers of the jail, one function each, in the order in which enter_jail takes them. Each holds by
// itself, which is how the tests try them. Nobody else calls them.

namespace holdfast::worker {

// From root to nobody, keeping for now the capabilities that making namespaces may need.
base::Result<> leave_root();

// New namespaces, and an empty read-only root. kUnsupported names the cause and the remedy.
base::Result<> enter_namespaces();

// Lowers the resource limits; gives those in force. `own_users`: this process is alone in its user namespace,
// so that the number of its threads can be limited at all.
base::Result<JailLimits> limit_resources(JailLimits limits, bool own_users);

// Empties the sets of capabilities for good.
base::Result<> drop_capabilities();

// Not to be traced or dumped, and killed when `parent` ends.
base::Result<> tie_to_parent(pid_t parent);

// Landlock without a single right; gives its ABI, 0 where the kernel has none.
base::Result<int> enter_landlock();

// The list of allowed system calls.
base::Result<> filter_calls(const JailOptions& options);

}  // namespace holdfast::worker
