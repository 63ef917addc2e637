#include <cstdlib>

#include "patterns/secrets.h"

// Any bytes, whole and cut in two at a place of their own choice: the same matches, all within the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const base::ByteView text(data, size);
  const auto whole = patterns::find_secrets(base::as_text(text));
  const std::size_t cut = size == 0 ? 0 : data[0] * size / 256;
  patterns::SecretScanner scanner;
  scanner.feed(text.subspan(0, cut));
  scanner.feed(text.subspan(cut));
  scanner.finish();
  if (scanner.matches().size() != whole.size()) std::abort();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto& match = scanner.matches()[i];
    if (match.offset != whole[i].offset || match.line != whole[i].line) std::abort();
    if (match.offset + match.length > size) std::abort();
  }
  return 0;
}
