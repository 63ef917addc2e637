#include "supply/sqlite_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace holdfast::supply {
namespace {

using base::ByteView;
using base::ErrorCode;

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kFileHeader = 100;
constexpr int kMaxDepth = 20;  // of a tree; SQLite's own limit (btreeInt.h, BTCURSOR_MAX_DEPTH)
constexpr std::size_t kMaxColumns = 64;

tl::unexpected<base::Error> damaged(std::string_view what) {
  return base::fail(ErrorCode::kDataCorrupt, fmt::format("it is a damaged SQLite database: {}", what));
}

// Section 1.6: seven bits a byte, the ninth whole.
std::optional<std::uint64_t> take_varint(ByteView& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 9 && i < bytes.size(); ++i) {
    if (i == 8) value = (value << 8) | bytes[i];
    if (i < 8) value = (value << 7) | (bytes[i] & 0x7FU);
    if (i == 8 || bytes[i] < 0x80) {
      bytes = bytes.subspan(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

struct Column {
  std::uint64_t type = 0;  // section 2.1, "serial type"
  ByteView bytes;

  [[nodiscard]] bool is_text() const { return type >= 13 && type % 2 == 1; }
  [[nodiscard]] bool is_blob() const { return type >= 12 && type % 2 == 0; }
  [[nodiscard]] std::uint64_t integer() const {
    std::uint64_t value = type == 9 ? 1 : 0;
    for (const auto byte : bytes) value = (value << 8) | byte;
    return value;
  }
};

std::uint64_t bytes_of_type(std::uint64_t type) {
  constexpr std::uint64_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < 12 ? kSizes[type] : (type - 12) / 2;
}

base::Result<std::vector<Column>> columns_of(ByteView record) {
  auto types = record;
  const auto header = take_varint(types);
  if (!header || *header > record.size() || *header < record.size() - types.size()) {
    return damaged("a record's header is no header");
  }
  types = types.first(static_cast<std::size_t>(*header) - (record.size() - types.size()));
  auto values = record.subspan(static_cast<std::size_t>(*header));
  std::vector<Column> columns;
  while (!types.empty()) {
    const auto type = take_varint(types);
    if (!type || columns.size() == kMaxColumns) return damaged("a record has too many columns");
    const auto size = bytes_of_type(*type);
    if (size > values.size()) return damaged("a record is shorter than its columns");
    columns.push_back({*type, values.first(static_cast<std::size_t>(size))});
    values = values.subspan(static_cast<std::size_t>(size));
  }
  return columns;
}

using RecordVisitor = std::function<base::Result<>(ByteView record)>;

class Tree {
 public:
  static base::Result<Tree> open(ByteView file) {
    if (!is_sqlite(file) || file.size() < kFileHeader) return damaged("it has no header");
    const std::size_t said = base::load_be<std::uint16_t>(file.subspan(16));
    const std::size_t page = said == 1 ? 65536 : said;
    const std::size_t reserved = file[20];
    if (page < 512 || (page & (page - 1)) != 0 || page - reserved < 480) {
      return damaged("its pages have no possible size");
    }
    const auto encoding = base::load_be<std::uint32_t>(file.subspan(56));
    if (encoding > 1) return base::fail(ErrorCode::kUnsupported, "an SQLite database with text in UTF-16");
    return Tree(file, page, page - reserved);
  }

  base::Result<> visit(std::uint64_t root, const RecordVisitor& visit) { return walk(root, 0, visit); }

 private:
  Tree(ByteView file, std::size_t page, std::size_t usable)
      : file_(file), page_(page), usable_(usable), budget_(file.size()), seen_(file.size() / page) {}

  base::Result<ByteView> take_page(std::uint64_t number) {
    if (number == 0 || number > seen_.size()) return damaged("a page lies outside it");
    const auto index = static_cast<std::size_t>(number - 1);
    if (seen_[index]) return damaged("a page is used twice");
    seen_[index] = true;
    return file_.subspan(index * page_, usable_);
  }

  base::Result<> walk(std::uint64_t number, int depth, const RecordVisitor& visit) {
    constexpr std::uint8_t kLeaf = 0x0D;
    constexpr std::uint8_t kInterior = 0x05;
    if (depth > kMaxDepth) return damaged("a tree is too deep");
    HF_TRY(const auto page, take_page(number));
    const std::size_t start = number == 1 ? kFileHeader : 0;
    const auto header = page.subspan(start);
    const bool interior = header[0] == kInterior;
    if (!interior && header[0] != kLeaf) return damaged("a page is of no table");
    const std::size_t cells = base::load_be<std::uint16_t>(header.subspan(3));
    const std::size_t pointers = start + (interior ? 12 : 8);
    if (pointers + (cells * 2) > page.size()) return damaged("a page has more cells than it can hold");
    for (std::size_t i = 0; i < cells; ++i) {
      const std::size_t at = base::load_be<std::uint16_t>(page.subspan(pointers + (i * 2)));
      if (at + 4 > page.size()) return damaged("a cell leaves its page");
      if (interior) {
        HF_CHECK(walk(base::load_be<std::uint32_t>(page.subspan(at)), depth + 1, visit));
      } else {
        HF_CHECK(read_cell(page.subspan(at), visit));
      }
    }
    if (!interior) return {};
    return walk(base::load_be<std::uint32_t>(header.subspan(8)), depth + 1, visit);
  }

  // Section 1.6, "Cell payload overflow pages".
  base::Result<> read_cell(ByteView cell, const RecordVisitor& visit) {
    const auto size = take_varint(cell);
    const auto rowid = take_varint(cell);
    // Cells may overlap, so that a few pages could tell of more than the file holds.
    if (!size || !rowid || *size > budget_) return damaged("a row is larger than it can be");
    budget_ -= *size;
    const auto whole = static_cast<std::size_t>(*size);
    std::size_t here = whole;
    if (whole > usable_ - 35) {
      const std::size_t least = ((usable_ - 12) * 32 / 255) - 23;
      const std::size_t most = least + ((whole - least) % (usable_ - 4));
      here = most <= usable_ - 35 ? most : least;
    }
    if (here + (here < whole ? 4 : 0) > cell.size()) return damaged("a row leaves its page");
    if (here == whole) return visit(cell.first(here));
    base::Bytes record(cell.begin(), cell.begin() + static_cast<std::ptrdiff_t>(here));
    std::uint64_t next = base::load_be<std::uint32_t>(cell.subspan(here));
    while (record.size() < whole) {
      HF_TRY(const auto page, take_page(next));
      next = base::load_be<std::uint32_t>(page);
      base::append(record, page.subspan(4, std::min(usable_ - 4, whole - record.size())));
    }
    return visit(record);
  }

  ByteView file_;
  std::size_t page_;
  std::size_t usable_;
  std::uint64_t budget_;  // bytes of rows that may still come
  std::vector<bool> seen_;
};

// Section 2.6: the schema is the table whose root is page 1, of type, name, tbl_name, rootpage and sql.
base::Result<std::uint64_t> root_of(Tree& tree, std::string_view table) {
  std::uint64_t root = 0;
  HF_CHECK(tree.visit(1, [&](ByteView record) -> base::Result<> {
    HF_TRY(const auto columns, columns_of(record));
    if (columns.size() < 4) return damaged("its schema has too few columns");
    if (base::as_text(columns[0].bytes) == "table" && base::as_text(columns[1].bytes) == table) {
      root = columns[3].integer();
    }
    return {};
  }));
  if (root == 0) return base::fail(ErrorCode::kNotFound, fmt::format("it has no table {}", table));
  return root;
}

}  // namespace

bool is_sqlite(base::ByteView head) { return base::as_text(head).starts_with(kMagic); }

base::Result<> visit_sqlite_column(base::ByteView file, std::string_view table, std::size_t column,
                                   const ColumnVisitor& visit) {
  HF_TRY(auto tree, Tree::open(file));
  HF_TRY(const auto root, root_of(tree, table));
  return tree.visit(root, [&](ByteView record) -> base::Result<> {
    HF_TRY(const auto columns, columns_of(record));
    if (column >= columns.size() || !(columns[column].is_text() || columns[column].is_blob())) {
      return damaged("a row lacks the column that is asked for");
    }
    return visit(columns[column].bytes);
  });
}

}  // namespace holdfast::supply
