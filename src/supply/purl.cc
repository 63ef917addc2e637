#include "supply/purl.h"

#include <fmt/format.h>

#include <algorithm>

#include "supply/ecosystem.h"
#include "supply/version_keys.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;

base::Result<std::string> decoded(std::string_view text) {
  const auto nibble = [](char c) {
    if (is_digit(c)) return c - '0';
    const char small = lower(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? nibble(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? nibble(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return base::fail(ErrorCode::kInvalidArgument, "a \"%\" must be followed by two hexadecimal digits");
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// The characters that stand for themselves; ":" does in all parts.
std::string encoded(std::string_view text, std::string_view also = {}) {
  std::string out;
  for (const char c : text) {
    const bool plain = is_digit(c) || is_letter(c) ||
                       std::string_view(".-_~:").find(c) != std::string_view::npos ||
                       also.find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// Segments between "/", decoded; empty ones left out.
base::Result<std::string> segments(std::string_view text, bool is_subpath) {
  std::string out;
  while (!text.empty()) {
    const auto slash = text.find('/');
    HF_TRY(const auto segment, decoded(text.substr(0, slash)));
    if (segment.find('/') != std::string::npos) {
      return base::fail(ErrorCode::kInvalidArgument, "a part of a path must not hold an encoded \"/\"");
    }
    const bool skipped = segment.empty() || (is_subpath && (segment == "." || segment == ".."));
    if (!skipped) {
      if (!out.empty()) out.push_back('/');
      out += segment;
    }
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash + 1);
  }
  return out;
}

base::Result<std::map<std::string, std::string>> qualifiers(std::string_view text) {
  std::map<std::string, std::string> all;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    const auto equals = pair.find('=');
    std::string key(pair.substr(0, equals));
    std::transform(key.begin(), key.end(), key.begin(), lower);
    const bool good =
        !key.empty() && !is_digit(key.front()) && std::all_of(key.begin(), key.end(), [](char c) {
          return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
        });
    if (!good || equals == std::string_view::npos) {
      return base::fail(ErrorCode::kInvalidArgument, "a qualifier has the form key=value");
    }
    HF_TRY(auto value, decoded(pair.substr(equals + 1)));
    if (!value.empty() && !all.emplace(std::move(key), std::move(value)).second) {
      return base::fail(ErrorCode::kInvalidArgument, "a qualifier stands twice");
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return all;
}

// The rules of each type (purl-spec, types/).
void normalise(PackageUrl& purl) {
  const auto fold = [](std::string& text) { std::transform(text.begin(), text.end(), text.begin(), lower); };
  if (purl.type == "pypi") purl.name = normalised_name("PyPI", purl.name);
  if (purl.type == "deb" || purl.type == "github" || purl.type == "bitbucket" || purl.type == "composer" ||
      purl.type == "hex" || purl.type == "apk") {
    fold(purl.name_space);
    fold(purl.name);
  }
  if (purl.type == "rpm") fold(purl.name_space);
  if (purl.type == "huggingface") fold(purl.version);
}

base::Result<PackageUrl> parse_parts(std::string_view text) {
  PackageUrl purl;
  if (text.size() < 4 || normalised_name("Debian", text.substr(0, 4)) != "pkg:") {
    return base::fail(ErrorCode::kInvalidArgument, "it must begin with \"pkg:\"");
  }
  text.remove_prefix(4);
  while (text.starts_with('/')) text.remove_prefix(1);
  if (const auto hash = text.rfind('#'); hash != std::string_view::npos) {
    HF_TRY(purl.subpath, segments(text.substr(hash + 1), true));
    text = text.substr(0, hash);
  }
  if (const auto question = text.rfind('?'); question != std::string_view::npos) {
    HF_TRY(purl.qualifiers, qualifiers(text.substr(question + 1)));
    text = text.substr(0, question);
  }
  const auto slash = text.find('/');
  purl.type = text.substr(0, slash);
  std::transform(purl.type.begin(), purl.type.end(), purl.type.begin(), lower);
  const bool good = !purl.type.empty() && is_letter(purl.type.front()) &&
                    std::all_of(purl.type.begin(), purl.type.end(),
                                [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; });
  if (!good || slash == std::string_view::npos) {
    return base::fail(ErrorCode::kInvalidArgument, "a type and \"/\" must follow \"pkg:\"");
  }
  text.remove_prefix(slash + 1);
  while (text.ends_with('/')) text.remove_suffix(1);
  // An "@" of a scope (npm) may stand bare in the namespace, so the version's is the last after a "/".
  const auto at = text.rfind('@');
  const auto last_slash = text.rfind('/');
  if (at != std::string_view::npos && at > 0 &&
      (last_slash == std::string_view::npos || at > last_slash + 1)) {
    HF_TRY(purl.version, decoded(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  const auto name_at = text.rfind('/');
  HF_TRY(purl.name, decoded(text.substr(name_at == std::string_view::npos ? 0 : name_at + 1)));
  if (name_at != std::string_view::npos) {
    HF_TRY(purl.name_space, segments(text.substr(0, name_at), false));
  }
  if (purl.name.empty() || text.substr(name_at + 1).starts_with('@'))
    return base::fail(ErrorCode::kInvalidArgument, "it names no package");
  normalise(purl);
  return purl;
}

}  // namespace

std::string to_string(const PackageUrl& given) {
  PackageUrl purl = given;
  normalise(purl);
  std::string out = "pkg:" + purl.type + "/";
  if (!purl.name_space.empty()) out += encoded(purl.name_space, "/") + "/";
  out += encoded(purl.name);
  if (!purl.version.empty()) out += "@" + encoded(purl.version);
  char before = '?';
  for (const auto& [key, value] : purl.qualifiers) {
    if (value.empty()) continue;
    out += fmt::format("{}{}={}", before, key, encoded(value, "/"));
    before = '&';
  }
  if (!purl.subpath.empty()) out += "#" + encoded(purl.subpath, "/");
  return out;
}

base::Result<PackageUrl> parse_purl(std::string_view text) {
  if (text.size() > PackageUrl::kMaxBytes) {
    return base::fail(ErrorCode::kLimitExceeded,
                      fmt::format("a package URL has at most {} bytes", PackageUrl::kMaxBytes));
  }
  auto purl = parse_parts(text);
  if (!purl) return base::fail(std::move(purl).error().within(fmt::format("\"{}\" is no package URL", text)));
  return purl;
}

}  // namespace holdfast::supply
