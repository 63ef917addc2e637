#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// Which of two versions of a package is the older: each ecosystem has an order of its own. A version becomes
// a key of bytes whose lexicographic order is the ecosystem's order, so that comparing is memcmp, equal means
// "neither is older", and the order is total. Pure values; thread-safe.

namespace holdfast::supply {

enum class VersionOrder : std::uint8_t {
  kPep440,  // PyPI: packaging.python.org/specifications/version-specifiers
  kSemver,  // npm, crates.io, Go: semver.org 2.0.0, section 11; a leading "v" and missing parts are taken
  kDpkg,    // Debian, Ubuntu: deb-version(7)
  kRpm,     // Red Hat and kin: rpmvercmp of [epoch:]version[-release]; no release is before any
  kApk,     // Alpine: apk-tools' version.c
  kMaven,   // Maven's ComparableVersion (maven.apache.org/pom.html#version-order-specification)
};

class Version {
 public:
  static constexpr std::size_t kMaxBytes = 255;

  // kInvalidArgument where the text is no version in this order, or longer than kMaxBytes.
  static base::Result<Version> parse(VersionOrder order, std::string_view text);

  // Only versions of one order can be compared.
  friend std::strong_ordering operator<=>(const Version& a, const Version& b) {
    return a.key_.compare(b.key_) <=> 0;
  }
  friend bool operator==(const Version& a, const Version& b) { return a.key_ == b.key_; }

 private:
  explicit Version(std::string key) : key_(std::move(key)) {}
  std::string key_;
};

}  // namespace holdfast::supply
