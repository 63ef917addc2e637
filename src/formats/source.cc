#include "formats/source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

base::Result<std::size_t> MemorySource::read_at(std::uint64_t offset, base::MutableByteView buffer) const {
  if (offset >= bytes_.size()) return 0;
  const std::size_t count =
      std::min<std::size_t>(buffer.size(), bytes_.size() - static_cast<std::size_t>(offset));
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, buffer.begin());
  return count;
}

base::Result<FileSource> FileSource::open(const std::filesystem::path& path) {
  HF_TRY(base::UniqueFd fd, base::open_regular_file(path));
  return adopt(std::move(fd));
}

base::Result<FileSource> FileSource::adopt(base::UniqueFd fd) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return base::fail_errno("cannot read the file's size", errno);
  return FileSource(std::move(fd), static_cast<std::uint64_t>(status.st_size));
}

base::Result<std::size_t> FileSource::read_at(std::uint64_t offset, base::MutableByteView buffer) const {
  if (offset >= size_) return 0;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - offset));
  return base::read_full_at(fd_.get(), offset, buffer.first(count));
}

base::Result<RangeSource> RangeSource::create(const Source& whole, std::uint64_t offset, std::uint64_t size) {
  if (offset > whole.size() || size > whole.size() - offset) {
    return fail(ErrorCode::kInvalidArgument, "a range reaches beyond the end of its file");
  }
  return RangeSource(whole, offset, size);
}

base::Result<std::size_t> RangeSource::read_at(std::uint64_t offset, base::MutableByteView buffer) const {
  if (offset >= size_) return 0;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - offset));
  return whole_->read_at(offset_ + offset, buffer.first(count));
}

base::Result<std::size_t> SourceStream::read(base::MutableByteView buffer) {
  HF_TRY(const std::size_t got, source_->read_at(offset_, buffer));
  offset_ += got;
  return got;
}

base::Result<base::Bytes> read_exactly(const Source& source, std::uint64_t offset, std::size_t size) {
  if (offset > source.size() || size > source.size() - offset) {
    return fail(ErrorCode::kDataCorrupt, "the file is truncated");
  }
  base::Bytes bytes(size);
  HF_TRY(const std::size_t got, source.read_at(offset, bytes));
  if (got != size) return fail(ErrorCode::kDataCorrupt, "the file is truncated");
  return bytes;
}

}  // namespace holdfast::formats
