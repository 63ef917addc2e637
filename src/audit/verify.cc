#include "audit/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include "audit/log.h"
#include "audit/record.h"
#include "audit/replay.h"
#include "audit/segment.h"
#include "audit/tiles.h"
#include "base/file.h"
#include "store/folder_lock.h"

namespace holdfast::audit {
namespace {

using base::Bytes;
using base::ByteView;
using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;
using std::filesystem::path;

constexpr std::size_t kMaxCheckpointBytes = 64UL << 10;
constexpr std::size_t kEntryUnit = sizeof(std::uint16_t) + kEntryBytes;

Bytes as_tile(const std::vector<Digest>& hashes) {
  Bytes bytes;
  for (const auto& hash : hashes) base::append(bytes, hash.bytes());
  return bytes;
}

// The place of a tile file, from its name: tile/<level or entries>/<N>[.p/<W>].
struct TileName {
  std::optional<unsigned> level;  // none: entries
  std::uint64_t index = 0;
  std::uint64_t width = kTileWidth;

  [[nodiscard]] std::string full() const {
    return level ? tile_path(*level, index, kTileWidth) : entries_path(index, kTileWidth);
  }
  [[nodiscard]] std::string text() const {
    return level ? tile_path(*level, index, width) : entries_path(index, width);
  }
  [[nodiscard]] std::size_t unit() const { return level ? Digest::kSize : kEntryUnit; }
  [[nodiscard]] unsigned height() const { return kTileHeight * level.value_or(0); }
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The number that tile_number() wrote as `text`, or another: the caller writes it again and compares.
std::optional<std::uint64_t> parse_digits(std::string_view text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c >= '0' && c <= '9'; });
  return parse_number(digits);
}

std::optional<TileName> parse_tile_name(std::string_view name) {
  TileName tile;
  std::string_view rest = name.substr(std::min(name.size(), std::string_view("tile/").size()));
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  if (rest.substr(0, slash) != "entries") {
    const auto level = parse_number(rest.substr(0, slash));
    if (!level || *level >= kTileLevels) return std::nullopt;
    tile.level = static_cast<unsigned>(*level);
  }
  rest.remove_prefix(slash + 1);
  if (const auto partial = rest.find(".p/"); partial != std::string_view::npos) {
    const auto width = parse_number(rest.substr(partial + 3));
    if (!width || *width < 1 || *width >= kTileWidth) return std::nullopt;
    tile.width = *width;
    rest = rest.substr(0, partial);
  }
  const auto index = parse_digits(rest);
  if (!index) return std::nullopt;
  tile.index = *index;
  constexpr std::uint64_t kMostTiles = 1ULL << (64 - kTileHeight);
  if (tile.index >= kMostTiles || tile.text() != name) return std::nullopt;
  return tile;
}

// How many hashes of its level there must be for the tile to be there.
std::uint64_t end_of(const TileName& tile) { return tile.index * kTileWidth + tile.width; }

// Whether a file of that name belongs to a log of `most` records.
bool belongs(const std::string& name, std::uint64_t most) {
  if (name.starts_with("tile/")) {
    const auto tile = parse_tile_name(name);
    return tile && end_of(*tile) <= most >> tile->height();
  }
  const auto segment = name.starts_with("bodies/") ? parse_digits(name) : std::nullopt;
  return segment && *segment <= most / kRecordsPerSegment && name == segment_path(*segment);
}

class Verifier {
 public:
  Verifier(path folder, const crypto::NoteVerifier& verifier, const VerifyOptions& options)
      : folder_(std::move(folder)), verifier_(verifier), options_(options) {}

  // kDataCorrupt where fault_ says what is wrong.
  Result<> run();
  VerifyReport take();

 private:
  tl::unexpected<base::Error> found(std::string file, std::optional<std::uint64_t> record,
                                    std::string message);
  Result<> read_checkpoint();
  Result<> check_verifier_file();
  Result<bool> walk_segment(std::uint64_t segment);
  Result<> end_of_log(const Replay& replay, const std::string& name, std::size_t text_bytes);
  Result<> refine(const Replay& replay, const std::string& name);
  Result<> take_line(const BodyLine& line, const std::string& name);
  Result<> open_line(const BodyLine& line, const std::string& name);
  Result<> check_full_tile(const TileEdge::FullTile& tile);
  Result<> check_entries(std::uint64_t index, std::uint64_t width);
  Result<> check_boundary(const Checkpoint& checkpoint);
  Result<> check_edge();
  Result<> compare(const std::string& name, ByteView right, const TileName& tile);
  Result<> check_stray_files();
  Result<> check_file(const std::string& name);
  Result<> check_partial(const TileName& tile);
  Result<> check_ahead();
  Result<> check_destroyed();

