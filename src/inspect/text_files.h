#pragma once

#include <span>
#include <string>

#include "formats/sniff.h"
#include "formats/source.h"
#include "inspect/finding.h"
#include "inspect/gaps.h"

// Files of text: sources, notebooks, configuration, and whatever else people write.

namespace holdfast::inspect {

// Text up to this size is read for what it means; of more, only the credentials in it are looked for.
inline constexpr std::size_t kMaxTextBytes = 32UL << 20;

// `format` is kPython, kJson or kText. Gives what could not be looked at.
Gaps inspect_text_file(formats::Format format, formats::Stream& stream, const std::string& path,
                       Findings& findings);

std::span<const Rule> text_file_rules();

}  // namespace holdfast::inspect
