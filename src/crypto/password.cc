#include "crypto/password.h"

#include <argon2.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "base/encoding.h"

namespace holdfast::crypto {

using base::Base64;
using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMinSaltBytes = 8;
constexpr std::size_t kMinHashBytes = 16;
constexpr std::size_t kMaxSaltOrHashBytes = 64;
constexpr std::uint32_t kMinMemoryKibPerLane = 8;  // RFC 9106, section 3.1

Result<> check_cost(const Argon2Cost& cost) {
  const bool lanes = cost.lanes >= 1 && cost.lanes <= Argon2Cost::kMaxLanes;
  const bool passes = cost.passes >= 1 && cost.passes <= Argon2Cost::kMaxPasses;
  if (lanes && passes && cost.memory_kib >= kMinMemoryKibPerLane * cost.lanes &&
      cost.memory_kib <= Argon2Cost::kMaxMemoryKib) {
    return {};
  }
  return fail(
      ErrorCode::kLimitExceeded,
      fmt::format(
          "the Argon2id cost m={},t={},p={} is out of bounds: m is {} times p to {}, t 1 to {}, p 1 to {}",
          cost.memory_kib, cost.passes, cost.lanes, kMinMemoryKibPerLane, Argon2Cost::kMaxMemoryKib,
          Argon2Cost::kMaxPasses, Argon2Cost::kMaxLanes));
}

bool is_salt_size(std::size_t size) { return size >= kMinSaltBytes && size <= kMaxSaltOrHashBytes; }
bool is_hash_size(std::size_t size) { return size >= kMinHashBytes && size <= kMaxSaltOrHashBytes; }

// The number of "<name>=<decimal>", written in one way alone.
std::optional<std::uint32_t> parse_parameter(std::string_view text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  if (text.empty() || text[0] == '0') return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The text before the next `separator`, which is taken off `rest`; all of it where there is none.
std::string_view take_until(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto field = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return field;
}

tl::unexpected<base::Error> malformed() {
  return fail(
      ErrorCode::kDataCorrupt,
      "a password hash is not of the form $argon2id$v=19$m=...,t=...,p=...$salt$hash; set the password anew");
}

}  // namespace

Result<Secret> derive_key(const Secret& passphrase, ByteView salt, std::size_t size, const Argon2Cost& cost) {
  HF_CHECK(check_cost(cost));
  if (!is_salt_size(salt.size()) || !is_hash_size(size)) {
    return fail(ErrorCode::kInvalidArgument, "Argon2id takes a salt of 8 to 64 bytes and gives 16 to 64");
  }
  if (passphrase.size() > kMaxPasswordBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a password is longer than {} bytes", kMaxPasswordBytes));
  }
  Secret key(size);
  const int status =
      argon2id_hash_raw(cost.passes, cost.memory_kib, cost.lanes, passphrase.reveal().data(),
                        passphrase.size(), salt.data(), salt.size(), key.writable().data(), size);
  if (status == ARGON2_OK) return key;
  return fail(ErrorCode::kUnavailable, fmt::format("Argon2id could not run ({}): free memory and try again",
                                                   argon2_error_message(status)));
}

Result<PasswordHash> PasswordHash::create(const Secret& password, base::RandomSource& random,
                                          const Argon2Cost& cost) {
  Bytes salt = random.take(kSaltBytes);
  HF_TRY(const Secret hash, derive_key(password, salt, kHashBytes, cost));
  return PasswordHash(cost, std::move(salt), Bytes(hash.reveal().begin(), hash.reveal().end()));
}

PasswordHash PasswordHash::of_nobody() { return {Argon2Cost{}, Bytes(kSaltBytes), Bytes(kHashBytes)}; }

Result<PasswordHash> PasswordHash::parse(std::string_view text) {
  std::string_view rest = text;
  if (!take_until(rest, '$').empty()) return malformed();
  if (take_until(rest, '$') != "argon2id") {
    return fail(ErrorCode::kUnsupported, "a password hash is not of Argon2id; set the password anew");
  }
  if (take_until(rest, '$') != "v=19") return malformed();
  const auto memory = parse_parameter(take_until(rest, ','), "m=");
  const auto passes = parse_parameter(take_until(rest, ','), "t=");
  const auto lanes = parse_parameter(take_until(rest, '$'), "p=");
  if (!memory || !passes || !lanes) return malformed();
  const Argon2Cost cost{.memory_kib = *memory, .passes = *passes, .lanes = *lanes};
  HF_CHECK(check_cost(cost));

  constexpr std::size_t kMaxEncoded = (kMaxSaltOrHashBytes * 4 + 2) / 3;
  const auto encoded_salt = take_until(rest, '$');
  if (encoded_salt.size() > kMaxEncoded || rest.size() > kMaxEncoded) return malformed();
  auto salt = base::base64_decode(encoded_salt, Base64::kRaw);
  auto hash = base::base64_decode(rest, Base64::kRaw);
  if (!salt || !hash || !is_salt_size(salt->size()) || !is_hash_size(hash->size())) return malformed();
  return PasswordHash(cost, *std::move(salt), *std::move(hash));
}

std::string PasswordHash::text() const {
  return fmt::format("$argon2id$v=19$m={},t={},p={}${}${}", cost_.memory_kib, cost_.passes, cost_.lanes,
                     base::base64_encode(salt_, Base64::kRaw), base::base64_encode(hash_, Base64::kRaw));
}

Result<bool> PasswordHash::matches(const Secret& password) const {
  HF_TRY(const Secret hash, derive_key(password, salt_, hash_.size(), cost_));
  return base::constant_time_equal(hash.reveal(), hash_);
}

}  // namespace holdfast::crypto
