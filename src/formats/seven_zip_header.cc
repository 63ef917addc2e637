#include "formats/seven_zip_header.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

namespace {

// 7zFormat.txt, "Property IDs".
enum Id : std::uint64_t {
  kEnd = 0x00,
  kHeader = 0x01,
  kArchiveProperties = 0x02,
  kMainStreams = 0x04,
  kFiles = 0x05,
  kPackInfo = 0x06,
  kUnpackInfo = 0x07,
  kSubStreams = 0x08,
  kSize = 0x09,
  kCrc = 0x0A,
  kFolder = 0x0B,
  kUnpackSize = 0x0C,
  kCountOfStreams = 0x0D,
  kEmptyStream = 0x0E,
  kEmptyFile = 0x0F,
  kNames = 0x11,
  kAttributes = 0x15,
  kEncodedHeader = 0x17,
};

constexpr std::uint64_t kSignatureHeaderSize = 32;
constexpr std::size_t kMaxCoders = 8;  // of a folder; 7-Zip itself writes five at most
constexpr std::uint64_t kMaxSize = 1ULL << 62;

tl::unexpected<base::Error> broken(std::string_view what) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the 7z header is damaged: {}", what));
}

class Parser {
 public:
  explicit Parser(base::ByteView header) : left_(header) {}

  base::Result<SevenZipHeader> parse() {
    SevenZipHeader header;
    HF_TRY(std::uint64_t id, number());
    if (id == kEncodedHeader) {
      header.encoded = true;
      HF_CHECK(streams(header.folders));
      return header;
    }
    if (id != kHeader) return broken("it begins with no header");
    HF_TRY(id, number());
    if (id == kArchiveProperties) {
      HF_CHECK(skip_properties());
      HF_TRY(id, number());
    }
    if (id == kMainStreams) {
      HF_CHECK(streams(header.folders));
      HF_TRY(id, number());
    }
    if (id == kFiles) {
      HF_CHECK(files(header.files));
      HF_TRY(id, number());
    }
    if (id != kEnd) return fail(ErrorCode::kUnsupported, fmt::format("the 7z header has a part {:#x}", id));
    return header;
  }

 private:
  struct Bind {
    std::uint64_t in;
    std::uint64_t out;
  };
  // How a folder's coders hang together.
  struct Wiring {
    std::vector<std::size_t> order;  // in which they expand; empty where they are no chain
    std::size_t main = 0;            // whose output nobody reads: the folder's
  };

  base::Result<base::ByteView> take(std::uint64_t count) {
    if (count > left_.size()) return broken("it ends too soon");
    const base::ByteView taken = left_.first(static_cast<std::size_t>(count));
    left_ = left_.subspan(static_cast<std::size_t>(count));
    return taken;
  }
  base::Result<std::uint8_t> byte() {
    HF_TRY(const base::ByteView one, take(1));
    return one[0];
  }
  // As many bytes follow the first as it has leading ones.
  base::Result<std::uint64_t> number() {
    HF_TRY(const std::uint8_t first, byte());
    std::uint64_t value = 0;
    unsigned mask = 0x80;
    for (unsigned i = 0; i < 8; ++i, mask >>= 1U) {
      if ((first & mask) == 0) return value | (std::uint64_t{first & (mask - 1)} << (8 * i));
      HF_TRY(const std::uint8_t next, byte());
      value |= std::uint64_t{next} << (8 * i);
    }
    return value;
  }
  // Of something that takes at least a bit of header each, or that is bounded by `most`.
  base::Result<std::size_t> count(std::size_t most, std::string_view what) {
    HF_TRY(const std::uint64_t value, number());
    if (value <= most) return static_cast<std::size_t>(value);
    return fail(ErrorCode::kLimitExceeded, fmt::format("the 7z archive has more than {} {}", most, what));
  }
  base::Result<> expect(std::uint64_t id, std::string_view what) {
    HF_TRY(const std::uint64_t got, number());
    if (got != id) return broken(fmt::format("{} is not where it must be", what));
    return {};
  }
  base::Result<> not_external() {
    HF_TRY(const std::uint8_t external, byte());
    if (external != 0) return fail(ErrorCode::kUnsupported, "the 7z header keeps a part of itself elsewhere");
    return {};
  }
  base::Result<std::uint64_t> size_number() {
    HF_TRY(const std::uint64_t value, number());
    if (value > kMaxSize) return broken("a size is impossible");
    return value;
  }

