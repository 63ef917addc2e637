#include "formats/seven_zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <set>
#include <vector>

#include "formats/codec.h"
#include "formats/entry_names.h"
#include "formats/inflate.h"
#include "formats/seven_zip_header.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

namespace {

using namespace seven_zip_method;

constexpr std::string_view kSignature = "7z\xBC\xAF\x27\x1C";
constexpr std::uint64_t kSignatureHeaderSize = 32;
constexpr int kMaxHeaderLevels = 4;  // of headers packed in headers; 7-Zip writes one

struct Span {
  std::uint64_t begin;
  std::uint64_t end;
};

std::uint32_t crc_of(base::ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
}

// What a folder unpacks to. Each stage reads from the one before, so they end in the opposite order.
class FolderStream final : public Stream {
 public:
  static base::Result<std::unique_ptr<FolderStream>> open(const Source& source, const SevenZipFolder& folder,
                                                          const DecompressLimits& limits) {
    HF_CHECK(understood(folder));
    HF_TRY(const RangeSource range, RangeSource::create(source, folder.pack_offset, folder.pack_size));
    auto made = std::make_unique<FolderStream>(range);
    for (std::size_t i = 0; i < folder.coders.size();) {
      std::size_t end = i + 1;
      const std::uint64_t method = folder.coders[i].method;
      if (method == kLzma || method == kLzma2) {
        while (end < folder.coders.size() && is_lzma_filter(folder.coders[end].method)) ++end;
      }
      HF_CHECK(made->add({folder.coders.data() + i, end - i}, limits));
      i = end;
    }
    return made;
  }
  explicit FolderStream(const RangeSource& range) : range_(range), packed_(range_) {}
  ~FolderStream() override {
    while (!stages_.empty()) stages_.pop_back();
  }
  FolderStream(const FolderStream&) = delete;
  FolderStream& operator=(const FolderStream&) = delete;

  base::Result<std::size_t> read(base::MutableByteView buffer) override { return top().read(buffer); }

 private:
  static base::Result<> understood(const SevenZipFolder& folder) {
    for (const SevenZipCoder& coder : folder.coders) {
      if (coder.method == kAes)
        return fail(ErrorCode::kPermissionDenied, "it is encrypted, so what it holds was not seen");
    }
    if (folder.chained) return {};
    return fail(ErrorCode::kUnsupported,
                "it is packed by coders of several streams (BCJ2), which can't be read here");
  }

  Stream& top() { return stages_.empty() ? packed_ : *stages_.back(); }

  base::Result<> add(std::span<const SevenZipCoder> coders, const DecompressLimits& limits) {
    switch (coders[0].method) {
      case kCopy:
        return {};
      case kLzma:
      case kLzma2: {
        HF_TRY(auto codec, make_raw_lzma_codec(coders));
        stages_.push_back(decompress_by(std::move(codec), top(), limits));
        return {};
      }
      case kDeflate: {
        HF_TRY(auto inflated, InflateStream::open(top(), DeflateFormat::kRaw, limits));
        stages_.push_back(std::make_unique<InflateStream>(std::move(inflated)));
        return {};
      }
      case kBzip2:
      case kZstd: {
        const Format format = coders[0].method == kBzip2 ? Format::kBzip2 : Format::kZstd;
        HF_TRY(auto expanded, open_decompressor(format, top(), limits));
        stages_.push_back(std::move(expanded));
        return {};
      }
      default:
        return fail(
            ErrorCode::kUnsupported,
            fmt::format("it is packed by the 7z method {:X}, which can't be read here", coders[0].method));
    }
  }

  RangeSource range_;
  SourceStream packed_;
  std::vector<std::unique_ptr<Stream>> stages_;
};

// The whole of a folder that holds a header.
base::Result<base::Bytes> unpack_header(const Source& source, const SevenZipFolder& folder,
                                        const DecompressLimits& limits) {
  const std::uint64_t size = folder.unpack_size;
  if (size > SevenZipReader::kMaxHeaderBytes) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("the 7z archive has a header of {} bytes", size));
  }
  HF_TRY(const auto stream, FolderStream::open(source, folder, limits));
  base::Bytes header(static_cast<std::size_t>(size));
  for (std::size_t have = 0; have < header.size();) {
    HF_TRY(const std::size_t got, stream->read(base::MutableByteView(header).subspan(have)));
    if (got == 0) return fail(ErrorCode::kDataCorrupt, "the 7z header is truncated");
    have += got;
  }
  if (!folder.checksums.empty() && folder.checksums[0] && *folder.checksums[0] != crc_of(header)) {
    return fail(ErrorCode::kDataCorrupt, "the 7z header does not match its checksum");
  }
  return header;
}

