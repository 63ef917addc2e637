#pragma once

#include <string>

#include "formats/sniff.h"
#include "formats/source.h"
#include "inspect/finding.h"
#include "patterns/secrets.h"

// Credentials in what binary formats carry of text: metadata of safetensors, GGUF and ONNX, attributes of
// HDF5, the strings of pickles.

namespace holdfast::inspect {

void find_metadata_secrets(formats::Format format, const formats::Source& file, const std::string& path,
                           Findings& findings);

// Passes a stream on and looks for credentials in the first kMaxBytes of it: a pickle's own strings come
// before and between its arrays.
class SecretSeekingStream final : public formats::Stream {
 public:
  static constexpr std::uint64_t kMaxBytes = 16UL << 20;

  explicit SecretSeekingStream(formats::Stream& stream) : stream_(&stream) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override;
  void report(const std::string& path, Findings& findings);

 private:
  formats::Stream* stream_;
  patterns::SecretScanner scanner_;
  std::uint64_t seen_ = 0;
};

}  // namespace holdfast::inspect
