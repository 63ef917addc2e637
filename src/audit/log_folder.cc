#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>
#include <utility>

#include "audit/log.h"
#include "audit/log_store.h"
#include "audit/merkle.h"
#include "audit/record.h"
#include "audit/replay.h"
#include "audit/tiles.h"
#include "audit/verify.h"
#include "base/assert.h"
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
constexpr std::array<std::string_view, 6> kNames{"checkpoint",   "checkpoint.new", "log.vkey",
                                                 "log.vkey.new", "tile",           "bodies"};

Bytes as_tile(const std::vector<Digest>& hashes) {
  Bytes tile;
  tile.reserve(hashes.size() * Digest::kSize);
  for (const auto& hash : hashes) base::append(tile, hash.bytes());
  return tile;
}

bool is_there(const path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

// The log in a folder. A round is one append and one sync of the segment at the end of bodies/, which is the
// journal: from it and the full tiles before it, all that publish() writes can be made anew. So tiles that
// are not full need no sync, and full ones one before the next segment begins.
class LogFolder final : public LogStore {
 public:
  LogFolder(path folder, crypto::NoteSigner signer, store::Disk& disk, store::FolderLock lock)
      : folder_(std::move(folder)), signer_(std::move(signer)), disk_(&disk), lock_(std::move(lock)) {}

  Result<> open();

  [[nodiscard]] const Checkpoint& last() const override { return last_; }
  [[nodiscard]] std::uint64_t room() const override {
    return kRecordsPerSegment - last_.size % kRecordsPerSegment;
  }
  Result<> commit(const Checkpoint& expected, std::span<const PendingBody> group) override;
  Result<> publish() override;
  Result<> destroy_body(std::uint64_t index) override;
  [[nodiscard]] Result<std::vector<BodyLine>> read(std::uint64_t from, std::uint64_t limit) const override;
  [[nodiscard]] Result<Inclusion> prove(std::uint64_t index) const override;

 private:
  Result<> create();
  Result<> recover();
  Result<std::uint64_t> last_segment() const;
  Result<> replay(std::uint64_t segment);
  Result<> accept(const Replay& replay, const std::string& name) const;
  Result<> take_back(Replay replay, const std::string& text, std::uint64_t segment);
  Result<> mend_tiles();
  Result<> mend(const std::string& name, ByteView right);
  [[nodiscard]] base::Error first_fault(base::Error error) const;

  void add_entry(ByteView entry);
  Result<> start_segment();
  Result<> publish_full_tiles();
  Result<> publish_partial_tiles();
  Result<> put(const std::string& name, ByteView bytes, bool sync);
  Result<base::UniqueFd> write_new(const std::string& name, ByteView bytes, bool sync);
  Result<> make_folders(const std::string& name);
  Result<> remove_partials(const std::string& full);
  [[nodiscard]] Bytes entries_tile(std::uint64_t index, std::uint64_t width) const;

  path folder_;
  crypto::NoteSigner signer_;
  store::Disk* disk_;
  store::FolderLock lock_;
  Checkpoint last_;
  Checkpoint published_;
  TileEdge edge_;
  base::UniqueFd segment_;      // the one that last_ ends in, for appending; none where it is full
  std::vector<Bytes> entries_;  // from the last multiple of kRecordsPerSegment on, that is published in full
  std::uint64_t entries_first_ = 0;
  std::vector<TileEdge::FullTile> full_;     // not published yet
  std::unordered_set<std::string> folders_;  // that are there and durable; cleared with each segment
};

// --- What is written

Result<> LogFolder::make_folders(const std::string& name) {
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string folder = name.substr(0, slash);
    if (folders_.contains(folder)) continue;
    HF_CHECK(disk_->make_folder(folder_ / folder));
    HF_CHECK(disk_->sync_folder((folder_ / folder).parent_path()));
    folders_.insert(folder);
  }
  return {};
}

