#include "crypto/stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/secret.h"

namespace holdfast::crypto {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::MutableByteView;
using base::Result;

namespace {

constexpr std::size_t kLineBufferBytes = 64UL << 10;
constexpr std::size_t kCopyBytes = 1UL << 20;

}  // namespace

Result<std::size_t> MemoryReader::read(MutableByteView buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_ = rest_.subspan(count);
  return count;
}

Result<std::size_t> FdReader::read(MutableByteView buffer) { return base::read_full(fd_, buffer); }

Result<> FdWriter::write(ByteView bytes) { return base::write_full(fd_, bytes); }

Result<> LineReader::refill() {
  if (!rest_.empty()) return {};
  buffer_.resize(kLineBufferBytes);
  HF_TRY(const std::size_t got, source_->read(buffer_));
  rest_ = ByteView(buffer_).first(got);
  return {};
}

Result<std::optional<std::uint8_t>> LineReader::peek() {
  HF_CHECK(refill());
  return rest_.empty() ? std::nullopt : std::optional(rest_.front());
}

Result<std::optional<std::string>> LineReader::read_line(std::size_t max_bytes) {
  std::string line;
  for (bool begun = false;; begun = true) {
    HF_CHECK(refill());
    if (rest_.empty()) return begun ? std::optional(std::move(line)) : std::nullopt;
    const auto end = std::ranges::find(rest_, '\n');
    const auto before_end = static_cast<std::size_t>(end - rest_.begin());
    if (before_end > max_bytes - line.size()) {
      return fail(ErrorCode::kLimitExceeded, fmt::format("a line is longer than {} bytes", max_bytes));
    }
    const bool whole = end != rest_.end();
    const std::size_t taken = before_end + (whole ? 1 : 0);
    line.append(base::as_text(rest_.first(taken)));
    rest_ = rest_.subspan(taken);
    if (whole) return line;
  }
}

Result<std::size_t> LineReader::read(MutableByteView buffer) {
  if (rest_.empty() && buffer.size() >= kLineBufferBytes) return source_->read(buffer);
  HF_CHECK(refill());
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), count, buffer.begin());
  rest_ = rest_.subspan(count);
  return count;
}

Result<std::size_t> read_full(Reader& reader, MutableByteView buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    HF_TRY(const std::size_t got, reader.read(buffer.subspan(done)));
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<> copy(Reader& reader, Writer& writer, const Progress& progress) {
  base::Secret buffer(kCopyBytes);
  std::uint64_t done = 0;
  while (true) {
    HF_TRY(const std::size_t got, read_full(reader, buffer.writable()));
    if (got == 0) return {};
    HF_CHECK(writer.write(buffer.reveal().first(got)));
    done += got;
    if (progress) progress(done);
  }
}

}  // namespace holdfast::crypto
