#include "cli/key_files.h"

#include "base/file.h"
#include "base/secret_file.h"
#include "crypto/pem.h"

namespace holdfast::cli {

base::Result<crypto::PrivateKey> read_private_key(const std::filesystem::path& path) {
  HF_TRY(const base::Secret pem, base::read_secret_file(path, crypto::kMaxPemBytes));
  auto key = crypto::PrivateKey::from_pem(pem.reveal_text());
  if (!key) return base::fail(std::move(key).error().within(path.string()));
  return *std::move(key);
}

base::Result<crypto::PublicKey> read_public_key(const std::filesystem::path& path) {
  HF_TRY(const auto pem, base::read_file(path, crypto::kMaxPemBytes));
  auto key = crypto::PublicKey::from_pem(base::as_text(pem));
  if (!key) return base::fail(std::move(key).error().within(path.string()));
  return *std::move(key);
}

base::Result<std::vector<crypto::Certificate>> read_certificates(const std::filesystem::path& path) {
  HF_TRY(const auto bytes, base::read_file(path, crypto::kMaxPemBytes));
  auto certificates = crypto::parse_certificates(base::as_text(bytes));
  if (!certificates) return base::fail(std::move(certificates).error().within(path.string()));
  return *std::move(certificates);
}

}  // namespace holdfast::cli
