#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>

#include "formats/codec.h"

namespace holdfast::formats {

namespace {

// What a decoder takes beside its window: tables, and a block of input and of output (RFC 8878, section
// 3.1.1.2.4: 128 KiB at most).
constexpr std::uint64_t kBesideWindow = 1ULL << 20;
constexpr int kMinWindowLog = 10;  // RFC 8878, section 3.1.1.1.2
constexpr int kMaxWindowLog = 27;  // what zstd itself takes unless told otherwise

class ZstdCodec final : public Codec {
 public:
  ZstdCodec() : z_(ZSTD_createDStream()) {}
  ~ZstdCodec() override { ZSTD_freeDStream(z_); }
  ZstdCodec(const ZstdCodec&) = delete;
  ZstdCodec& operator=(const ZstdCodec&) = delete;

  base::Result<> restart() override {
    if (z_ == nullptr || ZSTD_isError(ZSTD_DCtx_reset(z_, ZSTD_reset_session_only)) != 0) {
      return base::fail(no_memory_to_expand());
    }
    begun_ = false;
    return {};
  }

  Step step(base::ByteView in, base::MutableByteView out, std::uint64_t allowed) override {
    if (!begun_) {  // the limit can be set between frames alone
      if (allowed < kBesideWindow + (1ULL << kMinWindowLog))
        return {.fault = too_much_memory(kBesideWindow, allowed)};
      const int log = std::min(static_cast<int>(std::bit_width(allowed - kBesideWindow)) - 1, kMaxWindowLog);
      if (ZSTD_isError(ZSTD_DCtx_setParameter(z_, ZSTD_d_windowLogMax, log)) != 0)
        return {.fault = damaged_data()};
      window_log_ = log;
      begun_ = true;
    }
    ZSTD_inBuffer input{.src = in.data(), .size = in.size(), .pos = 0};
    ZSTD_outBuffer output{.dst = out.data(), .size = out.size(), .pos = 0};
    const std::size_t status = ZSTD_decompressStream(z_, &output, &input);
    Step done{.taken = input.pos, .given = output.pos};
    if (ZSTD_isError(status) != 0) {
      done.fault = describe(ZSTD_getErrorCode(status));
    } else {
      done.ended = status == 0;
    }
    return done;
  }

  // RFC 8878, sections 3.1.1 and 3.1.2: a frame, or one to be skipped.
  [[nodiscard]] bool starts(base::ByteView next) const override {
    if (next.size() < 4) return false;
    const auto magic = base::load_le<std::uint32_t>(next);
    return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
  }
  [[nodiscard]] std::uint64_t memory() const override { return ZSTD_sizeof_DStream(z_); }

 private:
  [[nodiscard]] base::Error describe(ZSTD_ErrorCode code) const {
    if (code == ZSTD_error_memory_allocation) return no_memory_to_expand();
    if (code == ZSTD_error_frameParameter_windowTooLarge) {
      return {
          base::ErrorCode::kUnsupported,
          fmt::format("the zstd data needs a window of more than {} KiB, which is all that may be held here",
                      (1ULL << window_log_) >> 10)};
    }
    if (code == ZSTD_error_dictionary_wrong) {
      return {base::ErrorCode::kUnsupported, "the zstd data needs a dictionary, which is not part of it"};
    }
    if (code == ZSTD_error_version_unsupported || code == ZSTD_error_frameParameter_unsupported) {
      return {base::ErrorCode::kUnsupported, "the zstd data is of a version that libzstd does not read"};
    }
    return damaged_data();
  }

  ZSTD_DStream* z_;
  int window_log_ = 0;
  bool begun_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Codec>> make_zstd_codec() {
  auto codec = std::make_unique<ZstdCodec>();
  HF_CHECK(codec->restart());
  return codec;
}

}  // namespace holdfast::formats
