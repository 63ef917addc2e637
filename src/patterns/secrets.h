#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "patterns/keywords.h"

// Credentials in text: provider tokens, private keys, addresses with passwords, assignments to what is called
// a password. One pass over a stream of any length; only where a keyword stands is more looked at, so that
// text without any costs what reading it does. A match never carries the secret itself. What is plainly a
// placeholder is no match ("EXAMPLE", "xxxx", "<token>", "${TOKEN}", "12345678").

namespace holdfast::patterns {

enum class SecretKind {
  kToken,       // a credential that its issuer's form gives away
  kPrivateKey,  // a private key
  kAddress,     // a URL with a password in it
  kPassword,    // text that is assigned to something called a password, secret or key
};

// What the checksum or structure that the secret carries says.
enum class Validity {
  kNoChecksum,
  kValid,
  kInvalid,  // has the form, but its issuer never made it: mistyped or invented
};

struct SecretMatch {
  std::string_view pattern;  // "github-token"; a literal
  std::string_view title;    // "GitHub token"; a literal
  SecretKind kind = SecretKind::kToken;
  std::uint64_t offset = 0;  // of the secret's first byte in the stream
  std::uint64_t line = 1;    // of that byte, from 1
  std::size_t length = 0;    // bytes of it; of a private key, of its first line
  std::string masked;        // what may be shown: "ghp_... (40 characters)"
  Validity validity = Validity::kNoChecksum;
  double entropy = 0;  // Shannon's, of its characters, in bits for each
};

// Not thread-safe. Memory is bounded by kWindow and kMaxMatches, whatever the stream's length. What it finds
// doesn't depend on where the pieces were cut.
class SecretScanner {
 public:
  // A secret lies at most this far before and behind its keyword. Longer ones are not seen.
  static constexpr std::size_t kBefore = 256;
  static constexpr std::size_t kAfter = 8192;
  static constexpr std::size_t kMaxMatches = 1000;

  SecretScanner();

  void feed(base::ByteView piece);
  // After the last piece: judges what stands at the end.
  void finish();

  [[nodiscard]] const std::vector<SecretMatch>& matches() const { return matches_; }
  // Matches beyond kMaxMatches.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Hit {
    std::uint32_t pattern;
    std::uint64_t begin;  // of the keyword, in the stream
  };

  void feed_step(std::string_view piece);
  void judge_until(std::uint64_t end);
  void judge(std::size_t index);
  [[nodiscard]] bool holds_token(std::size_t index, std::uint64_t begin, std::uint64_t end) const;
  void forget();
  std::uint64_t line_of(std::uint64_t offset);

  std::string buffer_;
  std::uint64_t buffer_begin_ = 0;  // in the stream
  KeywordSet::State state_ = KeywordSet::kStart;
  std::deque<Hit> hits_;           // not judged yet
  std::uint64_t matched_end_ = 0;  // what lies before belongs to a match
  std::uint64_t line_offset_ = 0;  // where `line_` was counted to
  std::uint64_t line_ = 1;
  std::vector<SecretMatch> matches_;
  std::uint64_t dropped_ = 0;
};

// The same for text at hand.
std::vector<SecretMatch> find_secrets(std::string_view text);

}  // namespace holdfast::patterns