// The file under a name beside its own. What an interrupted write left there goes.
Result<base::UniqueFd> LogFolder::write_new(const std::string& name, ByteView bytes, bool sync) {
  HF_CHECK(make_folders(name));
  const path file = folder_ / (name + ".new");
  auto fd = disk_->create(file);
  if (!fd && fd.error().code == ErrorCode::kAlreadyExists) {
    HF_CHECK(disk_->remove(file));
    fd = disk_->create(file);
  }
  if (!fd) return fail(std::move(fd).error());
  HF_CHECK(disk_->write(fd->get(), bytes));
  if (sync) {
    HF_CHECK(disk_->sync(fd->get()));
  }
  return fd;
}

// Whole or not at all under its name; durable on return if it is to be.
Result<> LogFolder::put(const std::string& name, ByteView bytes, bool sync) {
  HF_CHECK(write_new(name, bytes, sync));
  HF_CHECK(disk_->rename(folder_ / (name + ".new"), folder_ / name));
  if (!sync) return {};
  return disk_->sync_folder((folder_ / name).parent_path());
}

Result<> LogFolder::start_segment() {
  HF_CHECK(publish());
  folders_.clear();
  entries_.clear();
  entries_first_ = last_.size;
  const auto name = segment_path(last_.size / kRecordsPerSegment);
  HF_CHECK(make_folders(name));
  HF_TRY(segment_, disk_->create(folder_ / name));
  return disk_->sync_folder((folder_ / name).parent_path());
}

void LogFolder::add_entry(ByteView entry) {
  for (auto& tile : edge_.add(leaf_hash(entry))) full_.push_back(std::move(tile));
  entries_.emplace_back(entry.begin(), entry.end());
}

Result<> LogFolder::commit(const Checkpoint& expected, std::span<const PendingBody> group) {
  if (expected != last_) {
    return fail(ErrorCode::kConflict,
                fmt::format("the log has {} records, not {}: another process wrote to it", last_.size,
                            expected.size));
  }
  HF_ASSERT(!group.empty() && group.size() <= room());
  if (!segment_.valid()) {
    HF_CHECK(start_segment());
  }
  std::string text;
  for (const auto& record : group) {
    HF_ASSERT(record.index == edge_.size());
    text += format_line(BodyLine{.index = record.index,
                                 .commitment = record.commitment,
                                 .sealed = {},
                                 .workspace = record.workspace,
                                 .body = record.body});
    add_entry(record.entry);
  }
  Checkpoint next{.origin = last_.origin, .size = edge_.size(), .root = edge_.root()};
  HF_TRY(auto note, sign_checkpoint(next.size, next.root, signer_));
  text += format_line(CheckpointLine{std::move(note)});
  HF_CHECK(disk_->write(segment_.get(), base::as_bytes(text)));
  HF_CHECK(disk_->sync(segment_.get()));
  last_ = std::move(next);
  if (last_.size % kRecordsPerSegment == 0) segment_.reset();
  return {};
}

Result<> LogFolder::remove_partials(const std::string& full) {
  const path folder = folder_ / (full + ".p");
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    HF_CHECK(disk_->remove(entry->path()));
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return base::fail_errno(fmt::format("cannot read the folder {}", folder.string()), error.value());
  }
  std::filesystem::remove(folder, error);  // an empty folder that stays harms nothing
  folders_.erase(full + ".p");
  return {};
}

Result<> LogFolder::publish_full_tiles() {
  for (const auto& tile : full_) {
    const auto name = tile_path(tile.level, tile.index, kTileWidth);
    HF_CHECK(put(name, as_tile(tile.hashes), /*sync=*/true));
    HF_CHECK(remove_partials(name));
    if (tile.level > 0) continue;
    const auto entries_name = entries_path(tile.index, kTileWidth);
    HF_CHECK(put(entries_name, entries_tile(tile.index, kTileWidth), /*sync=*/true));
    HF_CHECK(remove_partials(entries_name));
  }
  full_.clear();
  return {};
}

Bytes LogFolder::entries_tile(std::uint64_t index, std::uint64_t width) const {
  Bytes tile;
  const auto first = index * kTileWidth - entries_first_;
  for (std::uint64_t i = 0; i < width; ++i) append_entry(tile, entries_.at(first + i));
  return tile;
}