  path folder_;
  const crypto::NoteVerifier& verifier_;
  const VerifyOptions& options_;
  Checkpoint published_;
  bool published_met_ = false;
  bool against_met_ = false;
  TileEdge edge_;  // over all lines taken so far
  Bytes entries_;  // of the tile under way
  std::set<std::uint64_t> destroyed_;
  std::set<std::string> declared_;  // the resources of records that say that a body was destroyed
  std::vector<std::string> ahead_;  // files beyond the checkpoint
  std::optional<Fault> fault_;
  VerifyReport report_;
};

tl::unexpected<base::Error> Verifier::found(std::string file, std::optional<std::uint64_t> record,
                                            std::string message) {
  fault_ = Fault{.file = std::move(file), .record = record, .message = message};
  return fail(ErrorCode::kDataCorrupt, std::move(message));
}

Result<> Verifier::read_checkpoint() {
  const auto note = base::read_file(folder_ / "checkpoint", kMaxCheckpointBytes);
  if (!note && note.error().code == ErrorCode::kNotFound) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder_, error)) {
      return fail(ErrorCode::kNotFound, fmt::format("there is no log in {}", folder_.string()));
    }
    return found("checkpoint", std::nullopt, "the file is missing");
  }
  if (!note && note.error().code != ErrorCode::kLimitExceeded) return fail(note.error());
  if (!note) return found("checkpoint", std::nullopt, "the file is too large for a checkpoint");
  auto checkpoint = open_checkpoint(base::as_text(*note), verifier_);
  if (!checkpoint) return found("checkpoint", std::nullopt, std::move(checkpoint).error().message);
  published_ = *std::move(checkpoint);
  report_.checkpoint = {.origin = published_.origin, .size = 0, .root = empty_root()};
  if (published_.size == 0 && published_.root != empty_root())
    return found("checkpoint", std::nullopt, "an empty log has another root");
  published_met_ = published_.size == 0;
  return {};
}

// It is a default for whoever has no better one, so it must not tell another.
Result<> Verifier::check_verifier_file() {
  const std::string name(Log::kVerifierFile);
  const auto text = base::read_file(folder_ / name, kMaxCheckpointBytes);
  if (!text && text.error().code == ErrorCode::kNotFound) return {};
  if (text && base::as_text(*text) == verifier_.text() + "\n") return {};
  return found(name, std::nullopt, "it holds another key than the one that the log is verified with");
}

Result<> Verifier::compare(const std::string& name, ByteView right, const TileName& tile) {
  const auto bytes = read_tile(folder_, tile.full(), tile.width, tile.unit());
  if (!bytes && bytes.error().code != ErrorCode::kNotFound && bytes.error().code != ErrorCode::kDataCorrupt &&
      bytes.error().code != ErrorCode::kLimitExceeded) {
    return fail(bytes.error());
  }
  const std::uint64_t first = tile.index * kTileWidth << tile.height();
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return found(name, first, "the tile is missing");
  if (!bytes) return found(name, first, bytes.error().message);
  const auto at = std::ranges::mismatch(*bytes, right).in2;
  if (at == right.end()) return {};
  const auto unit = static_cast<std::uint64_t>(at - right.begin()) / tile.unit();
  return found(name, first + (unit << tile.height()), "the tile is not what its records give");
}

Result<> Verifier::check_full_tile(const TileEdge::FullTile& tile) {
  const TileName name{.level = tile.level, .index = tile.index, .width = kTileWidth};
  // Beyond the checkpoint they need not be there yet.
  if ((tile.index + 1) * kTileWidth << name.height() > published_.size) return {};
  return compare(name.text(), as_tile(tile.hashes), name);
}

Result<> Verifier::check_entries(std::uint64_t index, std::uint64_t width) {
  const TileName name{.level = std::nullopt, .index = index, .width = width};
  return compare(name.text(), ByteView(entries_).first(width * kEntryUnit), name);
}

// At a size for which the log signed a root, which is the right one over its records.
Result<> Verifier::check_boundary(const Checkpoint& checkpoint) {
  if (checkpoint.size == published_.size) {
    if (checkpoint.root != published_.root)
      return found("checkpoint", std::nullopt, "two roots were signed for one size of the log");
    published_met_ = true;
    HF_CHECK(check_edge());
  }
  if (options_.against && checkpoint.size == options_.against->size) {
    if (checkpoint.root != options_.against->root) {
      return found("checkpoint", std::nullopt,
                   fmt::format("the log is another one than the checkpoint kept elsewhere says: its first {} "
                               "records were changed",
                               checkpoint.size));
    }
    against_met_ = true;
  }
  return {};
}

