#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "patterns/secret_patterns.h"

// The patterns as text, one a line, so that they can change without the program:
// "<id>|<title>|<kind>|<keyword>|<shape>|<alphabet>|<min>|<max>|<check>|<source>". A line that begins with
// "#" is a comment.

namespace holdfast::patterns {

inline constexpr std::size_t kMaxSecretPatterns = 2000;
inline constexpr std::size_t kMaxKeywordBytes = 64;

// Patterns with the text that their views are into.
class SecretPatterns {
 public:
  [[nodiscard]] std::span<const SecretPattern> items() const { return items_; }

 private:
  friend base::Result<SecretPatterns> parse_secret_patterns(std::string_view text);
  std::unique_ptr<const std::string> text_;  // behind a pointer, so that views survive a move
  std::vector<SecretPattern> items_;
};

// kInvalidArgument names the line and what is wrong with it; kLimitExceeded over the bounds above.
base::Result<SecretPatterns> parse_secret_patterns(std::string_view text);
std::string to_text(std::span<const SecretPattern> patterns);

// The program's own.
std::span<const SecretPattern> builtin_secret_patterns();

// In place of the program's own, for the life of this process, which has one thread and has looked for no
// secret: scanners keep what they made of them.
void use_secret_patterns(SecretPatterns patterns);

}  // namespace holdfast::patterns