  base::Result<std::vector<bool>> bits(std::size_t amount) {
    HF_TRY(const base::ByteView packed, take((amount + 7) / 8));
    std::vector<bool> flags(amount);
    for (std::size_t i = 0; i < amount; ++i) flags[i] = (packed[i / 8] & (0x80U >> (i % 8))) != 0;
    return flags;
  }
  base::Result<std::vector<bool>> bits_or_all(std::size_t amount) {
    HF_TRY(const std::uint8_t all, byte());
    if (all != 0) return std::vector<bool>(amount, true);
    return bits(amount);
  }
  base::Result<std::vector<std::optional<std::uint32_t>>> checksums(std::size_t amount) {
    HF_TRY(const std::vector<bool> defined, bits_or_all(amount));
    std::vector<std::optional<std::uint32_t>> sums(amount);
    for (std::size_t i = 0; i < amount; ++i) {
      if (!defined[i]) continue;
      HF_TRY(const base::ByteView sum, take(4));
      sums[i] = base::load_le<std::uint32_t>(sum);
    }
    return sums;
  }

  base::Result<> skip_properties() {
    for (;;) {
      HF_TRY(const std::uint64_t id, number());
      if (id == kEnd) return {};
      HF_TRY(const std::uint64_t size, number());
      HF_CHECK(take(size));
    }
  }

  base::Result<> streams(std::vector<SevenZipFolder>& folders) {
    HF_TRY(std::uint64_t id, number());
    if (id == kPackInfo) {
      HF_CHECK(pack_info());
      HF_TRY(id, number());
    }
    if (id == kUnpackInfo) {
      HF_CHECK(unpack_info(folders));
      HF_TRY(id, number());
    }
    for (SevenZipFolder& folder : folders) folder.sizes = {folder.unpack_size};
    if (id == kSubStreams) {
      HF_CHECK(sub_streams(folders));
      HF_TRY(id, number());
    }
    if (id != kEnd) return broken("its list of streams has no end");
    return {};
  }

  base::Result<> pack_info() {
    HF_TRY(const std::uint64_t position, size_number());
    pack_at_ = kSignatureHeaderSize + position;
    HF_TRY(const std::size_t amount, count(kMaxSevenZipFolders, "packed streams"));
    for (;;) {
      HF_TRY(const std::uint64_t id, number());
      if (id == kEnd) return {};
      if (id == kCrc) {
        HF_CHECK(checksums(amount));
        continue;
      }
      if (id != kSize) return broken("the list of packed streams holds something else");
      pack_sizes_.clear();
      for (std::size_t i = 0; i < amount; ++i) {
        HF_TRY(const std::uint64_t size, size_number());
        pack_sizes_.push_back(size);
      }
    }
  }

  base::Result<> unpack_info(std::vector<SevenZipFolder>& folders) {
    HF_CHECK(expect(kFolder, "the list of folders"));
    HF_TRY(const std::size_t amount, count(kMaxSevenZipFolders, "folders"));
    HF_CHECK(not_external());
    std::vector<Wiring> wirings;
    for (std::size_t i = 0; i < amount; ++i) {
      folders.emplace_back();
      HF_CHECK(folder(folders.back(), wirings.emplace_back()));
    }
    HF_CHECK(expect(kUnpackSize, "the list of unpacked sizes"));
    for (std::size_t i = 0; i < amount; ++i) HF_CHECK(unpack_sizes(folders[i], wirings[i]));
    HF_TRY(std::uint64_t id, number());
    if (id == kCrc) {
      HF_TRY(const auto sums, checksums(amount));
      for (std::size_t i = 0; i < amount; ++i) folders[i].checksums = {sums[i]};
      HF_TRY(id, number());
    }
    if (id != kEnd) return broken("the list of folders has no end");
    for (SevenZipFolder& folder : folders) folder.checksums.resize(1);
    return {};
  }

  base::Result<> folder(SevenZipFolder& folder, Wiring& wiring) {
    HF_TRY(const std::size_t amount, count(kMaxCoders, "coders in a folder"));
    if (amount == 0) return broken("a folder has no coder");
    std::uint64_t ins = 0;
    std::uint64_t outs = 0;
    for (std::size_t i = 0; i < amount; ++i) {
      HF_TRY(SevenZipCoder made, coder(ins, outs));
      folder.coders.push_back(std::move(made));
    }
    if (ins > 4 * kMaxCoders || outs != amount || ins + 1 < outs)
      return broken("a folder's coders have odd streams");
    std::vector<Bind> binds;
    for (std::uint64_t i = 0; i + 1 < outs; ++i) {
      HF_TRY(const std::uint64_t in, number());
      HF_TRY(const std::uint64_t out, number());
      binds.push_back({.in = in, .out = out});
    }
    const std::uint64_t packed = ins - binds.size();
    for (std::uint64_t i = 0; packed > 1 && i < packed; ++i) HF_CHECK(number());
    HF_CHECK(place(folder, packed));
    while (wiring.main < amount && std::ranges::find(binds, wiring.main, &Bind::out) != binds.end())
      ++wiring.main;
    if (wiring.main == amount) return broken("a folder gives nothing");
    if (ins == outs) wiring.order = chain(binds, amount);
    return {};
  }

