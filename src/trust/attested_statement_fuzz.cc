#include "base/assert.h"
#include "trust/memory.h"
#include "trust/statement.h"

// A statement that parses comes back from its own text, unless it holds a fraction, which none of ours does.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  const base::ByteView input(data, size);
  (void)trust::parse_sealed_statements(base::as_text(input), "fuzz");
  (void)trust::parse_remembered(base::as_text(input));
  const auto statement = trust::parse_statement(input);
  if (!statement) return 0;
  if (const auto text = trust::write_statement(*statement)) {
    const auto again = trust::parse_statement(base::as_bytes(*text));
    HF_ASSERT(again && again->subjects == statement->subjects);
  }
  return 0;
}
