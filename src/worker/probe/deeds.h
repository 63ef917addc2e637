#pragma once

#include <string>

#include "worker/channel.h"

// What the probe does on command, mostly things that a jailed worker must not get done.

namespace holdfast::worker::probe {

// Does what `request` says ("<deed> <argument>") and gives what came of it: "done", an errno's name, or the
// value asked for. Some deeds end the process or spoil the connection, which is their purpose.
std::string do_deed(const Frame& request, Channel& channel);

}  // namespace holdfast::worker::probe
