#pragma once

#include <optional>
#include <string>
#include <string_view>

// Text as pickles of protocol 0 write it.

namespace holdfast::inspect {

// What Python's codecs.escape_decode makes of the inside of a STRING; nothing where it fails, or where the
// result is not ASCII, which no name is.
std::optional<std::string> decode_escapes(std::string_view text);

// What Python's raw-unicode-escape makes of a UNICODE line; nothing as above.
std::optional<std::string> decode_raw_unicode(std::string_view line);

// Whether Python's int(), float() or strtol() may take the line. False only where they surely fail.
bool is_number_text(std::string_view line);

// For messages: what is no printable ASCII as \xhh, cut at 120 characters.
std::string printable(std::string_view text);

}  // namespace holdfast::inspect
