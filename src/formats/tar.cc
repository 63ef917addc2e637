#include "formats/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "formats/entry_names.h"

namespace holdfast::formats {

using base::as_text;
using base::ErrorCode;
using base::fail;

namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kMaxSize = 1ULL << 62;  // room for padding below 2^63

// Places of the fields in a header ("ustar Interchange Format", table 4-14; GNU's sparse header).
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kSumAt = 148;
constexpr std::size_t kSumSize = 8;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kLinkAt = 157;
constexpr std::size_t kMagicAt = 257;
constexpr std::size_t kPrefixAt = 345;
constexpr std::size_t kSparseMoreAt = 482;
constexpr std::size_t kSparseBlockMoreAt = 504;

// A field's bytes up to its NUL.
std::string_view text_field(base::ByteView block, std::size_t at, std::size_t size) {
  const std::string_view field = as_text(block.subspan(at, size));
  return field.substr(0, field.find('\0'));
}

// An octal number, or GNU's base-256 one; absent for anything else and over 63 bits.
std::optional<std::uint64_t> number_field(base::ByteView block, std::size_t at, std::size_t size) {
  constexpr std::uint64_t kMax = (1ULL << 63) - 1;
  const base::ByteView field = block.subspan(at, size);
  std::uint64_t value = 0;
  if (field[0] == 0x80) {
    for (const std::uint8_t byte : field.subspan(1)) {
      if (value > kMax >> 8) return std::nullopt;
      value = value << 8 | byte;
    }
    return value;
  }
  std::string_view digits = text_field(block, at, size);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  digits = digits.substr(0, digits.find(' '));
  if (digits.empty()) return 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (error != std::errc() || end != digits.data() + digits.size() || value > kMax) return std::nullopt;
  return value;
}

std::uint64_t padding_of(std::uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

bool all_zero(base::ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// The records of one pax header; of two with one key the last counts.
struct PaxRecords {
  std::optional<std::string> name;
  std::optional<std::string> link;
  std::optional<std::uint64_t> size;
  bool sparse = false;
};

base::Result<> take_pax_record(std::string_view key, std::string_view value, PaxRecords& records) {
  if (key == "path") records.name = value;
  if (key == "linkpath") records.link = value;
  if (key.starts_with("GNU.sparse.")) records.sparse = true;
  if (key != "size") return {};
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
  if (error != std::errc() || end != value.data() + value.size() || size > kMaxSize) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("a pax header of the tar gives the size {}", quote(value)));
  }
  records.size = size;
  return {};
}

// "pax Header Block": records of the form "<length> <key>=<value>\n", where the length counts the whole
// record.
base::Result<PaxRecords> parse_pax(std::string_view text) {
  PaxRecords records;
  while (!text.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto key_at = static_cast<std::size_t>(end - text.data()) + 1;
    const bool sound = error == std::errc() && length > key_at && length <= text.size() && *end == ' ' &&
                       text[length - 1] == '\n';
    const std::string_view record = sound ? text.substr(key_at, length - key_at - 1) : std::string_view{};
    const std::size_t equals = record.find('=');
    if (equals == record.npos) {
      return fail(ErrorCode::kDataCorrupt, "a pax header of the tar has a broken record");
    }
    HF_CHECK(take_pax_record(record.substr(0, equals), record.substr(equals + 1), records));
    text.remove_prefix(length);
  }
  return records;
}

}  // namespace

struct TarReader::Header {
  base::Bytes block;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  [[nodiscard]] char type() const { return static_cast<char>(block[kTypeAt]); }
  [[nodiscard]] bool ustar() const {
    return as_text(block).substr(kMagicAt, 6) == std::string_view("ustar\0", 6);
  }
};

// What the headers before an entry's own say of it. As with Python, the first to speak is heard.
struct TarReader::Extensions {
  std::optional<std::string> name;
  std::optional<std::string> link;
  std::optional<std::uint64_t> size;
  bool sparse = false;
  bool contradiction = false;

  void set(std::optional<std::string>& what, std::optional<std::string> value) {
    contradiction = contradiction || (what && value && *what != *value);
    if (!what) what = std::move(value);
  }
};

bool is_tar_header(base::ByteView block) {
  if (block.size() < kBlock) return false;
  std::int64_t sum = 0;
  std::int64_t signed_sum = 0;  // some old writers', which Python takes too
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::uint8_t byte = i >= kSumAt && i < kSumAt + kSumSize ? std::uint8_t{' '} : block[i];
    sum += byte;
    signed_sum += static_cast<std::int8_t>(byte);
  }
  const auto said = number_field(block, kSumAt, kSumSize);
  return said && (std::cmp_equal(*said, sum) || std::cmp_equal(*said, signed_sum));
}

