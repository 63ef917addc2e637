#include <lz4frame.h>

#include "formats/codec.h"

namespace holdfast::formats {

namespace {

// LZ4 Frame Format 1.6.2: blocks of 4 MiB at most, one of input and one of output, and 64 KiB of history
// twice.
constexpr std::uint64_t kMemory = 9ULL << 20;
constexpr std::uint32_t kMagic = 0x184D2204;
constexpr std::uint32_t kSkippable = 0x184D2A50;  // and the 15 after it

class Lz4Codec final : public Codec {
 public:
  Lz4Codec() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&z_, LZ4F_VERSION)) != 0) z_ = nullptr;
  }
  ~Lz4Codec() override { LZ4F_freeDecompressionContext(z_); }
  Lz4Codec(const Lz4Codec&) = delete;
  Lz4Codec& operator=(const Lz4Codec&) = delete;

  base::Result<> restart() override {
    if (z_ == nullptr) return base::fail(no_memory_to_expand());
    LZ4F_resetDecompressionContext(z_);
    return {};
  }

  Step step(base::ByteView in, base::MutableByteView out, std::uint64_t allowed) override {
    if (allowed < kMemory) return {.fault = too_much_memory(kMemory, allowed)};
    std::size_t taken = in.size();
    std::size_t given = out.size();
    const std::size_t status = LZ4F_decompress(z_, out.data(), &given, in.data(), &taken, nullptr);
    if (LZ4F_isError(status) != 0) return {.fault = describe(status)};
    // A frame ends with the last of its input; without input there was none to end.
    return {.taken = taken, .given = given, .ended = status == 0 && (taken > 0 || given > 0)};
  }

  [[nodiscard]] bool starts(base::ByteView next) const override {
    if (next.size() < 4) return false;
    const auto magic = base::load_le<std::uint32_t>(next);
    return magic == kMagic || (magic & 0xFFFFFFF0U) == kSkippable;
  }
  [[nodiscard]] std::uint64_t memory() const override { return kMemory; }

 private:
  static base::Error describe(std::size_t status) {
    const std::string_view name = LZ4F_getErrorName(status);
    return name == "ERROR_allocation_failed" ? no_memory_to_expand() : damaged_data();
  }

  LZ4F_dctx* z_ = nullptr;
};

}  // namespace

base::Result<std::unique_ptr<Codec>> make_lz4_codec() {
  auto codec = std::make_unique<Lz4Codec>();
  HF_CHECK(codec->restart());
  return codec;
}

}  // namespace holdfast::formats