// The tiles that are not full, at the size of the published checkpoint.
Result<> Verifier::check_edge() {
  for (unsigned level = 0; level < kTileLevels; ++level) {
    const auto& hashes = edge_.hashes(level);
    if (hashes.empty()) continue;
    const TileName name{
        .level = level, .index = edge_.size() >> (kTileHeight * (level + 1)), .width = hashes.size()};
    HF_CHECK(compare(name.text(), as_tile(hashes), name));
  }
  const std::uint64_t width = edge_.size() % kTileWidth;
  return width == 0 ? Result<>() : check_entries(edge_.size() / kTileWidth, width);
}

Result<> Verifier::open_line(const BodyLine& line, const std::string& name) {
  if (line.destroyed()) {
    ++report_.destroyed;
    destroyed_.insert(line.index);
    return {};
  }
  if (options_.keys == nullptr) return {};
  const auto key_name = body_key_name(line.workspace, line.index);
  const auto key = options_.keys->aead(key_name);
  if (!key && key.error().code == ErrorCode::kNotFound) {
    ++report_.without_key;
    return {};
  }
  if (!key && key.error().code == ErrorCode::kDataCorrupt)
    return found(name, line.index, key.error().message);
  if (!key) return fail(key.error());
  const auto opened = open_body(line.body, line.workspace, line.index, *key);
  if (!opened) return found(name, line.index, opened.error().message);
  if (opened->commitment != line.commitment)
    return found(name, line.index, "the body is not the one that the log commits to");
  if (opened->record.action == Log::kDestroyAction) declared_.insert(opened->record.resource);
  ++report_.opened;
  return {};
}

Result<> Verifier::take_line(const BodyLine& line, const std::string& name) {
  const auto entry = line.entry();
  append_entry(entries_, entry);
  const auto full = edge_.add(leaf_hash(entry));
  for (const auto& tile : full) {
    if (tile.level == 0 && edge_.size() <= published_.size) {
      HF_CHECK(check_entries(tile.index, kTileWidth));
    }
    HF_CHECK(check_full_tile(tile));
  }
  if (!full.empty()) entries_.clear();
  return open_line(line, name);
}

// Of a group whose root is wrong, the record whose entry is not the one in tile/entries, if one is.
Result<> Verifier::refine(const Replay& replay, const std::string& name) {
  const auto& broken = *replay.broken;
  for (const auto& line : replay.rest) {
    if (line.index >= published_.size) break;
    const std::uint64_t tile = line.index / kTileWidth;
    const std::uint64_t at = line.index % kTileWidth;
    const auto width = std::min(kTileWidth, published_.size - tile * kTileWidth);
    const auto bytes = read_tile(folder_, entries_path(tile, kTileWidth), width, kEntryUnit);
    if (!bytes) break;
    Bytes entry;
    append_entry(entry, line.entry());
    if (std::ranges::equal(ByteView(*bytes).subspan(at * kEntryUnit, kEntryUnit), entry)) continue;
    return found(name, line.index, "the record is not the one that the log committed to");
  }
  return found(name, broken.record, broken.error.message);
}

Result<> Verifier::end_of_log(const Replay& replay, const std::string& name, std::size_t text_bytes) {
  const std::uint64_t size = edge_.size();
  if (replay.broken && (replay.broken->later || size < published_.size)) return refine(replay, name);
  report_.unfinished_bytes = text_bytes - replay.whole_bytes;
  return {};
}

// Whether the log may go on in the next one.
Result<bool> Verifier::walk_segment(std::uint64_t segment) {
  const auto name = segment_path(segment);
  auto bytes = read_segment(folder_ / name);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return false;
  if (!bytes && bytes.error().code == ErrorCode::kLimitExceeded)
    return found(name, edge_.size(), bytes.error().message);
  if (!bytes) return fail(bytes.error());
  const Replay replay = replay_segment(base::as_text(*bytes), edge_, verifier_);
  auto checkpoint = replay.checkpoints.begin();
  for (const auto& line : replay.lines) {
    HF_CHECK(take_line(line, name));
    if (checkpoint != replay.checkpoints.end() && checkpoint->size == edge_.size()) {
      HF_CHECK(check_boundary(*checkpoint));
      report_.checkpoint = *checkpoint++;
    }
  }
  if (options_.progress) options_.progress(edge_.size(), std::max(edge_.size(), published_.size));
  HF_CHECK(end_of_log(replay, name, bytes->size()));
  const std::uint64_t end = (segment + 1) * kRecordsPerSegment;
  if (edge_.size() > end) return found(name, end, "the file holds more records than it should");
  return edge_.size() == end;
}

