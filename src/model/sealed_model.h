#pragma once

#include <cstdint>

#include "base/digest.h"
#include "base/file.h"
#include "base/result.h"
#include "formats/source.h"

namespace holdfast::model {

// The bytes of a model in memory, which nobody can change any more (memfd_create(2), with all seals): what
// was hashed is what an engine loads, and it reads it by a descriptor, since it can open no file. A value to
// move; thread-safe to read.
class SealedModel {
 public:
  static constexpr std::uint64_t kMaxBytes = 2UL << 30;  // ONNX's own limit for one protobuf message

  // A copy of all of `source`. kLimitExceeded over kMaxBytes, kInvalidArgument for none, kUnavailable where
  // there is no memory, and the source's errors.
  static base::Result<SealedModel> copy(const formats::Source& source);

  // The SHA-256 of the copy. Compare it with the one that was approved.
  [[nodiscard]] const base::Digest& digest() const { return digest_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] int descriptor() const { return fd_.get(); }

 private:
  SealedModel(base::UniqueFd fd, std::uint64_t size, const base::Digest& digest)
      : fd_(std::move(fd)), size_(size), digest_(digest) {}
  base::UniqueFd fd_;
  std::uint64_t size_;
  base::Digest digest_;
};

}  // namespace holdfast::model