void report_coverage(const Source& source, std::vector<Span> spans, Anomalies& anomalies) {
  std::ranges::sort(spans, {}, &Span::begin);
  std::uint64_t covered = kSignatureHeaderSize;
  for (const Span& span : spans) {
    if (span.end == span.begin) continue;
    if (span.begin < covered)
      anomalies.add(AnomalyKind::kOverlap, span.begin, "two parts of the archive share bytes");
    if (span.begin > covered) {
      anomalies.add(AnomalyKind::kGap, covered,
                    fmt::format("{} bytes that belong to no entry", span.begin - covered));
    }
    covered = std::max(covered, span.end);
  }
  if (covered < source.size()) {
    anomalies.add(AnomalyKind::kTrailingData, covered, "bytes follow the end of the archive");
  }
}

}  // namespace

struct SevenZipReader::State {
  State(const Source& its_source, const DecompressLimits& its_limits)
      : source(its_source), limits(its_limits) {}

  base::Result<> read_header();
  base::Result<> check_sizes();
  void report_files();
  void enter_folder();
  void finish_entry();

  const Source& source;
  DecompressLimits limits;
  SevenZipHeader header;
  Anomalies anomalies;
  std::size_t next_file = 0;
  std::size_t folder = 0;     // whose streams are next
  std::size_t in_folder = 0;  // which of them
  std::unique_ptr<FolderStream> stream;
  std::optional<base::Error> fault;  // of the folder
  std::string name;                  // of the entry at hand
  std::uint64_t left = 0;
  std::optional<std::uint32_t> checksum;
  uLong crc = 0;
};

base::Result<> SevenZipReader::State::read_header() {
  HF_TRY(const base::Bytes start, read_exactly(source, 0, kSignatureHeaderSize));
  const base::ByteView view(start);
  if (!base::as_text(view).starts_with(kSignature)) return fail(ErrorCode::kDataCorrupt, "no 7z archive");
  if (base::load_le<std::uint32_t>(view.subspan(8)) != crc_of(view.subspan(12))) {
    return fail(ErrorCode::kDataCorrupt, "the start of the 7z archive does not match its checksum");
  }
  const auto offset = base::load_le<std::uint64_t>(view.subspan(12));
  const auto size = base::load_le<std::uint64_t>(view.subspan(20));
  if (offset > source.size() || size > source.size())
    return fail(ErrorCode::kDataCorrupt, "the file is truncated");
  if (size > kMaxHeaderBytes) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("the 7z archive has a header of {} bytes", size));
  }
  std::vector<Span> spans = {{kSignatureHeaderSize + offset, kSignatureHeaderSize + offset + size}};
  HF_TRY(base::Bytes bytes, read_exactly(source, spans[0].begin, static_cast<std::size_t>(size)));
  if (base::load_le<std::uint32_t>(view.subspan(28)) != crc_of(bytes)) {
    return fail(ErrorCode::kDataCorrupt, "the 7z header does not match its checksum");
  }
  for (int level = 0; !bytes.empty(); ++level) {
    HF_TRY(header, parse_seven_zip_header(bytes));
    for (const SevenZipFolder& its : header.folders)
      spans.push_back({its.pack_offset, its.pack_offset + its.pack_size});
    if (!header.encoded) break;
    if (level == kMaxHeaderLevels)
      return fail(ErrorCode::kLimitExceeded, "the 7z header is packed too often");
    if (header.folders.size() != 1) return fail(ErrorCode::kDataCorrupt, "the packed 7z header is damaged");
    HF_TRY(bytes, unpack_header(source, header.folders[0], limits));
    header = {};
  }
  report_coverage(source, std::move(spans), anomalies);
  return {};
}

base::Result<> SevenZipReader::State::check_sizes() {
  std::size_t streams = 0;
  for (const SevenZipFolder& its : header.folders) {
    if (its.pack_offset > source.size() || its.pack_size > source.size() - its.pack_offset) {
      return fail(ErrorCode::kDataCorrupt,
                  "the 7z archive is truncated: a packed stream reaches beyond its end");
    }
    streams += its.sizes.size();
  }
  const auto files = std::ranges::count(header.files, true, &SevenZipFile::has_stream);
  if (std::cmp_equal(streams, files)) return {};
  return fail(ErrorCode::kDataCorrupt,
              fmt::format("the 7z archive names {} files and holds the contents of {}", files, streams));
}

