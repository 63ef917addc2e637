#include <bzlib.h>

#include <limits>

#include "formats/codec.h"

namespace holdfast::formats {

namespace {

// bzip2's manual, section 2.5: 100 kB and four times the largest block of 900 kB.
constexpr std::uint64_t kMemory = 4ULL << 20;

class Bzip2Codec final : public Codec {
 public:
  Bzip2Codec() = default;
  ~Bzip2Codec() override { BZ2_bzDecompressEnd(&z_); }
  Bzip2Codec(const Bzip2Codec&) = delete;
  Bzip2Codec& operator=(const Bzip2Codec&) = delete;

  base::Result<> restart() override {
    BZ2_bzDecompressEnd(&z_);
    z_ = {};
    if (BZ2_bzDecompressInit(&z_, 0, 0) != BZ_OK) return base::fail(no_memory_to_expand());
    return {};
  }

  Step step(base::ByteView in, base::MutableByteView out, std::uint64_t allowed) override {
    if (allowed < kMemory) return {.fault = too_much_memory(kMemory, allowed)};
    constexpr std::size_t kMost = std::numeric_limits<unsigned>::max();
    const auto input = static_cast<unsigned>(std::min(in.size(), kMost));
    const auto room = static_cast<unsigned>(std::min(out.size(), kMost));
    // bzip2's interface; it does not write there.
    z_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    z_.avail_in = input;
    z_.next_out = reinterpret_cast<char*>(out.data());
    z_.avail_out = room;
    const int status = BZ2_bzDecompress(&z_);
    Step done{.taken = input - z_.avail_in, .given = room - z_.avail_out, .ended = status == BZ_STREAM_END};
    if (status == BZ_MEM_ERROR) done.fault = no_memory_to_expand();
    if (status != BZ_OK && status != BZ_STREAM_END && status != BZ_MEM_ERROR) done.fault = damaged_data();
    return done;
  }

  [[nodiscard]] bool starts(base::ByteView next) const override {
    return next.size() >= 4 && base::as_text(next).starts_with("BZh") && next[3] >= '1' && next[3] <= '9';
  }
  [[nodiscard]] std::uint64_t memory() const override { return kMemory; }

 private:
  bz_stream z_{};
};

}  // namespace

base::Result<std::unique_ptr<Codec>> make_bzip2_codec() {
  auto codec = std::make_unique<Bzip2Codec>();
  HF_CHECK(codec->restart());
  return codec;
}

}  // namespace holdfast::formats
