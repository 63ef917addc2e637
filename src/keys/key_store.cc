#include "keys/key_store.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "crypto/age_keys.h"
#include "crypto/envelope.h"
#include "keys/derivation.h"
#include "keys/key_file.h"

namespace holdfast::keys {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;
using std::filesystem::path;

constexpr std::string_view kAeadKind = "aes-256-gcm";
constexpr std::string_view kAuthorityKind = "authority";
constexpr std::string_view kSecretKind = "secret";
constexpr std::size_t kMaxCachedKeys = 4096;

tl::unexpected<base::Error> destroyed(const std::string& full) {
  return fail(ErrorCode::kNotFound,
              fmt::format("the key {} was destroyed, and all that was sealed with it", full));
}

Result<> check_private(const path& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    return base::fail_errno(fmt::format("cannot read the folder of keys {}", folder.string()), errno);
  }
  if (S_ISDIR(status.st_mode) && (status.st_mode & 077U) == 0) return {};
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("others have access to the folder of keys {}; run: chmod 700 {}", folder.string(),
                          folder.string()));
}

// Whether a name is taken. Anything but a clear no is an error: a mark that can't be looked for may be there.
Result<bool> is_there(const path& file) {
  struct stat status{};
  if (::lstat(file.c_str(), &status) == 0) return true;
  if (errno == ENOENT) return false;
  return base::fail_errno(fmt::format("cannot look for {}", file.string()), errno);
}

// Keys lie in folders of their workspaces; files beside them may be what an interrupted first use left.
Result<bool> holds_keys(const path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->is_directory(error)) return true;
  }
  if (error) return base::fail_errno("cannot read the folder of keys " + folder.string(), error.value());
  return false;
}

}  // namespace

Result<std::unique_ptr<KeyStore>> KeyStore::open(const path& folder, MasterKey master,
                                                 KeyStoreOptions options) {
  if (!options.read_only) {
    HF_CHECK(make_folder(folder));
  }
  HF_CHECK(check_private(folder));
  std::unique_ptr<KeyStore> keys(new KeyStore(folder, std::move(master), options));
  const base::MutexLock lock(keys->changing_);
  HF_CHECK(keys->check_master());
  if (!options.read_only) HF_CHECK(keys->remove_next());
  return keys;
}

Result<> KeyStore::check_master() {
  HF_TRY(auto kept, read_master_file(folder_));
  if (!kept) {
    HF_TRY(const bool keys, holds_keys(folder_));
    if (keys) {
      return fail(ErrorCode::kDataCorrupt,
                  fmt::format("{} holds keys but no {}; restore that file from a backup of the same folder",
                              folder_.string(), kMasterFile));
    }
    if (options_.read_only) {
      return fail(ErrorCode::kNotFound, fmt::format("there are no keys in {} yet", folder_.string()));
    }
    const auto file = master_file_of(master_, options_.clock->now(), *options_.random);
    return base::write_file_atomically(folder_ / kMasterFile, base::as_bytes(format_master_file(file)), 0600);
  }
  HF_TRY(const bool right, fits(*kept, master_));
  if (right) return {};
  return fail(ErrorCode::kUnauthenticated,
              fmt::format("the {} given is not the one that the keys in {} are wrapped by (or {} in it was "
                          "changed)",
                          master_.derivation() ? "passphrase" : "master key", folder_.string(), kMasterFile));
}

KeyStore::Material KeyStore::cached(const std::string& full) {
  const base::MutexLock lock(mutex_);
  const auto found = cache_.find(full);
  return found == cache_.end() ? nullptr : found->second;
}

void KeyStore::remember(const std::string& full, Material payload) {
  const base::MutexLock lock(mutex_);
  if (cache_.size() >= kMaxCachedKeys) cache_.clear();
  cache_[full] = std::move(payload);
}

void KeyStore::forget(const std::string& full) {
  const base::MutexLock lock(mutex_);
  cache_.erase(full);
}

Result<> KeyStore::refuse_destroyed(const std::string& full) const {
  HF_TRY(const bool marked, is_there(mark_path(folder_, full)));
  if (marked) return destroyed(full);
  return {};
}

// kNotFound where there is no file.
Result<KeyStore::Material> KeyStore::load(const std::string& full) const {
  HF_TRY(const auto envelope, base::read_file(key_path(folder_, full), kMaxKeyFileBytes));
  auto opened = crypto::open_envelope(master_.key(), full, envelope);
  if (!opened) {
    return fail(std::move(opened).error().within(fmt::format("the key {} cannot be unwrapped", full)));
  }
  return std::make_shared<const Secret>(*std::move(opened));
}

Secret KeyStore::with_head(std::string_view kind, const Secret& content) const {
  const auto head = fmt::format("{} {}\n", kind, options_.clock->now().microseconds());
  return joined({base::as_bytes(head), content.reveal()});
}

Result<> KeyStore::write(const std::string& full, const Secret& payload) {
  const path file = key_path(folder_, full);
  HF_CHECK(make_folder(file.parent_path().parent_path()));
  HF_CHECK(make_folder(file.parent_path()));
  const auto envelope = crypto::seal_envelope(master_.key(), full, payload.reveal(), *options_.random);
  return base::write_file_atomically(file, envelope, 0600);
}

Result<KeyStore::Material> KeyStore::make_file(const std::string& full, std::string_view kind,
                                               const Maker& make) {
  auto there = load(full);
  if (there || there.error().code != ErrorCode::kNotFound) return there;
  if (!make || options_.read_only) {
    return fail(ErrorCode::kNotFound, fmt::format("there is no key {} in {}", full, folder_.string()));
  }
  HF_TRY(const Secret content, make());
  auto payload = std::make_shared<const Secret>(with_head(kind, content));
  HF_CHECK(write(full, *payload));
  return Material(std::move(payload));
}

