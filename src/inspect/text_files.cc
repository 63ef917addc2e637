#include "inspect/text_files.h"

#include <fmt/format.h>

#include <memory>

#include "inspect/secrets.h"

namespace holdfast::inspect {
namespace {

constexpr std::size_t kReadStep = 64UL << 10;

struct Text {
  std::string bytes;  // at most kMaxTextBytes
  bool whole = true;
};

// Looks for credentials in all of the stream and keeps its beginning.
base::Result<Text> read_and_scan(formats::Stream& stream, const std::string& path, Findings& findings) {
  Text text;
  patterns::SecretScanner scanner;
  const auto step = std::make_unique_for_overwrite<std::uint8_t[]>(kReadStep);
  while (true) {
    HF_TRY(const std::size_t got, stream.read({step.get(), kReadStep}));
    if (got == 0) break;
    const base::ByteView piece(step.get(), got);
    scanner.feed(piece);
    if (text.bytes.size() + got > kMaxTextBytes) text.whole = false;
    if (text.whole) text.bytes.append(base::as_text(piece));
  }
  scanner.finish();
  report_secrets(scanner, path, findings);
  return text;
}

}  // namespace

Gaps inspect_text_file(formats::Format, formats::Stream& stream, const std::string& path,
                       Findings& findings) {
  const auto text = read_and_scan(stream, path, findings);
  if (!text) return {text.error().message};
  return {};
}

std::span<const Rule> text_file_rules() { return secret_rules(); }

}  // namespace holdfast::inspect
