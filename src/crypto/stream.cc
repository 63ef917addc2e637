#include "crypto/stream.h"

#include <algorithm>

#include "base/file.h"

namespace holdfast::crypto {

using base::Result;

Result<std::size_t> MemoryReader::read(base::MutableByteView buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_ = rest_.subspan(count);
  return count;
}

Result<std::size_t> FdReader::read(base::MutableByteView buffer) { return base::read_full(fd_, buffer); }

Result<> FdWriter::write(base::ByteView bytes) { return base::write_full(fd_, bytes); }

}  // namespace holdfast::crypto