Result<> LogFolder::publish_partial_tiles() {
  for (unsigned level = 0; level < kTileLevels; ++level) {
    const auto& hashes = edge_.hashes(level);
    if (hashes.empty()) continue;
    const std::uint64_t index = last_.size >> (kTileHeight * (level + 1));
    HF_CHECK(put(tile_path(level, index, hashes.size()), as_tile(hashes), /*sync=*/false));
  }
  const std::uint64_t width = last_.size % kTileWidth;
  if (width == 0) return {};
  const std::uint64_t index = last_.size / kTileWidth;
  return put(entries_path(index, width), entries_tile(index, width), /*sync=*/false);
}

Result<> LogFolder::publish() {
  if (published_ == last_) return {};
  HF_CHECK(publish_full_tiles());
  HF_CHECK(publish_partial_tiles());
  HF_TRY(const auto note, sign_checkpoint(last_.size, last_.root, signer_));
  HF_CHECK(put("checkpoint", base::as_bytes(note), /*sync=*/true));
  published_ = last_;
  return {};
}

Result<> LogFolder::destroy_body(std::uint64_t index) {
  HF_ASSERT(index < last_.size);
  const auto name = segment_path(index / kRecordsPerSegment);
  HF_TRY(const auto bytes, base::read_file(folder_ / name, kMaxSegmentBytes));
  std::string text;
  text.reserve(bytes.size());
  SegmentReader reader(base::as_text(bytes));
  while (const auto line = reader.next()) {
    HF_TRY(auto parsed, parse_line(*line));
    if (auto* body = std::get_if<BodyLine>(&parsed); body != nullptr && body->index == index) {
      body->workspace = {};
      body->body.clear();
      text += format_line(parsed);
    } else {
      text.append(*line).push_back('\n');
    }
  }
  HF_TRY(auto fd, write_new(name, base::as_bytes(text), /*sync=*/true));
  HF_CHECK(disk_->rename(folder_ / (name + ".new"), folder_ / name));
  // From here on a crash leaves the new file, so the next append goes to it.
  if (segment_.valid() && index / kRecordsPerSegment == last_.size / kRecordsPerSegment)
    segment_ = std::move(fd);
  return disk_->sync_folder((folder_ / name).parent_path());
}

// --- What is read

Result<std::vector<BodyLine>> LogFolder::read(std::uint64_t from, std::uint64_t limit) const {
  std::vector<BodyLine> lines;
  while (lines.size() < limit) {
    const std::uint64_t next = from + lines.size();
    const auto name = segment_path(next / kRecordsPerSegment);
    HF_TRY(const auto bytes, read_segment(folder_ / name));
    SegmentReader reader(base::as_text(bytes));
    std::uint64_t index = next - next % kRecordsPerSegment;
    const auto before = lines.size();
    for (auto line = reader.next(); line && lines.size() < limit; line = reader.next()) {
      if (line->starts_with("{\"checkpoint\"")) continue;
      if (index++ < next) continue;
      auto parsed = parse_line(*line);
      if (!parsed)
        return fail(std::move(parsed).error().within(fmt::format("{}: record {}", name, index - 1)));
      auto* body = std::get_if<BodyLine>(&*parsed);
      if (body == nullptr || body->index != index - 1) {
        return fail(ErrorCode::kDataCorrupt,
                    fmt::format("{}: record {} is not in its place", name, index - 1));
      }
      lines.push_back(std::move(*body));
    }
    if (lines.size() == before) {
      return fail(ErrorCode::kDataCorrupt, fmt::format("{}: record {} is missing", name, next));
    }
  }
  return lines;
}

// From the published files, as anybody else would: tiles of a checkpoint stay until they are full.
Result<LogStore::Inclusion> LogFolder::prove(std::uint64_t index) const {
  HF_TRY(const auto note, base::read_file(folder_ / "checkpoint", kMaxCheckpointBytes));
  HF_TRY(const auto checkpoint, open_checkpoint(base::as_text(note), signer_.verifier()));
  if (index >= checkpoint.size) {
    return fail(ErrorCode::kUnavailable, fmt::format("record {} is not published yet; try again", index));
  }
  HF_TRY(auto path, inclusion_proof(TileHashes(folder_, checkpoint.size), index, checkpoint.size));
  return Inclusion{.path = std::move(path), .checkpoint = std::string(base::as_text(note))};
}

