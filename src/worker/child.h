#pragma once

#include "base/result.h"
#include "worker/channel.h"

namespace holdfast::worker {

// The first thing that main() of a worker does, once its libraries are loaded, while it has one thread and
// before it reads anything from outside: enters the jail that Process::start asked for and tells the parent
// what is in force. Gives the connection to the parent; receive() on it gives none when the parent wants no
// more, and then main returns. On an error the parent has been told; main returns with any status. From here
// on a failed operator new ends the process with kExitOutOfMemory.
base::Result<Channel> begin_work();

}  // namespace holdfast::worker
