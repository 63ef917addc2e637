#include "audit/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<> check_checkpoint(const Checkpoint& checkpoint, const TileEdge& edge) {
  if (checkpoint.size != edge.size()) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("a checkpoint for {} records stands after record {}",
                                                     checkpoint.size, edge.size()));
  }
  if (checkpoint.root != edge.root()) {
    return fail(
        ErrorCode::kDataCorrupt,
        fmt::format("the records do not have the root that was signed for {} records", checkpoint.size));
  }
  return {};
}

// Takes one line into the group under way. Gives the checkpoint that ends it, where it is one.
Result<std::optional<Checkpoint>> take_line(SegmentLine line, const crypto::NoteVerifier& verifier,
                                            TileEdge& edge, std::vector<BodyLine>& group) {
  if (auto* body = std::get_if<BodyLine>(&line)) {
    if (body->index != edge.size()) {
      return fail(ErrorCode::kDataCorrupt,
                  fmt::format("record {} stands in the place of record {}", body->index, edge.size()));
    }
    edge.add(leaf_hash(body->entry()));
    group.push_back(std::move(*body));
    return std::optional<Checkpoint>();
  }
  HF_TRY(auto checkpoint, open_checkpoint(std::get<CheckpointLine>(line).note, verifier));
  if (group.empty()) return fail(ErrorCode::kDataCorrupt, "a checkpoint stands behind no record");
  HF_CHECK(check_checkpoint(checkpoint, edge));
  return std::optional<Checkpoint>(std::move(checkpoint));
}

// Whether a checkpoint of ours for more than `size` records comes yet.
bool goes_on(SegmentReader reader, std::uint64_t size, const crypto::NoteVerifier& verifier) {
  while (const auto text = reader.next()) {
    const auto line = parse_line(*text);
    const auto* note = line ? std::get_if<CheckpointLine>(&*line) : nullptr;
    if (note == nullptr) continue;
    const auto checkpoint = open_checkpoint(note->note, verifier);
    if (checkpoint && checkpoint->size > size) return true;
  }
  return false;
}

}  // namespace

Replay replay_segment(std::string_view text, const TileEdge& base, const crypto::NoteVerifier& verifier) {
  Replay replay;
  TileEdge edge = base;
  std::uint64_t whole = edge.size();
  std::vector<BodyLine> group;
  SegmentReader reader(text);
  const auto break_at = [&](base::Error error, std::uint64_t record) {
    replay.broken =
        Replay::Break{.error = std::move(error), .record = record, .later = goes_on(reader, whole, verifier)};
  };
  while (const auto text_line = reader.next()) {
    auto line = parse_line(*text_line);
    // A checkpoint that is wrong may concern any record of its group.
    const bool is_checkpoint = line && std::holds_alternative<CheckpointLine>(*line);
    const std::uint64_t concerned = is_checkpoint ? whole : edge.size();
    auto taken = line ? take_line(*std::move(line), verifier, edge, group)
                      : Result<std::optional<Checkpoint>>(fail(std::move(line).error()));
    if (!taken) {
      break_at(std::move(taken).error(), concerned);
      replay.rest = std::move(group);
      return replay;
    }
    if (!*taken) continue;
    std::ranges::move(group, std::back_inserter(replay.lines));
    group.clear();
    whole = edge.size();
    replay.checkpoints.push_back(**std::move(taken));
    replay.whole_bytes = reader.position();
  }
  if (replay.whole_bytes < text.size()) {
    break_at({ErrorCode::kDataCorrupt, "the file ends within a group of records"}, edge.size());
  }
  return replay;
}

}  // namespace holdfast::audit
