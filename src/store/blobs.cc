#include "store/blobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/log.h"
#include "crypto/age.h"
#include "crypto/hmac.h"
#include "crypto/sha256.h"
#include "store/blob_reader.h"

namespace holdfast::store {
namespace {

using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::WorkspaceId;
using std::filesystem::path;

constexpr std::string_view kIncoming = ".incoming";  // no workspace's name begins with a full stop
constexpr std::size_t kBufferBytes = 256UL << 10;
constexpr std::size_t kMaxWorkspaceBytes = 64;
constexpr std::size_t kMinNamingKeyBytes = 32;
constexpr std::size_t kMaxNamesInFolder = 1'000'000;

std::string name_of(const BlobId& id) { return id.code.hex(); }

// The folders from the workspace's down to the one that the blob stands in, below the store's own.
std::vector<path> folders_of(const WorkspaceId& workspace, const BlobId& id) {
  const std::string name = name_of(id);
  const path top(workspace.value());
  return {top, top / name.substr(0, 2), top / name.substr(0, 2) / name.substr(2, 2)};
}

path place_of(const WorkspaceId& workspace, const BlobId& id) {
  return folders_of(workspace, id).back() / name_of(id);
}

// The workspace is a part of a path.
Result<> check(const WorkspaceId& workspace) {
  const std::string& name = workspace.value();
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (plain && !name.empty() && name.size() <= kMaxWorkspaceBytes && name.front() != '-') return {};
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("a workspace that holds blobs has a name of 1 to {} of a-z, 0-9, _ and -, not \"{}\"",
                  kMaxWorkspaceBytes, name.substr(0, kMaxWorkspaceBytes)));
}

std::string text_of(const WorkspaceId& workspace, const BlobId& id) {
  return fmt::format("blob {} of workspace {}", name_of(id), workspace.value());
}

Result<base::UniqueFd> open_blob(const path& folder, const WorkspaceId& workspace, const BlobId& id) {
  HF_CHECK(check(workspace));
  auto fd = base::open_regular_file(folder / place_of(workspace, id));
  if (!fd && fd.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no {}", text_of(workspace, id)));
  }
  return fd;
}

// A file being written, which goes if it is not published.
class Incoming final : public crypto::Writer {
 public:
  static Result<std::unique_ptr<Incoming>> create(Disk& disk, const path& file) {
    HF_TRY(base::UniqueFd fd, disk.create(file));
    return std::make_unique<Incoming>(disk, file, std::move(fd));
  }
  Incoming(Disk& disk, path file, base::UniqueFd fd)
      : disk_(&disk), file_(std::move(file)), fd_(std::move(fd)) {}
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;
  ~Incoming() override {
    if (published_) return;
    if (const auto removed = disk_->remove(file_); !removed) {
      base::log(base::LogLevel::kWarning, "store.incoming_left", {{"error", removed.error().message}});
    }
  }

  Result<> write(base::ByteView bytes) override { return named(disk_->write(fd_.get(), bytes)); }
  Result<> sync() { return named(disk_->sync(fd_.get())); }
  Result<> publish(const path& at) {
    HF_CHECK(disk_->rename(file_, at));
    published_ = true;
    return {};
  }

 private:
  [[nodiscard]] Result<> named(Result<> done) const {
    if (done) return done;
    return fail(std::move(done).error().within(fmt::format("a blob can't be kept in {}", file_.string())));
  }

  Disk* disk_;
  path file_;
  base::UniqueFd fd_;
  bool published_ = false;
};

struct Content {
  Digest digest;
  std::uint64_t size = 0;
};

Result<Content> seal(crypto::Reader& content, crypto::Writer& out, const BlobKeys& keys,
                     base::RandomSource& random) {
  HF_TRY(auto sealer, crypto::AgeSealer::create(out, keys.recipients, crypto::AgeForm::kBinary, random));
  crypto::Sha256 hash;
  std::uint64_t size = 0;
  base::Secret buffer(kBufferBytes);
  for (;;) {
    HF_TRY(const std::size_t got, content.read(buffer.writable()));
    if (got == 0) break;
    size += got;
    if (size > kMaxBlobBytes) {
      return fail(ErrorCode::kLimitExceeded, fmt::format("a blob has at most {} bytes", kMaxBlobBytes));
    }
    const auto piece = buffer.reveal().first(got);
    hash.update(piece);
    HF_CHECK(sealer.write(piece));
  }
  HF_CHECK(sealer.finish());
  return Content{.digest = hash.finish(), .size = size};
}

Result<std::vector<std::string>> sorted_names(const path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (names.size() == kMaxNamesInFolder) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the folder {} holds more than {} names", folder.string(), kMaxNamesInFolder));
    }
    names.push_back(entry->path().filename().string());
  }
  if (error == std::errc::no_such_file_or_directory) return names;
  if (error) {
    return base::fail_errno(fmt::format("cannot read the folder {}", folder.string()), error.value());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The names of the folders two levels down, "abcd" for ab/cd, in order.
Result<std::vector<std::string>> leaf_folders(const path& top) {
  std::vector<std::string> leaves;
  HF_TRY(const auto firsts, sorted_names(top));
  for (const std::string& first : firsts) {
    HF_TRY(const auto seconds, sorted_names(top / first));
    for (const std::string& second : seconds) leaves.push_back(first + second);
  }
  return leaves;
}

}  // namespace

