#pragma once

#include <string_view>

#include "data/profile.h"
#include "data/table.h"
#include "formats/csv.h"
#include "formats/source.h"

// For tests: tables from text.

namespace holdfast::data {

// Calls `use` with a reader over `text`.
template <typename Use>
auto with_csv(std::string_view text, Use use) {
  const formats::MemorySource source(base::as_bytes(text));
  formats::SourceStream stream(source);
  formats::CsvReader reader = formats::CsvReader::create(stream).value();
  return use(reader);
}

inline base::Result<Profile> profile_of(std::string_view text) { return with_csv(text, profile_csv); }

inline base::Result<Table> table_of(std::string_view text, const Schema& schema) {
  return with_csv(text, [&](formats::CsvReader& reader) { return read_table(reader, schema); });
}

}  // namespace holdfast::data
