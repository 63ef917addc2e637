#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/encoding.h"
#include "keys/master_key.h"

// For tests alone: a folder that goes with its scope, master keys, and damage.

namespace holdfast::keys {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "keys_test.XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "cannot make a temporary folder";
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path path() const { return path_; }

 private:
  std::string path_;
};

inline std::string master_text(std::uint8_t seed) {
  return "holdfast-master-key-1:" + base::base64_encode(base::Bytes(32, seed), base::Base64::kUrl) + "\n";
}
inline MasterKey master_of(std::uint8_t seed) { return MasterKey::parse(master_text(seed)).value(); }

template <typename T>
base::ErrorCode code_of(const base::Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? base::ErrorCode::kInternal : result.error().code;
}

inline void flip_byte(const std::filesystem::path& file, std::uintmax_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte ^ 1));
}

}  // namespace holdfast::keys
