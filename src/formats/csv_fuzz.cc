#include <cstdlib>
#include <string>

#include "formats/csv.h"

namespace formats = holdfast::formats;

namespace {

// A plain reading of RFC 4180, byte by byte: what the fast reader must agree with. Absent where the text is
// no CSV.
std::optional<std::vector<std::vector<std::string>>> plain(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::vector<std::string>> rows;
  std::size_t at = 0;
  while (at < text.size()) {
    std::vector<std::string> row;
    for (bool more = true; more;) {
      std::string field;
      if (at < text.size() && text[at] == '"') {
        for (++at;; ++at) {
          if (at == text.size() || text[at] == '\0') return std::nullopt;
          if (text[at] == '"' && (at + 1 == text.size() || text[at + 1] != '"')) break;
          if (text[at] == '"') ++at;
          field.push_back(text[at]);
        }
        ++at;
      } else {
        while (at < text.size() &&
               std::string_view(",\r\n\"\0", 5).find(text[at]) == std::string_view::npos) {
          field.push_back(text[at++]);
        }
      }
      row.push_back(field);
      more = at < text.size() && text[at] == ',';
      if (more) ++at;
    }
    if (at < text.size()) {
      if (text.substr(at, 2) == "\r\n") ++at;
      if (text[at] != '\n') return std::nullopt;
      ++at;
    }
    if (!rows.empty() && row.size() != rows.front().size()) return std::nullopt;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const formats::MemorySource source({data, size});
  formats::SourceStream stream(source);
  auto csv = formats::CsvReader::create(stream);
  std::vector<std::vector<std::string>> rows;
  bool failed = false;
  for (;;) {
    const auto record = csv->next();
    failed = !record;
    if (!record || !*record) break;
    rows.emplace_back((*record)->begin(), (*record)->end());
  }
  const auto expected = plain(holdfast::base::as_text({data, size}));
  if (expected.has_value() == failed || (expected && *expected != rows)) std::abort();
  return 0;
}
