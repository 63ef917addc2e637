#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

// Where a reader's bytes come from. A Source is random access over a known size: a file, a buffer, a range of
// either. A Stream is read once from front to back: a Source from its start, or what an inflater gives.
// Readers take one of the two and hold no more than a bounded buffer, so that memory does not grow with the
// file.

namespace holdfast::formats {

class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Fills `buffer` from `offset`; gives fewer bytes only where the source ends. kIo when the system refuses.
  virtual base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const = 0;
};

// Over bytes that the caller keeps alive.
class MemorySource final : public Source {
 public:
  explicit MemorySource(base::ByteView bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override;

 private:
  base::ByteView bytes_;
};

// Over a regular file, by its descriptor. Its size is the one at opening: a file that grows is read no
// further.
class FileSource final : public Source {
 public:
  static base::Result<FileSource> open(const std::filesystem::path& path);
  static base::Result<FileSource> adopt(base::UniqueFd fd);
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override;
  // Still owned by this source.
  [[nodiscard]] int descriptor() const { return fd_.get(); }

 private:
  FileSource(base::UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  base::UniqueFd fd_;
  std::uint64_t size_;
};

// The range [offset, offset + size) of another source, which the caller keeps alive.
class RangeSource final : public Source {
 public:
  // kInvalidArgument where the range leaves `whole`.
  static base::Result<RangeSource> create(const Source& whole, std::uint64_t offset, std::uint64_t size);
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override;

 private:
  RangeSource(const Source& whole, std::uint64_t offset, std::uint64_t size)
      : whole_(&whole), offset_(offset), size_(size) {}
  const Source* whole_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

class Stream {
 public:
  virtual ~Stream() = default;
  // Reads up to buffer.size() bytes; 0 means the end, and stays so.
  virtual base::Result<std::size_t> read(base::MutableByteView buffer) = 0;
};

// A Source from `offset` on, which the caller keeps alive.
class SourceStream final : public Stream {
 public:
  explicit SourceStream(const Source& source, std::uint64_t offset = 0) : source_(&source), offset_(offset) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override;

 private:
  const Source* source_;
  std::uint64_t offset_;
};

// Exactly `size` bytes from `offset`; kDataCorrupt ("truncated") where the source ends before.
base::Result<base::Bytes> read_exactly(const Source& source, std::uint64_t offset, std::size_t size);

}  // namespace holdfast::formats