Result<> Verifier::check_destroyed() {
  // A record that says so may itself be beyond reading.
  if (options_.keys == nullptr || report_.without_key > 0) return {};
  for (const auto index : destroyed_) {
    if (declared_.contains(fmt::format("record/{}", index))) continue;
    return found(segment_path(index / kRecordsPerSegment), index,
                 "the body is gone, and no record says that it was destroyed");
  }
  return {};
}

// Those of checkpoints before: the beginning of what stands now.
Result<> Verifier::check_partial(const TileName& tile) {
  const auto bytes = base::read_file(folder_ / tile.text(), kTileWidth * kEntryUnit);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) return {};  // filled meanwhile
  const std::uint64_t now =
      std::min(kTileWidth, (published_.size >> tile.height()) - tile.index * kTileWidth);
  HF_TRY(const auto right, read_tile(folder_, tile.full(), now, tile.unit()));
  if (bytes && std::ranges::equal(*bytes, ByteView(right).first(tile.width * tile.unit()))) return {};
  return found(tile.text(), (tile.index * kTileWidth) << tile.height(),
               "the tile is not what its records give");
}

Result<> Verifier::check_file(const std::string& name) {
  if (name == "checkpoint" || name == Log::kVerifierFile || name == store::FolderLock::kLockName) return {};
  if (name.ends_with(".new")) return {};  // being written, or cut short
  if (!belongs(name, published_.size)) {
    ahead_.push_back(name);
    return {};
  }
  const auto tile = parse_tile_name(name);
  return tile && tile->width < kTileWidth ? check_partial(*tile) : Result<>();
}

// A running server went on while the log was walked, and is at most one file of bodies beyond its checkpoint.
Result<> Verifier::check_ahead() {
  if (ahead_.empty()) return {};
  std::uint64_t size = edge_.size();
  if (const auto note = base::read_file(folder_ / "checkpoint", kMaxCheckpointBytes)) {
    const auto checkpoint = open_checkpoint(base::as_text(*note), verifier_);
    if (checkpoint) size = std::max(size, checkpoint->size);
  }
  for (const auto& name : ahead_) {
    if (!belongs(name, size + kRecordsPerSegment)) {
      return found(name, std::nullopt, "the file does not belong to the log");
    }
  }
  return {};
}

Result<> Verifier::check_stray_files() {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(folder_, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    if (entry->is_directory(gone)) continue;
    HF_CHECK(check_file(entry->path().lexically_relative(folder_).generic_string()));
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return base::fail_errno(fmt::format("cannot read the folder {}", folder_.string()), error.value());
  return check_ahead();
}

Result<> Verifier::run() {
  HF_CHECK(read_checkpoint());
  HF_CHECK(check_verifier_file());
  for (std::uint64_t segment = 0;; ++segment) {
    HF_TRY(const bool more, walk_segment(segment));
    if (!more) break;
  }
  if (edge_.size() < published_.size) {
    return found(segment_path(edge_.size() / kRecordsPerSegment), edge_.size(),
                 fmt::format("the record is missing: the checkpoint counts {}", published_.size));
  }
  if (!published_met_) {
    return found("checkpoint", std::nullopt,
                 fmt::format("the log never signed a root for {} records", published_.size));
  }
  if (options_.against && !against_met_ && options_.against->size > 0) {
    return found(
        "checkpoint", std::nullopt,
        options_.against->size > edge_.size()
            ? fmt::format("the checkpoint kept elsewhere is for {} records, and the log holds {}: it was "
                          "put back to an earlier state",
                          options_.against->size, edge_.size())
            : fmt::format("the log never signed a root for {} records, as the checkpoint kept elsewhere "
                          "has it",
                          options_.against->size));
  }
  HF_CHECK(check_destroyed());
  return check_stray_files();
}

VerifyReport Verifier::take() {
  report_.fault = std::move(fault_);
  report_.unpublished = report_.checkpoint.size - std::min(report_.checkpoint.size, published_.size);
  return std::move(report_);
}

}  // namespace

Result<VerifyReport> verify_log(const path& folder, const crypto::NoteVerifier& verifier,
                                const VerifyOptions& options) {
  Verifier work(folder, verifier, options);
  auto done = work.run();
  auto report = work.take();
  if (!done && !report.fault) return fail(std::move(done).error());
  return report;
}

}  // namespace holdfast::audit
