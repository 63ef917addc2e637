#include "inspect/metadata_secrets.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/anomaly.h"
#include "formats/gguf.h"
#include "formats/hdf5.h"
#include "formats/onnx.h"
#include "formats/safetensors.h"
#include "inspect/secrets.h"

namespace holdfast::inspect {
namespace {

class Entries {
 public:
  Entries(const std::string& path, Findings& findings) : path_(path), findings_(findings) {}

  // As an assignment, so that what is called a password is known for one.
  void look_at(std::string_view key, std::string_view value) {
    patterns::SecretScanner scanner;
    scanner.feed(base::as_bytes(fmt::format("{} = ", key)));
    scanner.feed(base::as_bytes(value));
    scanner.finish();
    report_secrets(scanner, path_, findings_, fmt::format("in the metadata {}, ", formats::quote(key)));
  }

 private:
  const std::string& path_;
  Findings& findings_;
};

}  // namespace

void find_metadata_secrets(formats::Format format, const formats::Source& file, const std::string& path,
                           Findings& findings) {
  Entries entries(path, findings);
  // What can't be read is told by the format's own inspector.
  if (format == formats::Format::kSafetensors) {
    const auto header = formats::read_safetensors_header(file);
    if (!header) return;
    for (const auto& [key, value] : header->metadata) entries.look_at(key, value);
  } else if (format == formats::Format::kGguf) {
    const auto read = formats::read_gguf(file);
    if (!read) return;
    for (const auto& entry : read->metadata) {
      if (entry.type == formats::GgufType::kString) entries.look_at(entry.key, entry.text);
    }
  } else if (format == formats::Format::kOnnx) {
    const auto model = formats::read_onnx(file);
    if (!model) return;
    for (const auto& [key, value] : model->metadata) entries.look_at(key, value);
  } else if (format == formats::Format::kHdf5) {
    const auto read = formats::read_hdf5(file);
    if (!read) return;
    for (const auto& attribute : read->attributes) entries.look_at(attribute.name, attribute.text);
  }
}

base::Result<std::size_t> SecretSeekingStream::read(base::MutableByteView buffer) {
  HF_TRY(const std::size_t got, stream_->read(buffer));
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(got, kMaxBytes - seen_));
  scanner_.feed(buffer.first(count));
  seen_ += count;
  return got;
}

void SecretSeekingStream::report(const std::string& path, Findings& findings) {
  scanner_.finish();
  report_secrets(scanner_, path, findings);
}

}  // namespace holdfast::inspect
