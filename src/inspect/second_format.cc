#include "inspect/second_format.h"

#include <algorithm>
#include <string_view>

namespace holdfast::inspect {
namespace {

// APPNOTE.TXT 4.3.16, and the HDF5 File Format Specification 3.0, section II.A.
constexpr std::string_view kZipEnd = "PK\5\6";
constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1A\n";
constexpr std::uint64_t kFirstBlock = 512;
constexpr std::size_t kDrainStep = 64UL << 10;

constexpr std::size_t kReadStep = 256UL << 10;

}  // namespace

base::Result<> read_up_to(formats::Stream& stream, std::size_t size, base::Bytes& bytes) {
  while (bytes.size() < size) {
    const std::size_t before = bytes.size();
    bytes.resize(std::min(size, before + kReadStep));
    const auto got = stream.read(base::MutableByteView(bytes).subspan(before));
    bytes.resize(before + got.value_or(0));
    if (!got) return base::fail(got.error());
    if (*got == 0) break;
  }
  return {};
}

base::Result<std::size_t> SecondFormatStream::read(base::MutableByteView buffer) {
  HF_TRY(const std::size_t got, below_->read(buffer));
  if (!seen_) watch(buffer.first(got));
  return got;
}

void SecondFormatStream::drain() {
  std::string buffer(kDrainStep, '\0');
  for (;;) {
    const auto got =
        read(base::MutableByteView(reinterpret_cast<std::uint8_t*>(buffer.data()), buffer.size()));
    if (!got || *got == 0) return;
  }
}

void SecondFormatStream::watch(base::ByteView bytes) {
  window_.append(base::as_text(bytes));
  const std::string_view window = window_;
  seen_ = window.find(kZipEnd) != std::string_view::npos;
  const std::uint64_t end = begin_ + window.size();
  for (std::uint64_t at = kFirstBlock; at + kHdf5.size() <= end && !seen_; at *= 2) {
    seen_ = at >= begin_ && window.substr(static_cast<std::size_t>(at - begin_)).starts_with(kHdf5);
  }
  const std::size_t kept = std::min(window_.size(), kHdf5.size() - 1);
  begin_ += window_.size() - kept;
  window_.erase(0, window_.size() - kept);
}

}  // namespace holdfast::inspect
