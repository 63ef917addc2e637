#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "inspect/finding.h"
#include "patterns/secrets.h"

// Credentials that were left in a file: findings of what patterns/ finds. The secret itself is never named.

namespace holdfast::inspect {

// Findings of what the scanner found. `place` stands before each message ("in the output of cell 3, "), for a
// part of a file whose own offsets say nothing; without it they are the file's.
void report_secrets(const patterns::SecretScanner& scanner, const std::string& path, Findings& findings,
                    std::string_view place = {});

std::span<const Rule> secret_rules();

}  // namespace holdfast::inspect