// Skips what is left of the entry before; absent at the archive's end.
base::Result<std::optional<TarReader::Header>> TarReader::next_header() {
  HF_CHECK(input_.skip(std::exchange(left_, 0)));
  HF_CHECK(input_.skip(std::exchange(padding_, 0)));
  const std::uint64_t at = input_.position();
  HF_TRY(base::ByteView block, input_.peek(kBlock));
  block = block.first(std::min(block.size(), kBlock));
  const bool zero = block.size() == kBlock && all_zero(block);
  if (zero || (block.empty() && at > 0)) return std::nullopt;
  if (!is_tar_header(block)) {
    // Python ends quietly at a header that is damaged, other readers look for the next.
    if (at == 0) return fail(ErrorCode::kDataCorrupt, "no tar archive: the first block is no header");
    anomalies_.add(AnomalyKind::kBadChecksum, at,
                   "a header's checksum is wrong: some readers end here, others go on");
    return std::nullopt;
  }
  const auto size = number_field(block, kSizeAt, 12);
  if (!size || *size > kMaxSize) {
    return fail(ErrorCode::kDataCorrupt, fmt::format("the tar header at byte {} gives no sound size", at));
  }
  Header header{.block = base::Bytes(block.begin(), block.end()), .offset = at, .size = *size};
  input_.consume(kBlock);
  return header;
}

base::Result<std::string> TarReader::read_extension(const Header& header) {
  if (header.size > kMaxExtensionBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the tar has an extension header of {} bytes, over the limit of {}", header.size,
                            kMaxExtensionBytes));
  }
  base::Bytes contents(static_cast<std::size_t>(header.size));
  HF_CHECK(input_.read_exactly(contents));
  HF_CHECK(input_.skip(padding_of(header.size)));
  return std::string(as_text(contents));
}

// True where the header extends the next one.
base::Result<bool> TarReader::extend(const Header& header, Extensions& extensions) {
  const char type = header.type();
  if (type == 'L' || type == 'K') {
    HF_TRY(std::string text, read_extension(header));
    text.resize(std::min(text.find('\0'), text.size()));
    extensions.set(type == 'L' ? extensions.name : extensions.link, std::move(text));
    return true;
  }
  if (type != 'x' && type != 'X' && type != 'g') return false;
  HF_TRY(const std::string text, read_extension(header));
  HF_TRY(PaxRecords pax, parse_pax(text));
  if (type == 'g') {
    if (!pax.name && !pax.link && !pax.size && !pax.sparse) return true;
    return fail(ErrorCode::kUnsupported,
                "a global pax header gives one name or size to all entries of the tar");
  }
  extensions.set(extensions.name, std::move(pax.name));
  extensions.set(extensions.link, std::move(pax.link));
  if (!extensions.size) extensions.size = pax.size;
  extensions.sparse = extensions.sparse || pax.sparse;
  return true;
}

// GNU's sparse map goes on in blocks of its own before the contents.
base::Result<> TarReader::skip_sparse_map(const Header& header) {
  bool more = header.block[kSparseMoreAt] != 0;
  while (more) {
    base::Bytes block(kBlock);
    HF_CHECK(input_.read_exactly(block));
    more = block[kSparseBlockMoreAt] != 0;
  }
  return {};
}

base::Result<TarEntry> TarReader::finish(const Header& header, const Extensions& extensions) {
  TarEntry entry{.name = std::string(text_field(header.block, 0, 100)),
                 .link = std::string(text_field(header.block, kLinkAt, 100)),
                 .size = extensions.size.value_or(header.size),
                 .offset = header.offset};
  const std::string_view prefix = text_field(header.block, kPrefixAt, 155);
  const char type = header.type();
  if (!prefix.empty() && type != 'S') entry.name = fmt::format("{}/{}", prefix, entry.name);
  if (extensions.name) entry.name = *extensions.name;
  if (extensions.link) entry.link = *extensions.link;
  switch (type) {
    case '1':
      entry.type = TarType::kHardLink;
      break;
    case '2':
      entry.type = TarType::kSymbolicLink;
      break;
    case '3':
    case '4':
    case '6':
      entry.type = TarType::kSpecialFile;
      break;
    case '5':
      entry.type = TarType::kFolder;
      break;
    case 'S':
      entry.type = TarType::kSparse;
      break;
    case '\0':  // version 7 marks a folder by its name
      if (text_field(header.block, 0, 100).ends_with('/')) entry.type = TarType::kFolder;
      break;
    default:
      break;
  }
  if (extensions.sparse) entry.type = TarType::kSparse;
  report(entry, header);
  const bool has_contents = entry.type == TarType::kFile || entry.type == TarType::kSparse;
  if (!has_contents) entry.size = 0;
  if (type == 'S') HF_CHECK(skip_sparse_map(header));
  entry.data_offset = input_.position();
  left_ = entry.size;
  padding_ = padding_of(entry.size);
  return entry;
}

