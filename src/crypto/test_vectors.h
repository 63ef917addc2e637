#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"

// What the tests of this module share: vectors read from testdata/, and randomness that stands still.

namespace holdfast::crypto {

// One record of a vector file: "name: value" lines. Records are apart by an empty line; '#' begins a comment.
class TestVector {
 public:
  void put(const std::string& line) {
    const auto colon = line.find(':');
    ASSERT_NE(colon, std::string::npos) << line;
    values_[line.substr(0, colon)] = colon + 2 < line.size() ? line.substr(colon + 2) : "";
  }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] const std::string& text(const std::string& name) const { return values_.at(name); }
  [[nodiscard]] base::Bytes bytes(const std::string& name) const {
    return base::hex_decode(text(name)).value();
  }

 private:
  std::map<std::string, std::string> values_;
};

inline std::vector<TestVector> read_vectors(const std::string& name) {
  const auto content = base::read_file(std::string(HOLDFAST_TESTDATA "/") + name, 1UL << 20);
  EXPECT_TRUE(content.has_value()) << name;
  if (!content) return {};
  std::istringstream text{std::string(base::as_text(*content))};
  std::vector<TestVector> vectors(1);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('#')) continue;
    if (!line.empty()) {
      vectors.back().put(line);
    } else if (!vectors.back().empty()) {
      vectors.emplace_back();
    }
  }
  if (vectors.back().empty()) vectors.pop_back();
  EXPECT_FALSE(vectors.empty()) << name;
  return vectors;
}

// Counts up, byte by byte: never random, the same in each run.
class CountingRandom final : public base::RandomSource {
 public:
  explicit CountingRandom(std::uint8_t first = 0) : next_(first) {}
  void fill(base::MutableByteView bytes) override {
    for (auto& byte : bytes) byte = next_++;
  }

 private:
  std::uint8_t next_;
};

// A new folder, removed with all in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = testing::TempDir() + "holdfast-crypto-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace holdfast::crypto
