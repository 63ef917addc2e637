#pragma once

#include <string_view>
#include <utility>

// Names that pickles are known to use: the dangerous ones, and Python 2's.

namespace holdfast::inspect {

// What a well-known dangerous global does, as the end of a sentence ("runs a shell command"); empty for any
// other. Words a finding and raises its severity; decides nothing.
std::string_view danger_of(std::string_view module, std::string_view name);

// Whether any dangerous global has this text as its module or as its name.
bool is_dangerous_word(std::string_view text);

// Python 3's names for what a pickle of protocol 0 to 2 may call by Python 2's (Lib/_compat_pickle.py). The
// views are of the arguments or of constants.
std::pair<std::string_view, std::string_view> python3_name(std::string_view module, std::string_view name);

}  // namespace holdfast::inspect
