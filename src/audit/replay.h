#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/segment.h"
#include "audit/tiles.h"
#include "base/result.h"
#include "crypto/signed_note.h"

// Reads a segment's text group by group, each up to its signed checkpoint. Module-private.

namespace holdfast::audit {

struct Replay {
  std::vector<BodyLine> lines;          // of the groups that are whole
  std::vector<Checkpoint> checkpoints;  // of each, in order; their roots are the right ones over the lines
  std::vector<BodyLine> rest;           // of the group after them, which is not whole
  std::size_t whole_bytes = 0;          // of the text, up to the last of them
  // Why it ends before the text does, and the first record that it may concern. `later`: whole groups come
  // after it, so it is no write cut short but damage.
  struct Break {
    base::Error error;
    std::uint64_t record;
    bool later;
  };
  std::optional<Break> broken;
};

// `base` is the tree before the segment's first record.
Replay replay_segment(std::string_view text, const TileEdge& base, const crypto::NoteVerifier& verifier);

}  // namespace holdfast::audit
