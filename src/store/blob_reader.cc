#include "store/blob_reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "crypto/age.h"
#include "crypto/age_random.h"
#include "crypto/sha256.h"

namespace holdfast::store {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

class BlobStream final : public crypto::Reader {
 public:
  BlobStream(base::UniqueFd fd, std::string name, const base::Digest& digest)
      : fd_(std::move(fd)), file_(fd_.get()), name_(std::move(name)), digest_(digest) {}

  Result<> open(const crypto::AgeKeys& keys) {
    auto content = crypto::AgeUnsealer::open(file_, keys);
    if (!content) return fail(std::move(content).error().within(name_));
    content_.emplace(*std::move(content));
    return {};
  }

  Result<std::size_t> read(base::MutableByteView buffer) override {
    if (!digest_matches_) {
      auto got = content_->read(buffer);
      if (!got) return fail(std::move(got).error().within(name_));
      hash_.update(buffer.first(*got));
      if (*got > 0 || buffer.empty()) return *got;
      digest_matches_ = hash_.finish() == digest_;
    }
    if (*digest_matches_) return 0;
    return fail(ErrorCode::kDataCorrupt, fmt::format("{} holds the content of another", name_));
  }

 private:
  base::UniqueFd fd_;
  crypto::FdReader file_;
  std::string name_;
  base::Digest digest_;
  std::optional<crypto::AgeUnsealer> content_;
  crypto::Sha256 hash_;
  std::optional<bool> digest_matches_;  // once the end was read
};

class SealedFile final : public crypto::RandomReader {
 public:
  explicit SealedFile(base::UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override {
    return base::read_full_at(fd_.get(), offset, buffer);
  }

 private:
  base::UniqueFd fd_;
  std::uint64_t size_;
};

class BlobAtRandom final : public crypto::RandomReader {
 public:
  BlobAtRandom(SealedFile file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}

  Result<> open(const crypto::AgeKeys& keys) {
    auto content = crypto::AgeRandomReader::open(file_, keys);
    if (!content) return fail(std::move(content).error().within(name_));
    content_.emplace(*std::move(content));
    return {};
  }

  [[nodiscard]] std::uint64_t size() const override { return content_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override {
    auto got = content_->read_at(offset, buffer);
    if (!got) return fail(std::move(got).error().within(name_));
    return got;
  }

 private:
  SealedFile file_;
  std::string name_;
  std::optional<crypto::AgeRandomReader> content_;
};

}  // namespace

Result<std::unique_ptr<crypto::Reader>> open_blob_stream(base::UniqueFd fd, const crypto::AgeKeys& keys,
                                                         std::string name, const base::Digest& digest) {
  auto stream = std::make_unique<BlobStream>(std::move(fd), std::move(name), digest);
  HF_CHECK(stream->open(keys));
  return stream;
}

Result<std::unique_ptr<crypto::RandomReader>> open_blob_at_random(base::UniqueFd fd,
                                                                  const crypto::AgeKeys& keys,
                                                                  std::string name) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0)
    return base::fail_errno(fmt::format("{}: cannot be read", name), errno);
  SealedFile file(std::move(fd), static_cast<std::uint64_t>(status.st_size));
  auto reader = std::make_unique<BlobAtRandom>(std::move(file), std::move(name));
  HF_CHECK(reader->open(keys));
  return reader;
}

}  // namespace holdfast::store