// --- Opening

Result<> LogFolder::open() {
  auto note = base::read_file(folder_ / "checkpoint", kMaxCheckpointBytes);
  if (!note && note.error().code == ErrorCode::kNotFound) return create();
  if (!note) return fail(std::move(note).error());
  auto checkpoint = open_checkpoint(base::as_text(*note), signer_.verifier());
  if (!checkpoint) {
    return fail(std::move(checkpoint).error().within(fmt::format("{}/checkpoint", folder_.string())));
  }
  published_ = *std::move(checkpoint);
  return recover();
}

Result<> LogFolder::create() {
  if (is_there(folder_ / segment_path(0)) || is_there(folder_ / tile_path(0, 0, kTileWidth))) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("{} holds records but no checkpoint; restore that file", folder_.string()));
  }
  last_ = {.origin = signer_.verifier().name(), .size = 0, .root = empty_root()};
  const auto vkey = signer_.verifier().text() + "\n";
  HF_CHECK(put(std::string(Log::kVerifierFile), base::as_bytes(vkey), /*sync=*/true));
  HF_TRY(const auto note, sign_checkpoint(0, last_.root, signer_));
  HF_CHECK(put("checkpoint", base::as_bytes(note), /*sync=*/true));
  published_ = last_;
  return {};
}

// The published checkpoint lies in the last segment, or at its end: publish() comes before a new one.
Result<std::uint64_t> LogFolder::last_segment() const {
  std::uint64_t segment = published_.size / kRecordsPerSegment;
  if (published_.size > 0 && published_.size % kRecordsPerSegment == 0 &&
      !is_there(folder_ / segment_path(segment)))
    --segment;
  if (is_there(folder_ / segment_path(segment + 1))) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("{} lies beyond the checkpoint for {} records: the checkpoint is an older one",
                            segment_path(segment + 1), published_.size));
  }
  return segment;
}

// More than the first thing that start saw: the first thing that is wrong.
base::Error LogFolder::first_fault(base::Error error) const {
  if (error.code != ErrorCode::kDataCorrupt) return error;
  const auto report = verify_log(folder_, signer_.verifier());
  if (!report || !report->fault) return error;
  const auto& fault = *report->fault;
  const auto place = fault.record ? fmt::format("{}, record {}", fault.file, *fault.record) : fault.file;
  return {ErrorCode::kDataCorrupt, fmt::format("{}: {}", place, fault.message)};
}

Result<> LogFolder::recover() {
  HF_TRY(const std::uint64_t segment, last_segment());
  if (auto replayed = replay(segment); !replayed) return fail(first_fault(std::move(replayed).error()));
  if (auto mended = mend_tiles(); !mended) return fail(first_fault(std::move(mended).error()));
  return publish();
}

Result<> LogFolder::replay(std::uint64_t segment) {
  entries_first_ = segment * kRecordsPerSegment;
  HF_TRY(edge_, TileEdge::load(folder_, entries_first_));
  last_ = {.origin = published_.origin, .size = edge_.size(), .root = edge_.root()};
  const auto name = segment_path(segment);
  auto bytes = base::read_file(folder_ / name, kMaxSegmentBytes);
  const bool none = !bytes && bytes.error().code == ErrorCode::kNotFound;
  if (!bytes && !none) return fail(std::move(bytes).error());
  if (none) bytes = Bytes();
  const std::string text(base::as_text(*bytes));
  Replay replay = replay_segment(text, edge_, signer_.verifier());
  HF_CHECK(accept(replay, name));
  if (none) return {};
  return take_back(std::move(replay), text, segment);
}

// Whether all that was published is there, and nothing that was acknowledged is cut off.
Result<> LogFolder::accept(const Replay& replay, const std::string& name) const {
  const std::uint64_t size = last_.size + replay.lines.size();
  if (replay.broken && (replay.broken->later || size < published_.size)) {
    return fail(
        base::Error(replay.broken->error).within(fmt::format("{}, record {}", name, replay.broken->record)));
  }
  if (size < published_.size) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("{}: record {} is missing, which the checkpoint counts", name, size));
  }
  if (size > entries_first_ + kRecordsPerSegment) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("{} holds more than {} records", name, kRecordsPerSegment));
  }
  const auto at = std::ranges::find(replay.checkpoints, published_.size, &Checkpoint::size);
  const bool same = at != replay.checkpoints.end()
                        ? at->root == published_.root
                        : last_.size == published_.size && last_.root == published_.root;
  if (same) return {};
  return fail(
      ErrorCode::kDataCorrupt,
      fmt::format("the log does not have the root that its checkpoint for {} records says", published_.size));
}

