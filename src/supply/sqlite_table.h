#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// The rows of one table of an SQLite database (sqlite.org/fileformat2.html), without its engine: nothing that
// the file's schema says is run. Every page is read once at most, so that work and memory are bounded by the
// file's size. Pure; thread-safe.

namespace holdfast::supply {

// Gets the value of one column, text or BLOB; the bytes live as long as the call.
using ColumnVisitor = std::function<base::Result<>(base::ByteView value)>;

// Rows in which the column is no text and no BLOB are kDataCorrupt, as is anything that is no such database;
// kNotFound where there is no such table; kUnsupported for text in UTF-16. What a write-ahead log beside the
// file holds is not seen. An error of `visit` ends the reading.
base::Result<> visit_sqlite_column(base::ByteView file, std::string_view table, std::size_t column,
                                   const ColumnVisitor& visit);

bool is_sqlite(base::ByteView head);

}  // namespace holdfast::supply
