#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/aead.h"
#include "crypto/sign.h"
#include "crypto/x509_authority.h"
#include "keys/key_name.h"
#include "keys/master_key.h"
#include "store/blobs.h"

// The keys of an installation, in a folder of files and not in the database, so that what is verified offline
// needs no more than files. Each is an envelope (crypto/envelope.h) under the master key in
// <workspace>/<purpose>/<subject>.key, with its full name as the context: under another name it does not
// open.

namespace holdfast::keys {

inline constexpr std::size_t kMaxSecretBytes = 64UL << 10;

inline constexpr std::size_t kMaxListedKeys = 100'000;
inline constexpr std::size_t kMaxBlobIdentities = 32;

struct KeyStoreOptions {
  bool read_only = false;  // makes and destroys nothing: a key that is not there is kNotFound
  base::RandomSource* random = &base::system_random();
  const base::Clock* clock = &base::system_clock();  // of when a key was made
};

// What may be told of a key to who may not use it.
struct KeyFacts {
  std::string name;                          // "<workspace>/<purpose>/<subject>", or kMasterKeyName
  std::string kind;                          // "aes-256-gcm", "ed25519", "secret", ...; empty once destroyed
  std::optional<base::Timestamp> created{};  // of one that is rotated: when its newest part was made. None
                                             // for a key from before this was written down
  bool destroyed = false;
};
inline constexpr std::string_view kMasterKeyName = "master";  // no key's full name: those have two slashes

// Thread-safe. Keys are made on first use, durable before they are given out, and two who ask at once get the
// same. Errors name the key, never its bytes. kNotFound for a key that was destroyed, and it stays so;
// kInvalidArgument for a name that is none, or a key of another kind than asked for; kDataCorrupt for a file
// that was changed, or stands under another's name.
class KeyStore {
 public:
  // Makes the folder (its parent exists) where there is none. kUnauthenticated where the keys in it were
  // wrapped by another master key; kPermissionDenied for a folder that others may enter.
  static base::Result<std::unique_ptr<KeyStore>> open(const std::filesystem::path& folder, MasterKey master,
                                                      KeyStoreOptions options = {});

  base::Result<crypto::AeadKey> aead(const KeyName& name);  // AES-256-GCM
  base::Result<crypto::PrivateKey> signing_key(const KeyName& name, crypto::KeyAlgorithm algorithm);
  // What the blob store asks for; the key has the name (workspace, "blobs", "content").
  base::Result<store::BlobKeys> blob_keys(const base::WorkspaceId& workspace);
  // `common_name` and `clock` are for making it; what is there stays as it is.
  base::Result<crypto::CertificateAuthority> authority(const KeyName& name, std::string_view common_name,
                                                       const base::Clock& clock);

  // A secret that came from elsewhere (a token, a password): kNotFound unless it was put.
  base::Result<base::Secret> secret(const KeyName& name);
  // In place of what was put before, if anything; durable on return. kLimitExceeded over kMaxSecretBytes.
  base::Result<> put_secret(const KeyName& name, const base::Secret& secret);

  // Every key there is or was, by name, the master key first. kLimitExceeded over kMaxListedKeys.
  base::Result<std::vector<KeyFacts>> list();

  // --- rotation ---

  // Wraps all keys under `next`. The folder is built anew beside the old one (`<folder>.next`) and takes its
  // place in one step: killed at any moment, all keys are under the one master key or all under the other.
  // The keys themselves stay what they are.
  base::Result<> rewrap(MasterKey next);
  // What is sealed from now on needs a new key; what was sealed before opens as it did. kLimitExceeded after
  // kMaxBlobIdentities, which no reader may be asked to try more of.
  base::Result<> rotate_blob_keys(const base::WorkspaceId& workspace);

  // The key is gone for good when this returns, and all that was sealed with it: a mark stays in its place,
  // so that it is not made anew. Copies of the folder made before, and the disk's own remains, still hold the
  // wrapped key. No error where it never was.
  base::Result<> destroy(const KeyName& name);

 private:
  using Material = std::shared_ptr<const base::Secret>;  // shared by the cache and who reads it at the moment
  using Maker = std::function<base::Result<base::Secret>()>;
  struct Found {  // of one file in the folder
    std::string full;
    bool destroyed = false;
  };

  KeyStore(std::filesystem::path folder, MasterKey master, KeyStoreOptions options)
      : folder_(std::move(folder)), options_(options), master_(std::move(master)) {}
  base::Result<> check_master() HF_REQUIRES(changing_);
  [[nodiscard]] base::Secret with_head(std::string_view kind, const base::Secret& content) const;
  base::Result<std::vector<Found>> find_all() const HF_REQUIRES(changing_);
  base::Result<KeyFacts> facts(const Found& found) const HF_REQUIRES(changing_);
  base::Result<> build(const std::filesystem::path& folder, const MasterKey& next) const
      HF_REQUIRES(changing_);
  base::Result<> remove_next() const HF_REQUIRES(changing_);
  // The payload, its head and all; made by `make` where there are none.
  base::Result<Material> material(const KeyName& name, std::string_view kind, const Maker& make);
  base::Result<Material> make_file(const std::string& full, std::string_view kind, const Maker& make)
      HF_REQUIRES(changing_);
  base::Result<Material> load(const std::string& full) const HF_REQUIRES(changing_);
  base::Result<> write(const std::string& full, const base::Secret& payload) HF_REQUIRES(changing_);
  base::Result<> refuse_destroyed(const std::string& full) const;
  [[nodiscard]] Material cached(const std::string& full);
  void remember(const std::string& full, Material payload);
  void forget(const std::string& full);

  std::filesystem::path folder_;
  KeyStoreOptions options_;
  // Held while files are made and destroyed, which is rare and must not cross.
  base::Mutex changing_;
  MasterKey master_ HF_GUARDED_BY(changing_);
  base::Mutex mutex_;
  std::map<std::string, Material> cache_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::keys
