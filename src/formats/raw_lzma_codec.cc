#include <lzma.h>

#include <cstdlib>

#include "formats/codec.h"

namespace holdfast::formats {

namespace {

using namespace seven_zip_method;

std::optional<lzma_vli> filter_of(std::uint64_t method) {
  switch (method) {
    case kDelta:
      return LZMA_FILTER_DELTA;
    case kX86:
    case 0x03030103:
      return LZMA_FILTER_X86;
    case 0x05:
    case 0x03030205:
      return LZMA_FILTER_POWERPC;
    case 0x06:
    case 0x03030401:
      return LZMA_FILTER_IA64;
    case 0x07:
    case 0x03030501:
      return LZMA_FILTER_ARM;
    case 0x08:
    case 0x03030701:
      return LZMA_FILTER_ARMTHUMB;
    case 0x09:
    case 0x03030805:
      return LZMA_FILTER_SPARC;
    case kArm64:
      return LZMA_FILTER_ARM64;
    case kLzma:
      return LZMA_FILTER_LZMA1EXT;
    case kLzma2:
      return LZMA_FILTER_LZMA2;
    default:
      return std::nullopt;
  }
}

class RawLzmaCodec final : public Codec {
 public:
  RawLzmaCodec() { filters_[0].id = LZMA_VLI_UNKNOWN; }
  ~RawLzmaCodec() override {
    lzma_end(&z_);
    lzma_filters_free(filters_, nullptr);
  }
  RawLzmaCodec(const RawLzmaCodec&) = delete;
  RawLzmaCodec& operator=(const RawLzmaCodec&) = delete;

  // liblzma names filters in the order in which they pack.
  base::Result<> set(std::span<const SevenZipCoder> coders) {
    std::size_t at = 0;
    for (auto coder = coders.rbegin(); coder != coders.rend(); ++coder, ++at) {
      const auto id = filter_of(coder->method);
      if (!id || at >= LZMA_FILTERS_MAX) return unsupported();
      filters_[at] = {.id = *id, .options = nullptr};
      filters_[at + 1] = {.id = LZMA_VLI_UNKNOWN, .options = nullptr};
      const auto& properties = coder->properties;
      if (lzma_properties_decode(&filters_[at], nullptr, properties.data(), properties.size()) != LZMA_OK) {
        return unsupported();
      }
      if (*id != LZMA_FILTER_LZMA1EXT) continue;
      auto* options = static_cast<lzma_options_lzma*>(filters_[at].options);
      options->ext_flags = LZMA_LZMA1EXT_ALLOW_EOPM;
      options->ext_size_low = static_cast<std::uint32_t>(coder->unpack_size);
      options->ext_size_high = static_cast<std::uint32_t>(coder->unpack_size >> 32U);
    }
    memory_ = lzma_raw_decoder_memusage(filters_);
    if (memory_ == UINT64_MAX) return unsupported();
    return {};
  }

  base::Result<> restart() override { return {}; }

  Step step(base::ByteView in, base::MutableByteView out, std::uint64_t allowed) override {
    if (memory_ > allowed) return {.fault = too_much_memory(memory_, allowed)};
    if (!begun_ && lzma_raw_decoder(&z_, filters_) != LZMA_OK) return {.fault = no_memory_to_expand()};
    begun_ = true;
    z_.next_in = in.data();
    z_.avail_in = in.size();
    z_.next_out = out.data();
    z_.avail_out = out.size();
    const lzma_ret status = lzma_code(&z_, in.empty() ? LZMA_FINISH : LZMA_RUN);
    Step done{.taken = in.size() - z_.avail_in,
              .given = out.size() - z_.avail_out,
              .ended = status == LZMA_STREAM_END};
    if (status == LZMA_MEM_ERROR) done.fault = no_memory_to_expand();
    if (status != LZMA_OK && status != LZMA_STREAM_END && status != LZMA_BUF_ERROR &&
        status != LZMA_MEM_ERROR) {
      done.fault = damaged_data();
    }
    return done;
  }

  [[nodiscard]] bool starts(base::ByteView /*next*/) const override { return false; }
  [[nodiscard]] std::uint64_t memory() const override { return begun_ ? memory_ : 0; }

 private:
  static tl::unexpected<base::Error> unsupported() {
    return base::fail(base::ErrorCode::kUnsupported,
                      "the 7z archive uses filters that liblzma does not know");
  }

  lzma_filter filters_[LZMA_FILTERS_MAX + 1];
  lzma_stream z_ = LZMA_STREAM_INIT;
  std::uint64_t memory_ = 0;
  bool begun_ = false;
};

}  // namespace

bool is_lzma_filter(std::uint64_t method) {
  return filter_of(method).has_value() && method != kLzma && method != kLzma2;
}

base::Result<std::unique_ptr<Codec>> make_raw_lzma_codec(std::span<const SevenZipCoder> coders) {
  auto codec = std::make_unique<RawLzmaCodec>();
  HF_CHECK(codec->set(coders));
  return codec;
}

}  // namespace holdfast::formats
