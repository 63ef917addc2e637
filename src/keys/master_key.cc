#include "keys/master_key.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/encoding.h"
#include "base/file.h"
#include "keys/derivation.h"

namespace holdfast::keys {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;
using std::filesystem::path;

constexpr std::string_view kPrefix = "holdfast-master-key-1:";
constexpr std::size_t kSaltBytes = 16;

Result<crypto::AeadKey> as_key(Secret bytes) {
  return crypto::AeadKey::create(crypto::AeadAlgorithm::kAes256Gcm, std::move(bytes));
}

// Lies `file` in `folder`, wherever links lead? Of a file that is not there yet, its folder counts.
Result<> check_outside(const path& file, const path& folder) {
  std::error_code error;
  const path real_folder = std::filesystem::weakly_canonical(folder, error);
  const path real_file = error ? path() : std::filesystem::weakly_canonical(file, error);
  if (error) {
    return base::fail_errno(fmt::format("cannot tell where the master key file {} lies", file.string()),
                            error.value());
  }
  const auto parts = std::ranges::mismatch(real_folder, real_file);
  // A path that ends with a slash has an empty last part.
  const bool inside =
      parts.in1 == real_folder.end() || (parts.in1->empty() && std::next(parts.in1) == real_folder.end());
  if (!inside) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("the master key file {} lies in the state folder {}, where a copy of the folder would "
                  "hold it too; keep it elsewhere",
                  file.string(), folder.string()));
}

Result<> check_private(int fd, const path& file) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return base::fail_errno("cannot read " + file.string(), errno);
  if ((status.st_mode & 077U) != 0) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("others have access to the master key file {}; run: chmod 600 {}", file.string(),
                            file.string()));
  }
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("the master key file {} belongs to another user", file.string()));
  }
  return {};
}

Result<MasterKey> parse_from(int fd, const path& file) {
  Secret text(kMaxMasterKeyFileBytes + 1);
  auto got = base::read_full(fd, text.writable());
  if (!got) return fail(std::move(got).error().within(file.string()));
  if (*got > kMaxMasterKeyFileBytes) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("{} is too large for a master key", file.string()));
  }
  auto key = MasterKey::parse(text.reveal_text().substr(0, *got));
  if (!key) return fail(std::move(key).error().within(file.string()));
  return key;
}

}  // namespace

Result<MasterKey> MasterKey::parse(std::string_view text) {
  const auto refuse = [](const char* why) { return fail(ErrorCode::kInvalidArgument, why); };
  std::string_view found;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    if (!found.empty()) return refuse("a master key is one line; there are more");
    found = line;
  }
  if (!found.starts_with(kPrefix)) {
    return refuse("this is no master key: no line begins with \"holdfast-master-key-1:\"");
  }
  auto bytes = base::base64_decode(found.substr(kPrefix.size()), base::Base64::kUrl);
  if (!bytes) return refuse("the master key is mistyped: it is no base64url");
  Secret secret(*std::move(bytes));
  if (secret.size() != crypto::AeadKey::kSize)
    return refuse("the master key is mistyped: it is not 32 bytes");
  HF_TRY(auto key, as_key(std::move(secret)));
  return MasterKey(std::move(key), std::nullopt);
}

Result<MasterKey> MasterKey::from_file(const path& file, const path& state_folder) {
  HF_CHECK(check_outside(file, state_folder));
  HF_TRY(const base::UniqueFd fd, base::open_regular_file(file));
  HF_CHECK(check_private(fd.get(), file));
  return parse_from(fd.get(), file);
}

Result<> MasterKey::generate_file(const path& file, const path& state_folder, base::RandomSource& random) {
  HF_CHECK(check_outside(file, state_folder));
  const Secret key(random.take(crypto::AeadKey::kSize));
  auto encoded = base::base64_encode(key.reveal(), base::Base64::kUrl);
  constexpr std::string_view kComment =
      "# Holdfast's master key. Whoever has it can open what the state folder holds; without it nobody "
      "can.\n";
  base::Bytes text;
  text.reserve(kComment.size() + kPrefix.size() + encoded.size() + 1);  // so that no copy is left unwiped
  base::append(text, kComment);
  base::append(text, kPrefix);
  base::append(text, encoded);
  text.push_back('\n');
  base::wipe({reinterpret_cast<std::uint8_t*>(encoded.data()), encoded.size()});
  const Secret content(std::move(text));
  HF_TRY(base::AtomicFile out, base::AtomicFile::create(file, 0600));
  HF_CHECK(out.write(content.reveal()));
  return out.commit(/*replace=*/false);
}

Result<MasterKey> MasterKey::from_passphrase(const Secret& passphrase, const path& keys_folder,
                                             base::RandomSource& random, const crypto::Argon2Cost& cost) {
  if (passphrase.empty()) return fail(ErrorCode::kInvalidArgument, "the passphrase of the keys is empty");
  HF_TRY(const auto kept, read_master_file(keys_folder));
  if (kept && !kept->derivation) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the keys in {} are wrapped by a master key of their own, not by a passphrase",
                            keys_folder.string()));
  }
  Derivation derivation =
      kept ? *kept->derivation : Derivation{.salt = random.take(kSaltBytes), .cost = cost};
  HF_TRY(auto bytes,
         crypto::derive_key(passphrase, derivation.salt, crypto::AeadKey::kSize, derivation.cost));
  HF_TRY(auto key, as_key(std::move(bytes)));
  return MasterKey(std::move(key), std::move(derivation));
}

Result<MasterKey> MasterKey::from_credential(std::string_view name) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder != '/') {
    return fail(ErrorCode::kNotFound,
                fmt::format("systemd gave this process no credentials; add LoadCredentialEncrypted={} to its "
                            "unit",
                            name));
  }
  if (name.empty() || name.starts_with('.') || name.find('/') != std::string_view::npos) {
    return fail(ErrorCode::kInvalidArgument, "the name of a credential is empty, or holds a slash");
  }
  // No check of its mode: systemd gives access by a list that stat(2) shows as the group's.
  const path file = path(folder) / name;
  HF_TRY(const base::UniqueFd fd, base::open_regular_file(file));
  return parse_from(fd.get(), file);
}

}  // namespace holdfast::keys