// Cuts off a write that was never acknowledged, and takes over the rest.
Result<> LogFolder::take_back(Replay replay, const std::string& text, std::uint64_t segment) {
  for (const auto& line : replay.lines) add_entry(line.entry());
  if (!replay.checkpoints.empty()) last_ = replay.checkpoints.back();
  const bool is_full = last_.size == entries_first_ + kRecordsPerSegment;
  if (is_full && replay.whole_bytes == text.size()) return {};
  const auto name = segment_path(segment);
  HF_TRY(auto fd, write_new(name, base::as_bytes(text).first(replay.whole_bytes), /*sync=*/true));
  HF_CHECK(disk_->rename(folder_ / (name + ".new"), folder_ / name));
  HF_CHECK(disk_->sync_folder((folder_ / name).parent_path()));
  if (!is_full) segment_ = std::move(fd);
  return {};
}

// A tile that was published without a sync may have been lost with the power, wholly or in part. One that is
// there and says something else was changed.
Result<> LogFolder::mend(const std::string& name, ByteView right) {
  const auto bytes = base::read_file(folder_ / name, right.size());
  if (bytes && std::ranges::equal(*bytes, right)) return {};
  const bool zero = bytes && std::ranges::all_of(*bytes, [](std::uint8_t byte) { return byte == 0; });
  if ((bytes && bytes->size() == right.size() && !zero) ||
      (!bytes && bytes.error().code == ErrorCode::kLimitExceeded)) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("{} is not what its records give", name));
  }
  if (!bytes && bytes.error().code != ErrorCode::kNotFound) return fail(bytes.error());
  return put(name, right, /*sync=*/true);
}

Result<> LogFolder::mend_tiles() {
  // All partial ones of the edge that are there, for checkpoints published before, and those of the last one.
  const auto mend_all = [this](const std::string& full, const Bytes& tile, std::size_t unit) -> Result<> {
    for (std::uint64_t width = 1; width <= tile.size() / unit; ++width) {
      const auto name = fmt::format("{}.p/{}", full, width);
      if (!is_there(folder_ / name)) continue;
      HF_CHECK(mend(name, ByteView(tile).first(width * unit)));
    }
    return {};
  };
  for (unsigned level = 0; level < kTileLevels; ++level) {
    const std::uint64_t index = last_.size >> (kTileHeight * (level + 1));
    HF_CHECK(mend_all(tile_path(level, index, kTileWidth), as_tile(edge_.hashes(level)), Digest::kSize));
  }
  const std::uint64_t index = last_.size / kTileWidth;
  if (const std::uint64_t width = last_.size % kTileWidth; width > 0) {
    const Bytes entries = entries_tile(index, width);
    HF_CHECK(mend_all(entries_path(index, kTileWidth), entries, entries.size() / width));
  }
  for (const auto& tile : full_) {
    HF_CHECK(mend(tile_path(tile.level, tile.index, kTileWidth), as_tile(tile.hashes)));
    if (tile.level > 0) continue;
    HF_CHECK(mend(entries_path(tile.index, kTileWidth), entries_tile(tile.index, kTileWidth)));
  }
  if (published_ == last_) {
    full_.clear();
    return publish_partial_tiles();
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<LogStore>> open_log_folder(const path& folder, const crypto::NoteSigner& signer,
                                                  store::Disk& disk) {
  HF_TRY(auto lock, store::FolderLock::acquire(folder, kNames));
  auto log = std::make_unique<LogFolder>(folder, signer, disk, std::move(lock));
  HF_CHECK(log->open());
  return std::unique_ptr<LogStore>(std::move(log));
}

}  // namespace holdfast::audit
