#include "base/assert.h"
#include "crypto/age_armor.h"

namespace {

namespace base = holdfast::base;
namespace crypto = holdfast::crypto;

base::Result<base::Bytes> dearmor(std::string_view text) {
  crypto::MemoryReader bytes(base::as_bytes(text));
  crypto::LineReader lines(bytes);
  crypto::AgeArmorReader armor(lines);
  base::Bytes out(text.size() + 1);  // more than there can be, so that the end is read
  HF_TRY(const std::size_t got, crypto::read_full(armor, out));
  out.resize(got);
  return out;
}

class TextWriter final : public crypto::Writer {
 public:
  base::Result<> write(base::ByteView bytes) override {
    text_ += base::as_text(bytes);
    return {};
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

// Armor that is taken off is the armor that we put on, but for white space around it and carriage returns.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(base::as_text({data, size}));
  const auto bytes = dearmor(text);
  if (!bytes) return 0;
  TextWriter out;
  crypto::AgeArmorWriter writer(out);
  HF_ASSERT(writer.write(*bytes) && writer.finish());
  std::erase(text, '\r');
  const auto end = out.text().substr(0, out.text().size() - 1);
  HF_ASSERT(text.find(end) != std::string::npos);
  return 0;
}
