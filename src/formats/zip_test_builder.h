#pragma once

#include <zlib.h>

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "formats/zip.h"

// Builds zip archives for tests, right or wrong in any field.

namespace holdfast::formats {

inline std::uint32_t crc_of(std::string_view text) {
  return static_cast<std::uint32_t>(::crc32_z(0, base::as_bytes(text).data(), text.size()));
}

inline base::Bytes deflated(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  base::Bytes out(deflateBound(&z, text.size()));
  z.next_in = const_cast<Bytef*>(base::as_bytes(text).data());
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// The fields of a local or central header, each of which a test may make wrong.
struct ZipHeader {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint32_t compressed = 0;
  std::uint32_t size = 0;
  std::uint32_t offset = 0;      // central only
  std::uint32_t attributes = 0;  // central only
  std::uint16_t disk = 0;        // central only
  std::uint8_t version = 20;
  base::Bytes extra;
};

struct ZipItem {
  ZipHeader local;
  ZipHeader central;
  base::Bytes data;
  base::Bytes after;  // a data descriptor or a gap
};

inline ZipItem zip_item(std::string name, std::string_view contents, std::uint16_t method = kZipStored) {
  base::Bytes data =
      method == kZipDeflated ? deflated(contents) : base::Bytes(contents.begin(), contents.end());
  const ZipHeader header{.name = std::move(name),
                         .method = method,
                         .crc = crc_of(contents),
                         .compressed = static_cast<std::uint32_t>(data.size()),
                         .size = static_cast<std::uint32_t>(contents.size()),
                         .extra = {}};
  return {.local = header, .central = header, .data = std::move(data), .after = {}};
}

// The end records, each field of which a test may make wrong.
struct ZipEnd {
  std::uint16_t disk = 0;
  int entries_more = 0;
  int size_more = 0;
  int offset_more = 0;
  std::uint16_t comment_size = 0;
  std::string comment;
  bool zip64 = false;
  int zip64_entries_more = 0;
  int zip64_named_more = 0;
  std::string between;  // directory and end records
};

inline ZipEnd zip_end(const std::function<void(ZipEnd&)>& change) {
  ZipEnd made;
  change(made);
  return made;
}

inline void append_header(base::Bytes& out, const ZipHeader& h, bool central) {
  base::append(out, central ? "PK\1\2" : "PK\3\4");
  if (central) base::append_le<std::uint16_t>(out, 3 << 8 | 20);
  base::append_le<std::uint16_t>(out, h.version);
  base::append_le(out, h.flags);
  base::append_le(out, h.method);
  base::append_le<std::uint32_t>(out, 0);
  base::append_le(out, h.crc);
  base::append_le(out, h.compressed);
  base::append_le(out, h.size);
  base::append_le(out, static_cast<std::uint16_t>(h.name.size()));
  base::append_le(out, static_cast<std::uint16_t>(h.extra.size()));
  if (central) {
    base::append_le<std::uint16_t>(out, 0);
    base::append_le(out, h.disk);
    base::append_le<std::uint16_t>(out, 0);
    base::append_le(out, h.attributes);
    base::append_le(out, h.offset);
  }
  base::append(out, h.name);
  base::append(out, h.extra);
}

inline std::uint32_t plus(std::size_t value, int more) {
  return static_cast<std::uint32_t>(static_cast<int>(value) + more);
}

inline void append_end(base::Bytes& out, const ZipEnd& end, std::size_t entries, std::size_t directory) {
  const std::size_t size = out.size() - directory;
  base::append(out, end.between);
  if (end.zip64) {
    const std::size_t record = out.size();
    base::append(out, "PK\6\6");
    base::append_le<std::uint64_t>(out, 44);
    base::append_le<std::uint32_t>(out, 0);
    base::append_le<std::uint64_t>(out, 0);
    for (int i = 0; i < 2; ++i) base::append_le<std::uint64_t>(out, plus(entries, end.zip64_entries_more));
    base::append_le<std::uint64_t>(out, size);
    base::append_le<std::uint64_t>(out, directory);
    base::append(out, "PK\6\7");
    base::append_le<std::uint32_t>(out, 0);
    base::append_le<std::uint64_t>(out, plus(record, end.zip64_named_more));
    base::append_le<std::uint32_t>(out, 1);
  }
  base::append(out, "PK\5\6");
  for (int i = 0; i < 2; ++i) base::append_le(out, end.disk);
  for (int i = 0; i < 2; ++i)
    base::append_le(out, static_cast<std::uint16_t>(plus(entries, end.entries_more)));
  base::append_le(out, plus(size, end.size_more));
  base::append_le(out, plus(directory, end.offset_more));
  base::append_le(out, end.comment_size);
  base::append(out, end.comment);
}

inline base::Bytes zip_archive(std::vector<ZipItem> items, const ZipEnd& end = {},
                               std::string_view prefix = {}) {
  base::Bytes out(prefix.begin(), prefix.end());
  for (ZipItem& it : items) {
    it.central.offset += static_cast<std::uint32_t>(out.size());
    append_header(out, it.local, false);
    base::append(out, it.data);
    base::append(out, it.after);
  }
  const std::size_t directory = out.size();
  for (const ZipItem& it : items) append_header(out, it.central, true);
  append_end(out, end, items.size(), directory);
  return out;
}

}  // namespace holdfast::formats