void TarReader::report(const TarEntry& entry, const Header& header) {
  const auto add = [&](AnomalyKind kind, std::string_view what) {
    anomalies_.add(kind, header.offset, fmt::format("the entry {} {}", quote(entry.name), what));
  };
  constexpr std::string_view kKnownTypes(
      "\0"
      "01234567S",
      10);
  report_entry_name(entry.name, header.offset, anomalies_);
  switch (entry.type) {
    case TarType::kFile:
      break;
    case TarType::kFolder:
      break;
    case TarType::kSymbolicLink:
      add(AnomalyKind::kSymbolicLink, "is a symbolic link");
      break;
    case TarType::kHardLink:
      add(AnomalyKind::kHardLink, "is a hard link");
      break;
    case TarType::kSpecialFile:
      add(AnomalyKind::kSpecialFile, "is neither file nor folder");
      break;
    case TarType::kSparse:
      add(AnomalyKind::kUnsupported, "is sparse, its contents can't be put together");
      break;
  }
  if (entry.type == TarType::kSymbolicLink || entry.type == TarType::kHardLink) {
    report_link_target(entry.link, entry.name, header.offset, anomalies_);
  }
  if (kKnownTypes.find(header.type()) == kKnownTypes.npos) {
    add(AnomalyKind::kUnsupported, "is of an unknown type");
  }
  const bool has_contents = entry.type == TarType::kFile || entry.type == TarType::kSparse;
  if (!has_contents && entry.size > 0) {
    add(AnomalyKind::kSizeDiffers, "has contents to some readers and none to others");
  }
  if (!header.ustar() && header.type() != 'S' && !text_field(header.block, kPrefixAt, 155).empty()) {
    add(AnomalyKind::kNameDiffers, "has a name that some readers take the prefix from");
  }
  std::string_view name = entry.name;
  while (name.starts_with("./")) name.remove_prefix(2);
  while (name.ends_with('/')) name.remove_suffix(1);
  if (!name.empty() && !names_.insert(std::hash<std::string_view>{}(name)).second) {
    add(AnomalyKind::kDuplicateName, "stands more than once");
  }
}

base::Result<> TarReader::look_beyond_end() {
  bool trailing = false;
  for (;;) {
    const std::uint64_t at = input_.position();
    HF_TRY(base::ByteView block, input_.peek(kBlock));
    if (block.empty()) return {};
    block = block.first(std::min(block.size(), kBlock));
    if (is_tar_header(block)) {
      anomalies_.add(AnomalyKind::kHiddenEntry, at,
                     "an entry after the archive's end, which some readers go on to");
    } else if (!all_zero(block) && !std::exchange(trailing, true)) {
      anomalies_.add(AnomalyKind::kTrailingData, at, "bytes follow the archive's end");
    }
    input_.consume(block.size());
  }
}

base::Result<std::optional<TarEntry>> TarReader::next() {
  if (ended_) return std::nullopt;
  Extensions extensions;
  for (int i = 0; i <= kMaxExtensions; ++i) {
    HF_TRY(const std::optional<Header> header, next_header());
    if (!header) {
      ended_ = true;
      if (i > 0) {
        return fail(ErrorCode::kDataCorrupt, "the tar ends after an extension header, before its entry");
      }
      HF_CHECK(look_beyond_end());
      return std::nullopt;
    }
    HF_TRY(const bool extended, extend(*header, extensions));
    if (extended) continue;
    if (++entries_ > kMaxEntries) {
      return fail(ErrorCode::kLimitExceeded, fmt::format("the tar has more than {} entries", kMaxEntries));
    }
    if (extensions.contradiction) {
      anomalies_.add(AnomalyKind::kNameDiffers, header->offset,
                     "two extension headers give an entry different names");
    }
    HF_TRY(TarEntry entry, finish(*header, extensions));
    return entry;
  }
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("a tar entry has more than {} extension headers", kMaxExtensions));
}

base::Result<std::size_t> TarReader::read(base::MutableByteView buffer) {
  if (left_ == 0 || buffer.empty()) return 0;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
  HF_TRY(const std::size_t got, input_.read(buffer.first(wanted)));
  if (got == 0) return fail(ErrorCode::kDataCorrupt, "the tar is truncated within an entry");
  left_ -= got;
  return got;
}

}  // namespace holdfast::formats
