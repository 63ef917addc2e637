#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "patterns/secret_patterns.h"

// Whether a secret stands where a pattern's keyword was seen.

namespace holdfast::patterns {

struct SecretPlace {
  std::size_t begin = 0;  // in the window, of the secret
  std::size_t end = 0;
  std::string masked;
  Validity validity = Validity::kNoChecksum;
};

// `window` holds the text around the keyword, which begins at `at`.
std::optional<SecretPlace> match_secret(const SecretPattern& pattern, std::string_view window,
                                        std::size_t at);

// Shannon's entropy of the bytes, in bits for each; 0 for none.
double entropy_of(std::string_view text);

// What documentation and templates put where a secret belongs.
bool is_placeholder(std::string_view text);

}  // namespace holdfast::patterns