  base::Result<SevenZipCoder> coder(std::uint64_t& ins, std::uint64_t& outs) {
    HF_TRY(const std::uint8_t flags, byte());
    if ((flags & 0xC0U) != 0)
      return fail(ErrorCode::kUnsupported, "the 7z archive has a coder of an unknown kind");
    HF_TRY(const base::ByteView id, take(flags & 0x0FU));
    if (id.size() > 8) return broken("a coder's id is too long");
    SevenZipCoder made;
    for (const std::uint8_t part : id) made.method = made.method << 8 | part;
    std::uint64_t its_ins = 1;
    std::uint64_t its_outs = 1;
    if ((flags & 0x10U) != 0) {
      HF_TRY(its_ins, count(4 * kMaxCoders, "streams into a coder"));
      HF_TRY(its_outs, count(4 * kMaxCoders, "streams out of a coder"));
    }
    ins += its_ins;
    outs += its_outs;
    if ((flags & 0x20U) != 0) {
      HF_TRY(const std::uint64_t size, number());
      HF_TRY(const base::ByteView properties, take(size));
      made.properties.assign(properties.begin(), properties.end());
    }
    return made;
  }

  // The next `amount` packed streams are the folder's.
  base::Result<> place(SevenZipFolder& folder, std::uint64_t amount) {
    folder.pack_offset = pack_at_;
    for (std::uint64_t i = 0; i < amount; ++i) {
      if (next_pack_ >= pack_sizes_.size()) return broken("a folder has no packed stream");
      const std::uint64_t size = pack_sizes_[next_pack_++];
      if (pack_at_ > kMaxSize) return broken("the packed streams are impossibly large");
      pack_at_ += size;
      folder.pack_size += size;
    }
    return {};
  }

