#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

// Whether bytes could be the start of a pickle that does something when a loader is given them.

namespace holdfast::formats {

// `head` is the start of a file of `size` bytes (absent: unknown). True for protocol 2 and up by its first
// opcode. The older protocols have no magic: true where the opcodes (CPython's Lib/pickle.py) run without a
// fault up to an import or the building of an object, or to the end of the head; past a STOP that built plain
// values only, with the program that follows. So text is a pickle only where its first letters are such a
// program.
bool may_start_pickle(base::ByteView head, std::optional<std::uint64_t> size);

}  // namespace holdfast::formats
