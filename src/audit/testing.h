#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "audit/log.h"
#include "audit/verify.h"
#include "base/encoding.h"
#include "keys/key_store.h"

// For tests alone: a folder with keys and a log in it, a clock that stands still, and damage.

namespace holdfast::audit {

class TestFolder {
 public:
  // In memory where there is such a place: no test here proves anything by waiting for a real disk.
  TestFolder() : path_(make("/dev/shm")) {
    if (path_.empty()) path_ = make(std::filesystem::temp_directory_path());
    if (path_.empty()) ADD_FAILURE() << "cannot make a temporary folder";
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path path() const { return path_; }
  [[nodiscard]] std::filesystem::path log() const { return path_ / "log"; }

 private:
  static std::string make(const std::filesystem::path& where) {
    std::string name = (where / "audit_test.XXXXXX").string();
    return ::mkdtemp(name.data()) == nullptr ? std::string() : name;
  }
  std::filesystem::path path_;
};

class StillClock final : public base::Clock {
 public:
  [[nodiscard]] base::Timestamp now() const override { return base::Timestamp::from_microseconds(now_); }

 private:
  std::atomic<std::int64_t> now_{1'764'000'000'000'000};
};

inline std::unique_ptr<keys::KeyStore> open_keys(const TestFolder& folder) {
  auto master = keys::MasterKey::parse("holdfast-master-key-1:" +
                                       base::base64_encode(base::Bytes(32, 7), base::Base64::kUrl));
  return keys::KeyStore::open(folder.path() / "keys", std::move(master).value()).value();
}

inline crypto::NoteVerifier verifier_of(const TestFolder& folder) {
  std::ifstream in(folder.log() / Log::kVerifierFile);
  std::string text;
  std::getline(in, text);
  return crypto::NoteVerifier::parse(text).value();
}

inline Record record_of(std::uint64_t number, std::string workspace = "credit") {
  return {.workspace = base::WorkspaceId(std::move(workspace)),
          .actor = "user:ada",
          .action = "model.register",
          .resource = "model/" + std::to_string(number),
          .decision = "allow",
          .details = {}};
}

template <typename T>
base::ErrorCode code_of(const base::Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? base::ErrorCode::kInternal : result.error().code;
}

inline void flip_byte(const std::filesystem::path& file, std::uintmax_t at, unsigned bit = 0) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte ^ (1 << bit)));
}

inline std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

// "<file>#<record>: <message>" of the first fault, or an empty text.
inline std::string fault_of(const TestFolder& folder, const VerifyOptions& options = {}) {
  const auto report = verify_log(folder.log(), verifier_of(folder), options);
  if (!report) return "error: " + report.error().message;
  if (!report->fault) return {};
  const auto& fault = *report->fault;
  return fault.file + "#" + (fault.record ? std::to_string(*fault.record) : "") + ": " + fault.message;
}

}  // namespace holdfast::audit