  // Each coder has one stream in and one out. The first is the one whose input nothing feeds.
  static std::vector<std::size_t> chain(const std::vector<Bind>& binds, std::size_t amount) {
    const auto fed_by = [&](std::uint64_t out) {
      return std::ranges::find(binds, out, &Bind::out);  // who reads what `out` gives
    };
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < amount; ++i) {
      if (std::ranges::find(binds, i, &Bind::in) == binds.end()) order.push_back(i);
    }
    if (order.size() != 1) return {};
    while (order.size() < amount) {
      const auto next = fed_by(order.back());
      if (next == binds.end() || next->in >= amount || std::ranges::count(order, next->in) > 0) return {};
      order.push_back(static_cast<std::size_t>(next->in));
    }
    return order;
  }

  base::Result<> unpack_sizes(SevenZipFolder& folder, const Wiring& wiring) {
    for (SevenZipCoder& coder : folder.coders) {
      HF_TRY(coder.unpack_size, size_number());
    }
    folder.unpack_size = folder.coders[wiring.main].unpack_size;
    std::vector<SevenZipCoder> ordered;
    for (const std::size_t i : wiring.order) ordered.push_back(std::move(folder.coders[i]));
    folder.chained = !ordered.empty();
    if (folder.chained) folder.coders = std::move(ordered);
    return {};
  }

  base::Result<> sub_streams(std::vector<SevenZipFolder>& folders) {
    HF_TRY(std::uint64_t id, number());
    std::size_t total = 0;
    if (id == kCountOfStreams) {
      for (SevenZipFolder& folder : folders) {
        HF_TRY(const std::size_t amount, count(kMaxSevenZipEntries - total, "files"));
        total += amount;
        folder.sizes.assign(amount, 0);
      }
      HF_TRY(id, number());
    }
    for (SevenZipFolder& folder : folders) HF_CHECK(sub_sizes(folder, id == kSize));
    if (id == kSize) {
      HF_TRY(id, number());
    }
    HF_CHECK(sub_checksums(folders, id == kCrc));
    if (id == kCrc) {
      HF_TRY(id, number());
    }
    if (id != kEnd) return broken("the list of files' streams has no end");
    return {};
  }

  base::Result<> sub_sizes(SevenZipFolder& folder, bool listed) {
    std::uint64_t left = folder.unpack_size;
    for (std::size_t i = 0; i < folder.sizes.size(); ++i) {
      const bool last = i + 1 == folder.sizes.size();
      if (!last && !listed) return broken("the sizes of files are missing");
      if (!last) {
        HF_TRY(folder.sizes[i], size_number());
      }
      if (last) folder.sizes[i] = left;
      if (folder.sizes[i] > left) return broken("files are larger than what they are packed in");
      left -= folder.sizes[i];
    }
    return {};
  }

  base::Result<> sub_checksums(std::vector<SevenZipFolder>& folders, bool listed) {
    std::size_t unknown = 0;
    const auto known = [](const SevenZipFolder& folder) {
      return folder.sizes.size() == 1 && folder.checksums.size() == 1 && folder.checksums[0].has_value();
    };
    for (const SevenZipFolder& folder : folders) unknown += known(folder) ? 0 : folder.sizes.size();
    std::vector<std::optional<std::uint32_t>> sums(unknown);
    if (listed) {
      HF_TRY(sums, checksums(unknown));
    }
    auto next = sums.begin();
    for (SevenZipFolder& folder : folders) {
      if (known(folder)) continue;
      const auto end = next + static_cast<std::ptrdiff_t>(folder.sizes.size());
      folder.checksums.assign(next, end);
      next = end;
    }
    return {};
  }

  base::Result<> files(std::vector<SevenZipFile>& files) {
    HF_TRY(const std::size_t amount, count(kMaxSevenZipEntries, "files"));
    files.resize(amount);
    std::vector<bool> empty_file;
    for (;;) {
      HF_TRY(const std::uint64_t id, number());
      if (id == kEnd) break;
      HF_TRY(const std::uint64_t size, number());
      HF_TRY(const base::ByteView data, take(size));
      Parser part(data);
      if (id == kEmptyStream) {
        HF_TRY(const auto flags, part.bits(amount));
        for (std::size_t i = 0; i < amount; ++i) files[i].has_stream = !flags[i];
      } else if (id == kEmptyFile) {
        const auto empties = std::ranges::count(files, false, &SevenZipFile::has_stream);
        HF_TRY(empty_file, part.bits(static_cast<std::size_t>(empties)));
      } else if (id == kNames) {
        HF_CHECK(part.names(files));
      } else if (id == kAttributes) {
        HF_CHECK(part.attributes(files));
      }
    }
    std::size_t empties = 0;
    for (SevenZipFile& file : files) {
      if (file.has_stream) continue;
      file.folder = empties >= empty_file.size() || !empty_file[empties];
      ++empties;
    }
    return {};
  }

  base::Result<> names(std::vector<SevenZipFile>& files) {
    HF_CHECK(not_external());
    for (SevenZipFile& file : files) {
      for (;;) {
        HF_TRY(const std::uint32_t character, utf16());
        if (character == 0) break;
        append_utf8(character, file.name);
      }
    }
    return {};
  }

  // A surrogate without its partner stands for itself, which is no UTF-8: a name that isn't text stays so.
  base::Result<std::uint32_t> utf16() {
    HF_TRY(const base::ByteView unit, take(2));
    const std::uint32_t high = base::load_le<std::uint16_t>(unit);
    if (high < 0xD800 || high > 0xDBFF || left_.size() < 2) return high;
    const std::uint32_t low = base::load_le<std::uint16_t>(left_);
    if (low < 0xDC00 || low > 0xDFFF) return high;
    HF_CHECK(take(2));
    return 0x10000 + ((high - 0xD800) << 10U) + (low - 0xDC00);
  }

  static void append_utf8(std::uint32_t character, std::string& text) {
    const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (character < 0x80) return put(character);
    if (character < 0x800) {
      put(0xC0U | character >> 6U);
    } else {
      if (character < 0x10000) {
        put(0xE0U | character >> 12U);
      } else {
        put(0xF0U | character >> 18U);
        put(0x80U | (character >> 12U & 0x3FU));
      }
      put(0x80U | (character >> 6U & 0x3FU));
    }
    put(0x80U | (character & 0x3FU));
  }

  base::Result<> attributes(std::vector<SevenZipFile>& files) {
    HF_TRY(const std::vector<bool> defined, bits_or_all(files.size()));
    HF_CHECK(not_external());
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (!defined[i]) continue;
      HF_TRY(const base::ByteView value, take(4));
      files[i].attributes = base::load_le<std::uint32_t>(value);
    }
    return {};
  }

  base::ByteView left_;
  std::uint64_t pack_at_ = kSignatureHeaderSize;
  std::vector<std::uint64_t> pack_sizes_;
  std::size_t next_pack_ = 0;
};

}  // namespace

base::Result<SevenZipHeader> parse_seven_zip_header(base::ByteView header) { return Parser(header).parse(); }

}  // namespace holdfast::formats