BlobId blob_id(const BlobKeys& keys, const Digest& digest) {
  HF_ASSERT(keys.naming.size() >= kMinNamingKeyBytes);
  return BlobId{.code = crypto::hmac_sha256(keys.naming.reveal(), digest.bytes())};
}

Result<std::unique_ptr<BlobStore>> BlobStore::open(const path& folder, Disk& disk) {
  std::unique_ptr<BlobStore> store(new BlobStore(folder, disk));
  HF_CHECK(disk.make_folder(folder));
  HF_CHECK(disk.make_folder(folder / kIncoming));
  HF_CHECK(disk.sync_folder(folder.parent_path()));
  HF_CHECK(store->sweep());
  return store;
}

Result<> BlobStore::sweep() {
  HF_TRY(const auto names, sorted_names(folder_ / kIncoming));
  for (const std::string& name : names) HF_CHECK(disk_->remove(folder_ / kIncoming / name));
  return {};
}

Result<Blob> BlobStore::put(const BlobKeys& keys, crypto::Reader& content, base::RandomSource& random) {
  HF_ASSERT(!keys.recipients.empty());
  HF_CHECK(check(keys.workspace));
  const path file = folder_ / kIncoming / base::hex_encode(random.take(16));
  HF_TRY(const auto incoming, Incoming::create(*disk_, file));
  HF_TRY(const Content sealed, seal(content, *incoming, keys, random));
  HF_CHECK(incoming->sync());
  const BlobId id = blob_id(keys, sealed.digest);
  HF_CHECK(make_folders(keys.workspace, id));
  const path place = folder_ / place_of(keys.workspace, id);
  HF_CHECK(incoming->publish(place));
  HF_CHECK(disk_->sync_folder(place.parent_path()));
  return Blob{.id = id, .digest = sealed.digest, .size = sealed.size};
}

// A folder that is there need not survive a power cut: another thread, or a process before this, may have
// made it without syncing its name. So this process syncs each name once.
Result<> BlobStore::make_folders(const WorkspaceId& workspace, const BlobId& id) {
  for (const path& folder : folders_of(workspace, id)) {
    {
      const base::MutexLock lock(mutex_);
      if (durable_folders_.contains(folder.string())) continue;
    }
    HF_CHECK(disk_->make_folder(folder_ / folder));
    HF_CHECK(disk_->sync_folder((folder_ / folder).parent_path()));
    const base::MutexLock lock(mutex_);
    durable_folders_.insert(folder.string());
  }
  return {};
}

Result<std::unique_ptr<crypto::Reader>> BlobStore::read(const BlobKeys& keys, const Digest& digest) const {
  const BlobId id = blob_id(keys, digest);
  HF_TRY(auto fd, open_blob(folder_, keys.workspace, id));
  return open_blob_stream(std::move(fd), keys.identities, text_of(keys.workspace, id), digest);
}

Result<std::unique_ptr<crypto::RandomReader>> BlobStore::read_at_random(const BlobKeys& keys,
                                                                        const Digest& digest) const {
  const BlobId id = blob_id(keys, digest);
  HF_TRY(auto fd, open_blob(folder_, keys.workspace, id));
  return open_blob_at_random(std::move(fd), keys.identities, text_of(keys.workspace, id));
}

Result<> BlobStore::verify(const BlobKeys& keys, const BlobId& id) const {
  const std::string name = text_of(keys.workspace, id);
  HF_TRY(const auto fd, open_blob(folder_, keys.workspace, id));
  crypto::FdReader file(fd.get());
  const auto digest = [&]() -> Result<Digest> {
    HF_TRY(auto content, crypto::AgeUnsealer::open(file, keys.identities));
    return crypto::sha256_stream(content);
  }();
  if (!digest) return fail(base::Error(digest.error()).within(name));
  if (blob_id(keys, *digest) == id) return {};
  return fail(ErrorCode::kDataCorrupt, fmt::format("{} holds the content of another", name));
}

Result<> BlobStore::remove(const WorkspaceId& workspace, const BlobId& id) {
  HF_CHECK(check(workspace));
  const path place = folder_ / place_of(workspace, id);
  auto removed = disk_->remove(place);
  if (!removed && removed.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no {}", text_of(workspace, id)));
  }
  HF_CHECK(removed);
  return disk_->sync_folder(place.parent_path());
}

Result<std::vector<BlobId>> BlobStore::list(const WorkspaceId& workspace, const std::optional<BlobId>& after,
                                            std::size_t limit) const {
  HF_ASSERT(limit >= 1 && limit <= kMaxListedBlobs);
  HF_CHECK(check(workspace));
  const std::string last = after ? name_of(*after) : std::string();
  HF_TRY(const auto leaves, leaf_folders(folder_ / workspace.value()));
  std::vector<BlobId> blobs;
  for (const std::string& leaf : leaves) {
    if (leaf < last.substr(0, leaf.size())) continue;
    HF_TRY(const auto names, sorted_names(folder_ / workspace.value() / leaf.substr(0, 2) / leaf.substr(2)));
    for (const std::string& name : names) {
      const auto digest = Digest::from_hex(name);
      if (!digest || !name.starts_with(leaf) || name <= last) continue;
      blobs.push_back({.code = *digest});
      if (blobs.size() == limit) return blobs;
    }
  }
  return blobs;
}

}  // namespace holdfast::store
