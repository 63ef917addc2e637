#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/pickle_allow.h"

// Inspects Python pickles, which are programs: interprets every instruction of protocols 0 to 5 without
// executing any, and refuses each global that is not on the list of known constructors, or that is used
// otherwise than the list says.

namespace holdfast::inspect {

// What the pickle was found in, where that tells which loader reads it.
enum class PickleContainer : std::uint8_t {
  kPlain,     // a file by itself: any loader; a legacy PyTorch file is known by its beginning
  kTorchZip,  // a member of a PyTorch archive: torch.load or the TorchScript loader
  kJoblib,    // inside joblib's compression: joblib.load
};

struct PickleOptions {
  PickleContainer container = PickleContainer::kPlain;
  const PickleAllowList* allow = nullptr;  // null: PickleAllowList::builtin(); else outlives the call
  std::size_t max_program_bytes = 0;       // of PickleSummary::program; 0: none is written
};

enum class PickleVerdict : std::uint8_t { kAllowed, kMisused, kUnknown, kDangerous };

std::string_view to_string(PickleVerdict verdict);  // "allowed" .. "dangerous"

struct PickleGlobal {
  std::string module;
  std::string name;
  PickleVerdict verdict = PickleVerdict::kAllowed;
  std::uint64_t offset = 0;  // of its first mention
  std::uint64_t calls = 0;
};

struct PickleSummary {
  std::vector<PickleGlobal> globals;  // in the order of their first mention
  std::string program;                // Python-like assignments; what it would do
};

// Reads the stream to its end: one pickle, or several one after the other, with what lies between and behind
// them. Adds to `findings`, with `path` as their place. Fails only where the stream can't be read; what was
// found until then is in `findings`. Memory is bounded by 64 MiB whatever the stream's size. Pure;
// thread-safe.
base::Result<PickleSummary> inspect_pickle(formats::Stream& stream, std::string_view path,
                                           const PickleOptions& options, Findings& findings);

// Whether a loader that was given bytes with this beginning would run at least one instruction. True for much
// that is no pickle: any letter may be an instruction.
bool could_be_pickle(base::ByteView beginning);

std::span<const Rule> pickle_rules();

}  // namespace holdfast::inspect
