#include "crypto/age_header.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hmac.h"

namespace holdfast::crypto {

using base::Base64;
using base::Bytes;
using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::Secret;

namespace {

constexpr std::string_view kVersionStart = "age-encryption.org/";
constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kStanzaStart = "-> ";
constexpr std::string_view kMacStart = "---";
constexpr std::size_t kColumns = 64;
constexpr std::size_t kMaxArguments = 64;  // of one stanza; those that are known have at most three

tl::unexpected<base::Error> malformed(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the header of the sealed file is damaged: {}", why));
}

bool is_visible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

Digest mac_of(std::string_view authenticated, const Secret& file_key) {
  const Secret key = hkdf_sha256(file_key.reveal(), {}, base::as_bytes("header"), 32);
  return hmac_sha256(key.reveal(), base::as_bytes(authenticated));
}

// Reads one header, keeping the text of what it has read.
class HeaderParser {
 public:
  explicit HeaderParser(LineReader& reader) : reader_(reader) {}

  Result<AgeHeader> parse() {
    HF_CHECK(parse_version());
    AgeHeader header;
    while (true) {
      HF_TRY(const std::string line, next_line());
      if (line.starts_with(kMacStart)) {
        if (header.stanzas.empty()) return malformed("it names no recipient");
        HF_TRY(header.mac, parse_mac(line));
        header.size = text_.size();
        text_.resize(text_.size() - line.size() - 1 + kMacStart.size());
        header.authenticated = std::move(text_);
        return header;
      }
      if (header.stanzas.size() == kMaxAgeStanzas) {
        return fail(ErrorCode::kLimitExceeded,
                    fmt::format("the sealed file names more than {} recipients", kMaxAgeStanzas));
      }
      HF_TRY(AgeStanza stanza, parse_stanza(line));
      header.stanzas.push_back(std::move(stanza));
    }
  }

 private:
  Result<std::string> next_line() {
    auto read = reader_.read_line(kMaxAgeHeaderBytes - std::min(kMaxAgeHeaderBytes, text_.size()));
    if (!read && read.error().code == ErrorCode::kLimitExceeded) {
      return fail(ErrorCode::kLimitExceeded,
                  fmt::format("the header of the sealed file is larger than {} bytes", kMaxAgeHeaderBytes));
    }
    HF_TRY(std::optional<std::string> line, std::move(read));
    if (!line || !line->ends_with('\n')) return malformed("it ends too early");
    text_.append(*line);
    line->pop_back();
    return *std::move(line);
  }

  Result<> parse_version() {
    HF_TRY(const std::string line, next_line());
    if (line == kVersionLine) return {};
    if (!line.starts_with(kVersionStart) || !is_visible(line)) {
      return fail(ErrorCode::kDataCorrupt, "this is no file that age sealed");
    }
    return fail(ErrorCode::kUnsupported,
                "the file is sealed in a version of age other than v1; use a newer age");
  }

  static Result<Digest> parse_mac(std::string_view line) {
    line.remove_prefix(kMacStart.size());
    if (!line.starts_with(' ')) return malformed("its last line is not \"--- \" and a MAC");
    const auto bytes = base::base64_decode(line.substr(1), Base64::kRaw);
    if (!bytes || bytes->size() != Digest::kSize) {
      return malformed("its MAC is not 32 bytes of canonical base64");
    }
    return Digest::from_bytes(*bytes);
  }

  Result<AgeStanza> parse_stanza(std::string_view line) {
    if (!line.starts_with(kStanzaStart)) return malformed("a stanza does not begin with \"-> \"");
    AgeStanza stanza;
    line.remove_prefix(kStanzaStart.size());
    while (true) {
      const auto end = line.find(' ');
      const auto argument = line.substr(0, end);
      if (!is_visible(argument)) return malformed("an argument of a stanza is empty or not of visible ASCII");
      if (stanza.arguments.size() == kMaxArguments) {
        return fail(ErrorCode::kLimitExceeded,
                    fmt::format("a stanza of the sealed file has more than {} arguments", kMaxArguments));
      }
      stanza.arguments.emplace_back(argument);
      if (end == std::string_view::npos) break;
      line.remove_prefix(end + 1);
    }
    for (std::size_t columns = kColumns; columns == kColumns;) {
      HF_TRY(const std::string body_line, next_line());
      columns = body_line.size();
      const auto bytes = base::base64_decode(body_line, Base64::kRaw);
      if (columns > kColumns || !bytes) {
        return malformed("the body of a stanza is not canonical base64 in 64 columns");
      }
      base::append(stanza.body, *bytes);
    }
    return stanza;
  }

  LineReader& reader_;
  std::string text_;
};

}  // namespace

Result<AgeHeader> read_age_header(LineReader& reader) { return HeaderParser(reader).parse(); }

std::string write_age_header(const std::vector<AgeStanza>& stanzas, const Secret& file_key) {
  std::string text = fmt::format("{}\n", kVersionLine);
  for (const auto& stanza : stanzas) {
    text += fmt::format("{}{}\n", kStanzaStart, fmt::join(stanza.arguments, " "));
    const std::string body = base::base64_encode(stanza.body, Base64::kRaw);
    // The last line is shorter than 64 columns, and so empty where the body fills them.
    for (std::size_t at = 0; at <= body.size(); at += kColumns) {
      text += fmt::format("{}\n", body.substr(at, kColumns));
    }
  }
  text += kMacStart;
  return fmt::format("{} {}\n", text, base::base64_encode(mac_of(text, file_key).bytes(), Base64::kRaw));
}

Result<> check_age_header(const AgeHeader& header, const Secret& file_key) {
  if (base::constant_time_equal(mac_of(header.authenticated, file_key).bytes(), header.mac.bytes())) {
    return {};
  }
  return malformed("its MAC does not match, so that it was changed after it was written");
}

}  // namespace holdfast::crypto
