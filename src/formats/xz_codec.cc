#include <lzma.h>

#include "formats/codec.h"
#include "formats/decompressor.h"

namespace holdfast::formats {

namespace {

using namespace std::string_view_literals;

enum class Container { kXz, kAlone };

class XzCodec final : public Codec {
 public:
  explicit XzCodec(Container container) : container_(container) {}
  ~XzCodec() override { lzma_end(&z_); }
  XzCodec(const XzCodec&) = delete;
  XzCodec& operator=(const XzCodec&) = delete;

  base::Result<> restart() override {
    // The limit proper is set at each step.
    const lzma_ret status =
        container_ == Container::kXz ? lzma_stream_decoder(&z_, 1, 0) : lzma_alone_decoder(&z_, 1);
    if (status != LZMA_OK) return base::fail(no_memory_to_expand());
    return {};
  }

  Step step(base::ByteView in, base::MutableByteView out, std::uint64_t allowed) override {
    if (lzma_memlimit_set(&z_, std::max<std::uint64_t>(allowed, 1)) != LZMA_OK) {
      return {.fault = too_much_memory(lzma_memusage(&z_), allowed)};
    }
    z_.next_in = in.data();
    z_.avail_in = in.size();
    z_.next_out = out.data();
    z_.avail_out = out.size();
    const lzma_ret status = lzma_code(&z_, in.empty() ? LZMA_FINISH : LZMA_RUN);
    Step done{.taken = in.size() - z_.avail_in,
              .given = out.size() - z_.avail_out,
              .ended = status == LZMA_STREAM_END};
    switch (status) {
      case LZMA_OK:
      case LZMA_STREAM_END:
      case LZMA_BUF_ERROR:  // no progress, which the caller judges
        break;
      case LZMA_MEMLIMIT_ERROR:
        done.fault = too_much_memory(lzma_memusage(&z_), allowed);
        break;
      case LZMA_MEM_ERROR:
        done.fault = no_memory_to_expand();
        break;
      case LZMA_OPTIONS_ERROR:
        done.fault = base::Error{base::ErrorCode::kUnsupported,
                                 "the xz data uses filters or options that liblzma does not know"};
        break;
      default:
        done.fault = damaged_data();
    }
    return done;
  }

  [[nodiscard]] bool starts(base::ByteView next) const override {
    return container_ == Container::kXz ? base::as_text(next).starts_with(
                                              "\xFD"
                                              "7zXZ\0"sv)
                                        : is_lzma_alone(next);
  }
  // The .xz File Format 1.2, section 2.2: Stream Padding is a multiple of four zeros.
  [[nodiscard]] std::size_t padding() const override { return container_ == Container::kXz ? 4 : 0; }
  [[nodiscard]] std::uint64_t memory() const override { return lzma_memusage(&z_); }

 private:
  Container container_;
  lzma_stream z_ = LZMA_STREAM_INIT;
};

base::Result<std::unique_ptr<Codec>> make(Container container) {
  auto codec = std::make_unique<XzCodec>(container);
  HF_CHECK(codec->restart());
  return codec;
}

}  // namespace

base::Result<std::unique_ptr<Codec>> make_xz_codec() { return make(Container::kXz); }
base::Result<std::unique_ptr<Codec>> make_lzma_codec() { return make(Container::kAlone); }

}  // namespace holdfast::formats
