#include "keys/key_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace holdfast::keys {
namespace {

constexpr std::size_t kMaxPartBytes = 64;
constexpr std::size_t kMaxSubjectBytes = 128;

// No capitals: some file systems take them for small letters.
bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

bool is_part(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPartBytes && text[0] != '-' &&
         std::ranges::all_of(text, is_plain);
}

bool is_subject(std::string_view text) {
  return !text.empty() && text.size() <= kMaxSubjectBytes && text[0] != '-' && text[0] != '.' &&
         std::ranges::all_of(text, [](char c) { return is_plain(c) || c == '.'; });
}

// Of text that may hold anything.
std::string shown(std::string_view text) {
  std::string safe(text.substr(0, kMaxSubjectBytes));
  std::ranges::replace_if(safe, [](char c) { return c < ' ' || c > '~'; }, '?');
  return safe;
}

}  // namespace

base::Result<std::string> full_name(const KeyName& name) {
  const auto refuse = [](std::string_view what, std::string_view text, std::size_t most, const char* more) {
    return base::fail(base::ErrorCode::kInvalidArgument,
                      fmt::format("the {} \"{}\" of a key must be 1 to {} of a-z, 0-9, \"_\", \"-\"{}", what,
                                  shown(text), most, more));
  };
  constexpr const char* kNoHyphen = ", the first no hyphen";
  if (!is_part(name.workspace.value()))
    return refuse("workspace", name.workspace.value(), kMaxPartBytes, kNoHyphen);
  if (!is_part(name.purpose)) return refuse("purpose", name.purpose, kMaxPartBytes, kNoHyphen);
  if (!is_subject(name.subject)) {
    return refuse("subject", name.subject, kMaxSubjectBytes, " and \".\", the first no hyphen or dot");
  }
  return fmt::format("{}/{}/{}", name.workspace.value(), name.purpose, name.subject);
}

KeyName installation_key(std::string purpose, std::string subject) {
  return {.workspace = base::WorkspaceId("_installation"),
          .purpose = std::move(purpose),
          .subject = std::move(subject)};
}

}  // namespace holdfast::keys