Result<KeyStore::Material> KeyStore::material(const KeyName& name, std::string_view kind, const Maker& make) {
  HF_TRY(const std::string full, full_name(name));
  Material payload = cached(full);
  if (!payload) {
    const base::MutexLock lock(changing_);
    HF_CHECK(refuse_destroyed(full));
    HF_TRY(payload, make_file(full, kind, make));
    remember(full, payload);
  }
  const auto head = head_of(*payload);
  if (!head) return damaged(full);
  if (head->kind == kind) return payload;
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the key {} is of the kind \"{}\", not \"{}\"", full, head->kind, kind));
}

Result<crypto::AeadKey> KeyStore::aead(const KeyName& name) {
  HF_TRY(const auto payload, material(name, kAeadKind, [this]() -> Result<Secret> {
           return Secret(options_.random->take(crypto::AeadKey::kSize));
         }));
  return crypto::AeadKey::create(crypto::AeadAlgorithm::kAes256Gcm, Secret::copy_of(content_of(*payload)));
}

Result<crypto::PrivateKey> KeyStore::signing_key(const KeyName& name, crypto::KeyAlgorithm algorithm) {
  const auto kind = crypto::to_string(algorithm);
  HF_TRY(const auto payload, material(name, kind, [algorithm]() -> Result<Secret> {
           return crypto::PrivateKey::generate(algorithm).to_pem();
         }));
  return crypto::PrivateKey::from_pem(base::as_text(content_of(*payload)));
}

Result<store::BlobKeys> KeyStore::blob_keys(const base::WorkspaceId& workspace) {
  const KeyName name = blob_key_name(workspace);
  HF_TRY(const auto payload, material(name, kBlobKind, [this]() -> Result<Secret> {
           const Secret naming(options_.random->take(kNamingBytes));
           const Secret identity = crypto::AgeIdentity::generate(*options_.random).text();
           return joined({naming.reveal(), identity.reveal()});
         }));
  const auto content = content_of(*payload);
  if (content.size() <= kNamingBytes) return damaged("blobs/content of " + workspace.value());
  // The newest first, which is what is sealed to.
  HF_TRY(auto identities, crypto::parse_age_identities(base::as_text(content.subspan(kNamingBytes))));
  store::BlobKeys keys{.workspace = workspace,
                       .recipients = {identities.front().recipient()},
                       .identities = {},
                       .naming = Secret::copy_of(content.first(kNamingBytes))};
  keys.identities.identities = std::move(identities);
  return keys;
}

Result<crypto::CertificateAuthority> KeyStore::authority(const KeyName& name, std::string_view common_name,
                                                         const base::Clock& clock) {
  HF_TRY(const auto payload, material(name, kAuthorityKind, [&]() -> Result<Secret> {
           HF_TRY(const auto made,
                  crypto::CertificateAuthority::create(common_name, clock, *options_.random));
           const Secret key = made.key().to_pem();
           return joined({base::as_bytes(made.certificate().to_pem()), key.reveal()});
         }));
  const auto text = base::as_text(content_of(*payload));
  const auto key_begin = text.find("-----BEGIN PRIVATE KEY-----");
  if (key_begin == std::string_view::npos) return damaged(name.purpose + "/" + name.subject);
  HF_TRY(auto certificate, crypto::Certificate::from_pem(text.substr(0, key_begin)));
  HF_TRY(auto key, crypto::PrivateKey::from_pem(text.substr(key_begin)));
  return crypto::CertificateAuthority::load(std::move(certificate), std::move(key));
}

Result<Secret> KeyStore::secret(const KeyName& name) {
  HF_TRY(const auto payload, material(name, kSecretKind, {}));
  return Secret::copy_of(content_of(*payload));
}

Result<> KeyStore::put_secret(const KeyName& name, const Secret& secret) {
  HF_TRY(const std::string full, full_name(name));
  if (options_.read_only) return fail(ErrorCode::kPermissionDenied, "the keys were opened for reading alone");
  if (secret.size() > kMaxSecretBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the secret {} is over {} bytes", full, kMaxSecretBytes));
  }
  const base::MutexLock lock(changing_);
  HF_CHECK(refuse_destroyed(full));
  // What is there may be a key of another kind, which nothing could bring back.
  auto there = load(full);
  if (!there && there.error().code != ErrorCode::kNotFound) return fail(std::move(there).error());
  const auto head = there ? head_of(**there) : std::nullopt;
  if (there && (!head || head->kind != kSecretKind)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is a key and no secret", full));
  }
  auto payload = std::make_shared<const Secret>(with_head(kSecretKind, secret));
  HF_CHECK(write(full, *payload));
  remember(full, std::move(payload));
  return {};
}

Result<> KeyStore::destroy(const KeyName& name) {
  HF_TRY(const std::string full, full_name(name));
  if (options_.read_only) return fail(ErrorCode::kPermissionDenied, "the keys were opened for reading alone");
  const base::MutexLock lock(changing_);
  const path file = key_path(folder_, full);
  HF_CHECK(make_folder(file.parent_path().parent_path()));
  HF_CHECK(make_folder(file.parent_path()));
  // The mark first: cut short between the two, the key is as good as gone, and the next call finishes it.
  HF_CHECK(base::write_file_atomically(mark_path(folder_, full), {}, 0600));
  forget(full);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
    return base::fail_errno(fmt::format("cannot remove {}", file.string()), errno);
  }
  return base::sync_folder(file.parent_path());
}

}  // namespace holdfast::keys
