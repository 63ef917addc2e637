#include "crypto/pem.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/encoding.h"

namespace holdfast::crypto {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr std::size_t kColumns = 64;     // RFC 7468, section 2
constexpr std::size_t kBytesALine = 48;  // kColumns of base64

// The next line without the white space at its end; takes it off `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  line.remove_suffix(line.size() - (line.find_last_not_of(kSpace) + 1));
  return line;
}

// The label of a "-----BEGIN label-----" or "-----END label-----" line.
std::optional<std::string_view> boundary(std::string_view line, std::string_view opening) {
  constexpr std::string_view kDashes = "-----";
  if (!line.starts_with(opening) || !line.ends_with(kDashes) ||
      line.size() < opening.size() + kDashes.size()) {
    return std::nullopt;
  }
  return line.substr(opening.size(), line.size() - opening.size() - kDashes.size());
}

Result<Secret> decode_body(std::string_view label, std::string_view body) {
  Secret packed(body.size());
  const auto end = std::copy_if(body.begin(), body.end(), packed.writable().begin(),
                                [](char c) { return kSpace.find(c) == std::string_view::npos; });
  const auto length = static_cast<std::size_t>(end - packed.writable().begin());
  auto der = base::base64_decode(packed.reveal_text().substr(0, length));
  if (!der) return fail(std::move(der).error().within(fmt::format("the PEM block {}", label)));
  if (der->empty()) return fail(ErrorCode::kInvalidArgument, fmt::format("the PEM block {} is empty", label));
  return Secret(std::move(*der));
}

// The block whose BEGIN line was just read; takes it off `text` with its END line.
Result<PemBlock> take_block(std::string_view label, std::string_view& text) {
  const std::string_view from = text;
  while (!text.empty()) {
    const std::size_t body_size = from.size() - text.size();
    const std::string_view line = take_line(text);
    if (label == "ENCRYPTED PRIVATE KEY" || line.starts_with("Proc-Type:")) {
      return fail(
          ErrorCode::kUnsupported,
          "this private key is encrypted; decrypt it first, into a file that only you can read, with: "
          "umask 077; openssl pkey -in ENCRYPTED.pem -out PRIVATE.pem");
    }
    if (const auto closed = boundary(line, "-----END ")) {
      if (*closed != label) break;
      HF_TRY(Secret der, decode_body(label, from.substr(0, body_size)));
      return PemBlock{.label = std::string(label), .der = std::move(der)};
    }
  }
  return fail(ErrorCode::kInvalidArgument, fmt::format("the PEM block {} has no END line of its own", label));
}

}  // namespace

Result<std::vector<PemBlock>> parse_pem(std::string_view text) {
  if (text.size() > kMaxPemBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("PEM text of {} bytes is over the limit of {}", text.size(), kMaxPemBytes));
  }
  std::vector<PemBlock> blocks;
  while (!text.empty()) {
    const auto label = boundary(take_line(text), "-----BEGIN ");
    if (!label) continue;
    if (blocks.size() == kMaxPemBlocks) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("PEM text holds more than {} blocks", kMaxPemBlocks));
    }
    HF_TRY(PemBlock block, take_block(label->substr(0, kColumns), text));
    blocks.push_back(std::move(block));
  }
  return blocks;
}

Secret write_pem(std::string_view label, ByteView der) {
  Bytes text;
  text.reserve(2 * der.size() + 2 * label.size() + kColumns);  // more than enough: growing would leave copies
  base::append(text, fmt::format("-----BEGIN {}-----\n", label));
  for (std::size_t at = 0; at < der.size(); at += kBytesALine) {
    std::string line = base::base64_encode(der.subspan(at, std::min(kBytesALine, der.size() - at)));
    base::append(text, line);
    text.push_back('\n');
    base::wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
  }
  base::append(text, fmt::format("-----END {}-----\n", label));
  return Secret(std::move(text));
}

}  // namespace holdfast::crypto