void SevenZipReader::State::report_files() {
  constexpr std::uint32_t kUnixExtension = 0x8000;  // 7-Zip's CPP/7zip/Common/..: the mode in the upper half
  constexpr std::uint32_t kReparsePoint = 0x400;    // Windows' FILE_ATTRIBUTE_REPARSE_POINT
  std::set<std::string_view> names;
  for (const SevenZipFile& file : header.files) {
    report_entry_name(file.name, 0, anomalies);
    if ((file.attributes & kUnixExtension) != 0)
      report_file_type(file.attributes >> 16U, file.name, 0, anomalies);
    if ((file.attributes & kReparsePoint) != 0) {
      anomalies.add(AnomalyKind::kSymbolicLink, 0, fmt::format("the entry {} is a link", quote(file.name)));
    }
    if (!names.insert(file.name).second) {
      anomalies.add(AnomalyKind::kDuplicateName, 0,
                    fmt::format("the entry {} stands more than once", quote(file.name)));
    }
  }
  for (const SevenZipFolder& its : header.folders) {
    if (std::ranges::find(its.coders, kAes, &SevenZipCoder::method) == its.coders.end()) continue;
    anomalies.add(AnomalyKind::kEncrypted, its.pack_offset,
                  fmt::format("{} files are encrypted", its.sizes.size()));
  }
}

// Goes to the folder that holds the next file's contents: some hold none.
void SevenZipReader::State::enter_folder() {
  while (in_folder >= header.folders[folder].sizes.size()) {
    ++folder;
    in_folder = 0;
    stream.reset();
    fault.reset();
  }
  if (in_folder > 0 || stream || fault) return;
  auto opened = FolderStream::open(source, header.folders[folder], limits);
  if (opened) {
    stream = *std::move(opened);
  } else {
    fault = std::move(opened).error();
  }
}

void SevenZipReader::State::finish_entry() {
  if (checksum && *checksum != static_cast<std::uint32_t>(crc)) {
    anomalies.add(AnomalyKind::kBadChecksum, 0,
                  fmt::format("the contents of the entry {} don't match their checksum", quote(name)));
  }
  checksum.reset();
}

SevenZipReader::SevenZipReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SevenZipReader::SevenZipReader(SevenZipReader&&) noexcept = default;
SevenZipReader& SevenZipReader::operator=(SevenZipReader&&) noexcept = default;
SevenZipReader::~SevenZipReader() = default;

base::Result<SevenZipReader> SevenZipReader::open(const Source& source, const DecompressLimits& limits) {
  auto state = std::make_unique<State>(source, limits);
  HF_CHECK(state->read_header());
  HF_CHECK(state->check_sizes());
  state->report_files();
  return SevenZipReader(std::move(state));
}

std::optional<SevenZipEntry> SevenZipReader::next() {
  State& state = *state_;
  base::Bytes rest(state.left > 0 && !state.fault ? 64UL << 10 : 0);
  while (!rest.empty()) {
    const auto got = read(rest);
    if (!got || *got == 0) break;
  }
  if (state.next_file == state.header.files.size()) return std::nullopt;
  const SevenZipFile& file = state.header.files[state.next_file++];
  state.name = file.name;
  state.left = 0;
  state.checksum.reset();
  if (file.has_stream) {
    state.enter_folder();
    const SevenZipFolder& folder = state.header.folders[state.folder];
    state.left = folder.sizes[state.in_folder];
    state.checksum = folder.checksums[state.in_folder];
    state.crc = ::crc32(0, nullptr, 0);
    ++state.in_folder;
  }
  return SevenZipEntry{.name = file.name, .folder = file.folder, .size = state.left};
}

base::Result<std::size_t> SevenZipReader::read(base::MutableByteView buffer) {
  State& state = *state_;
  if (buffer.empty()) return 0;
  if (state.left == 0) {
    state.finish_entry();
    return 0;
  }
  if (state.fault) return fail(*state.fault);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), state.left));
  auto got = state.stream->read(buffer.first(wanted));
  if (!got) {
    state.fault = got.error();
  } else if (*got == 0) {
    state.fault = base::Error{ErrorCode::kDataCorrupt, "the packed data ends before the files in it do"};
  }
  if (state.fault) return fail(*state.fault);
  state.left -= *got;
  state.crc = ::crc32_z(state.crc, buffer.data(), *got);
  return got;
}

const Anomalies& SevenZipReader::anomalies() const { return state_->anomalies; }

}  // namespace holdfast::formats
