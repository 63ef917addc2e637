#pragma once

#include <span>

#include "formats/anomaly.h"
#include "inspect/finding.h"

// The rules about files and archives whatever they hold. Those of one format lie beside its inspector.

namespace holdfast::inspect {

std::span<const Rule> file_rules();

// The rule that an archive's anomaly falls under.
std::string_view rule_of(formats::AnomalyKind kind);

}  // namespace holdfast::inspect
