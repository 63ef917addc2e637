#include "formats/sniff.h"

#include <algorithm>
#include <array>

#include "formats/decompressor.h"
#include "formats/entry_names.h"
#include "formats/inflate.h"
#include "formats/pickle_start.h"
#include "formats/protobuf.h"
#include "formats/tar.h"
#include "formats/zip_directory.h"

namespace holdfast::formats {

using base::as_text;
using base::load_le;

namespace {

using namespace std::string_view_literals;

// In the order of Format.
constexpr std::array<std::string_view, 37> kNames = {"pickle",
                                                     "zip",
                                                     "tar",
                                                     "gzip",
                                                     "zlib",
                                                     "joblib-zfile",
                                                     "bzip2",
                                                     "xz",
                                                     "lzma",
                                                     "zstd",
                                                     "lz4",
                                                     "7z",
                                                     "npy",
                                                     "safetensors",
                                                     "onnx",
                                                     "saved-model",
                                                     "tf-graph",
                                                     "keras-metadata",
                                                     "saved-model-fingerprint",
                                                     "tf-checkpoint-index",
                                                     "coreml",
                                                     "catboost",
                                                     "ubjson",
                                                     "gguf",
                                                     "hdf5",
                                                     "tflite",
                                                     "elf",
                                                     "pe",
                                                     "mach-o",
                                                     "python-bytecode",
                                                     "pdf",
                                                     "png",
                                                     "jpeg",
                                                     "json",
                                                     "python",
                                                     "text",
                                                     "unknown"};
static_assert(kNames.size() == static_cast<std::size_t>(Format::kUnknown) + 1);

struct Magic {
  std::string_view bytes;
  Format format;
  std::size_t offset = 0;
};

constexpr std::string_view kHdf5Magic = "\x89HDF\r\n\x1A\n";

// Signatures that are one format's alone.
constexpr std::array kMagics = {
    Magic{"PK\3\4"sv, Format::kZip},
    Magic{"PK\5\6"sv, Format::kZip},
    Magic{"\x1F\x8B"sv, Format::kGzip},
    Magic{"BZh"sv, Format::kBzip2},
    Magic{"\xFD"
          "7zXZ\0"sv,
          Format::kXz},
    Magic{"\x28\xB5\x2F\xFD"sv, Format::kZstd},
    Magic{"\x04\x22\x4D\x18"sv, Format::kLz4},
    Magic{"7z\xBC\xAF\x27\x1C"sv, Format::kSevenZip},
    Magic{"\x93NUMPY"sv, Format::kNpy},
    Magic{"GGUF"sv, Format::kGguf},
    Magic{"CBM1"sv, Format::kCatboost},
    Magic{"{L\0\0\0\0\0\0\0\7learner"sv, Format::kUbjson},
    Magic{"{L\0\0\0\0\0\0\0\7version"sv, Format::kUbjson},
    Magic{"TFL3"sv, Format::kTflite, 4},
    Magic{"\x7F"
          "ELF"sv,
          Format::kElf},
    Magic{"MZ"sv, Format::kPe},
    Magic{"\xFE\xED\xFA\xCE"sv, Format::kMachO},
    Magic{"\xFE\xED\xFA\xCF"sv, Format::kMachO},
    Magic{"\xCE\xFA\xED\xFE"sv, Format::kMachO},
    Magic{"\xCF\xFA\xED\xFE"sv, Format::kMachO},
    Magic{"\xCA\xFE\xBA\xBE"sv, Format::kMachO},
    Magic{"\xCA\xFE\xBA\xBF"sv, Format::kMachO},
    Magic{"%PDF-"sv, Format::kPdf},
    Magic{"\x89PNG\r\n\x1A\n"sv, Format::kPng},
    Magic{"\xFF\xD8\xFF"sv, Format::kJpeg},
    Magic{kHdf5Magic, Format::kHdf5},
};

// A zlib header (RFC 1950 section 2.2) has 10 bits of check: expand a little to be sure.
bool is_zlib(base::ByteView head) {
  if (head.size() < 2 || (head[0] & 0x0FU) != 8 || head[0] >> 4 > 7) return false;
  if (base::load_be<std::uint16_t>(head) % 31 != 0) return false;
  const MemorySource source(head);
  SourceStream input(source);
  auto stream = InflateStream::open(input, DeflateFormat::kZlib);
  if (!stream) return true;
  std::array<std::uint8_t, 64> out{};
  const auto got = stream->read(out);
  return got && (*got > 0 || stream->consumed() > 2);
}

// Expands a little to be sure: the header alone has no check.
bool is_lzma(base::ByteView head) {
  if (!is_lzma_alone(head)) return false;
  const MemorySource source(head);
  SourceStream input(source);
  auto stream = open_decompressor(Format::kLzma, input);
  std::array<std::uint8_t, 64> out{};
  const auto got = stream ? (*stream)->read(out) : base::Result<std::size_t>(0);
  if (!got) return got.error().code == base::ErrorCode::kUnsupported;  // a dictionary too large to hold
  return *got > 0;
}

// joblib's format before 0.10 (joblib/numpy_pickle_compat.py, read_zfile): "ZF" and a length as Python writes
// hexadecimal numbers.
bool is_zfile(base::ByteView head) { return as_text(head).starts_with("ZF0x"); }

// A magic number of CPython's (Lib/importlib/_bootstrap_external.py), a header whose length went from 8 to 12
// to 16 bytes with Python 3.3 and 3.7, then a code object as marshal writes it.
bool is_pyc(base::ByteView head) {
  constexpr std::uint16_t kPython30 = 3000;
  constexpr std::uint16_t kPython33 = 3190;
  constexpr std::uint16_t kPython37 = 3390;
  constexpr std::uint16_t kPython40 = 4500;
  constexpr std::uint16_t kPython20 = 50823;
  constexpr std::uint16_t kAfterPython27 = 62300;
  if (head.size() < 4 || head[2] != '\r' || head[3] != '\n') return false;
  const auto magic = load_le<std::uint16_t>(head);
  const bool old = magic >= kPython20 && magic < kAfterPython27;
  if (!old && (magic < kPython30 || magic >= kPython40)) return false;
  const std::size_t header = old || magic < kPython33 ? 8 : magic < kPython37 ? 12 : 16;
  return head.size() > header && (head[header] & 0x7FU) == 'c';
}

bool is_safetensors(base::ByteView head, std::optional<std::uint64_t> size) {
  if (head.size() < 9 || head[8] != '{') return false;
  constexpr std::uint64_t kFormatsOwnLimit = 100'000'000;
  const auto header = load_le<std::uint64_t>(head);
  return header >= 2 && header <= kFormatsOwnLimit && (!size || header <= *size - 8);
}

bool is_text(base::ByteView head) {
  const bool control = std::ranges::any_of(head, [](std::uint8_t byte) {
    return byte == 0x7F || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\f');
  });
  if (control || head.empty()) return false;
  // A head may end within a character.
  const std::string_view text = as_text(head);
  for (std::size_t cut = 0; cut < std::min<std::size_t>(4, text.size()); ++cut) {
    if (is_utf8(text.substr(0, text.size() - cut))) return true;
  }
  return false;
}

bool is_json(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto skip_space = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  };
  skip_space();
  const std::string_view may_follow = text.starts_with('{')   ? "\"}"sv
                                      : text.starts_with('[') ? "[{\"]-0123456789tfn"sv
                                                              : ""sv;
  if (may_follow.empty()) return false;
  text.remove_prefix(1);
  skip_space();
  return !text.empty() && may_follow.find(text.front()) != may_follow.npos;
}

bool is_python(std::string_view text) {
  if (text.starts_with("#!") && text.substr(0, text.find('\n')).find("python") != text.npos) return true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool defines =
        line.starts_with("def ") || line.starts_with("class ") || line.starts_with("async def ");
    if (defines && line.find(':') != line.npos) return true;
    if (line.starts_with("import ") && line.find_first_of("{}();\"'") == line.npos) return true;
    if (line.starts_with("from ") && line.find(" import ") != line.npos) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

// Fields of the outermost message: onnx.proto's ModelProto, or TensorFlow's saved_model.proto, graph.proto
// and saved_metadata.proto, or Core ML's Model.proto.
struct Outline {
  bool graph = false;         // ModelProto.graph = 7
  bool versioned = false;     // ModelProto.ir_version = 1, SavedModel.saved_model_schema_version = 1
  bool opsets = false;        // ModelProto.opset_import = 8
  bool meta_graphs = false;   // SavedModel.meta_graphs = 2, which begins with MetaGraphDef.meta_info_def = 1
  bool nodes = false;         // GraphDef.node = 1, with NodeDef.name = 1 and .op = 2
  bool objects = false;       // SavedMetadata.nodes = 1, with SavedObject.node_id = 2 and .metadata = 5
  bool core_ml = false;       // Model's kind, a oneof from 200 on
  bool others = false;        // than SavedModel has
  bool beyond_graph = false;  // than GraphDef has: node 1, library 2, version 3, versions 4
};

// A GraphDef's node or a SavedMetadata's, by the fields of a first one.
void note_node(const WireReader& reader, const WireField& field, Outline& outline) {
  auto inner = reader.message(field);
  bool named = false;
  bool op = false;
  bool id = false;
  bool metadata = false;
  for (int fields = 0; inner && fields < 8; ++fields) {
    const auto part = inner->next();
    if (!part || !*part) break;
    const bool bytes = (*part)->type == WireType::kBytes;
    named |= (*part)->number == 1 && bytes;
    op |= (*part)->number == 2 && bytes;
    id |= (*part)->number == 2 && (*part)->type == WireType::kVarint;
    metadata |= (*part)->number == 5 && bytes;
  }
  outline.nodes |= named && op;
  outline.objects |= metadata && !named && (id || !op);
}

// Whether a field begins as a GraphProto does; TensorFlow's FingerprintDef has digits in field 7. True where
// the beginning can't be seen.
bool begins_like_graph(const WireReader& reader, const WireField& field) {
  auto inner = reader.message(field);
  const auto tag = inner ? inner->varint() : base::Result<std::uint64_t>(0);
  if (!tag || *tag == 0) return true;
  const std::uint64_t number = *tag >> 3;
  const bool in_graph = number == 1 || number == 2 || number == 5 || (number >= 10 && number <= 16);
  return in_graph && (*tag & 7) == static_cast<std::uint64_t>(WireType::kBytes);
}

void note_field(const WireReader& reader, const WireField& field, Outline& outline) {
  const bool bytes = field.type == WireType::kBytes;
  if (field.number > 4) outline.beyond_graph = true;
  if (field.number >= 200 && bytes) outline.core_ml = true;
  if (field.number == 1 && field.type == WireType::kVarint) {
    outline.versioned = true;
  } else if (field.number == 1 && bytes && !outline.nodes && !outline.objects) {
    note_node(reader, field, outline);
    outline.others = true;
  } else if (field.number == 7 && bytes) {
    outline.graph |= field.value == 0 || begins_like_graph(reader, field);
  } else if (field.number == 8 && bytes) {
    outline.opsets = true;
  } else if (field.number == 2 && bytes) {
    auto inner = reader.message(field);
    const auto first = inner ? inner->next() : base::Result<std::optional<WireField>>();
    outline.meta_graphs |= first && *first && (*first)->number == 1 && (*first)->type == WireType::kBytes;
  } else {
    outline.others = true;
  }
}

// The start of something longer, as if it had no end: fields may reach beyond the head.
class Endless final : public Source {
 public:
  explicit Endless(base::ByteView head) : head_(head) {}
  [[nodiscard]] std::uint64_t size() const override { return 1ULL << 62; }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override {
    return head_.read_at(offset, buffer);
  }

 private:
  MemorySource head_;
};

// `known` bytes of the source are there; a fault beyond them is not the message's.
std::optional<Format> protobuf_model(const Source& source, std::uint64_t known) {
  constexpr int kMaxFields = 10'000;
  WireBuffer buffer(source);
  WireReader reader(buffer);
  Outline outline;
  for (int fields = 0; fields < kMaxFields && reader.offset() < known; ++fields) {
    const auto field = reader.next();
    if (!field || !*field) return std::nullopt;
    note_field(reader, **field, outline);
  }
  if (outline.graph && (outline.versioned || outline.opsets)) return Format::kOnnx;
  const bool only_saved_model = !outline.others && !outline.opsets;
  if (outline.versioned && outline.meta_graphs && only_saved_model) return Format::kSavedModel;
  if (outline.versioned && outline.core_ml && outline.others) return Format::kCoreMl;
  if (outline.versioned || outline.beyond_graph) return std::nullopt;
  if (outline.nodes) return Format::kGraphDef;
  if (outline.objects) return Format::kKerasMetadata;
  return std::nullopt;
}

void add(std::vector<Format>& formats, Format format) {
  if (std::ranges::find(formats, format) == formats.end()) formats.push_back(format);
}

// fingerprint.pb beside a SavedModel (tensorflow/core/protobuf/fingerprint.proto): five hashes, a version and
// digits, which no loader acts on.
bool is_fingerprint(const Source& source) {
  constexpr std::uint64_t kMaxBytes = 4096;
  if (source.size() == 0 || source.size() > kMaxBytes) return false;
  WireBuffer buffer(source);
  WireReader reader(buffer);
  int hashes = 0;
  for (;;) {
    const auto field = reader.next();
    if (!field) return false;
    if (!*field) return hashes >= 4;
    const bool hash = (*field)->number <= 5 && (*field)->type == WireType::kVarint;
    const bool rest = ((*field)->number == 6 || (*field)->number == 7) && (*field)->type == WireType::kBytes;
    if (!hash && !rest) return false;
    hashes += hash ? 1 : 0;
  }
}

// The last eight bytes of a table of LevelDB's (doc/table_format.md), as TensorFlow's checkpoints have one.
base::Result<bool> is_table(const Source& source) {
  constexpr std::uint64_t kMagic = 0xDB4775248B80FB57ULL;
  std::array<std::uint8_t, 8> bytes{};
  if (source.size() < 48) return false;
  HF_TRY(const std::size_t got, source.read_at(source.size() - bytes.size(), bytes));
  return got == bytes.size() && load_le<std::uint64_t>(bytes) == kMagic;
}

// All but what protobuf and the end of the file tell.
std::vector<Format> by_head(base::ByteView head, std::optional<std::uint64_t> size) {
  std::vector<Format> formats;
  const bool text = is_text(head);
  for (const Magic& magic : kMagics) {
    if (head.size() <= magic.offset || (text && magic.format != Format::kPdf)) continue;
    if (as_text(head.subspan(magic.offset)).starts_with(magic.bytes)) add(formats, magic.format);
  }
  if (is_tar_header(head)) add(formats, Format::kTar);
  if (is_safetensors(head, size)) add(formats, Format::kSafetensors);
  if (may_start_pickle(head, size)) add(formats, Format::kPickle);
  if (is_zlib(head)) add(formats, Format::kZlib);
  if (is_lzma(head)) add(formats, Format::kLzma);
  if (!text && is_zfile(head)) add(formats, Format::kZfile);
  if (!text && is_pyc(head)) add(formats, Format::kPyc);
  if (text) {
    const std::string_view view = as_text(head);
    add(formats, is_json(view) ? Format::kJson : is_python(view) ? Format::kPython : Format::kText);
  }
  return formats;
}

// The HDF5 signature may stand after a user block of 512 bytes, 1024, and so on (HDF5 File Format
// Specification 3.0, section II.A).
base::Result<bool> has_hdf5_after_block(const Source& source) {
  for (std::uint64_t at = 512; at < source.size(); at *= 2) {
    std::array<std::uint8_t, kHdf5Magic.size()> bytes{};
    HF_TRY(const std::size_t got, source.read_at(at, bytes));
    if (got == bytes.size() && as_text(bytes) == kHdf5Magic) return true;
    if (at > source.size() / 2) break;
  }
  return false;
}

base::Result<bool> has_zip_end(const Source& source) {
  Anomalies ignored;
  const auto directory = locate_zip_directory(source, ignored);
  if (!directory && directory.error().code == base::ErrorCode::kIo) return fail(directory.error());
  if (!directory) return false;
  std::array<std::uint8_t, 4> bytes{};
  HF_TRY(const std::size_t got, source.read_at(directory->offset, bytes));
  return got == bytes.size() && as_text(bytes) == "PK\1\2";
}

}  // namespace

base::Result<std::vector<Format>> sniff(const Source& source) {
  base::Bytes head(static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), kSniffBytes)));
  HF_TRY(const std::size_t got, source.read_at(0, head));
  head.resize(got);
  std::vector<Format> formats = by_head(head, source.size());
  if (const auto model = protobuf_model(source, source.size())) add(formats, *model);
  if (formats.empty() && is_fingerprint(source)) add(formats, Format::kSavedModelFingerprint);
  HF_TRY(const bool table, is_table(source));
  if (table) add(formats, Format::kCheckpointIndex);
  HF_TRY(const bool zip, has_zip_end(source));
  if (zip) add(formats, Format::kZip);
  HF_TRY(const bool hdf5, has_hdf5_after_block(source));
  if (hdf5) add(formats, Format::kHdf5);
  if (formats.empty()) formats.push_back(Format::kUnknown);
  return formats;
}

std::vector<Format> sniff_head(base::ByteView head) {
  const bool whole = head.size() < kSniffBytes;
  std::vector<Format> formats =
      by_head(head, whole ? std::optional<std::uint64_t>(head.size()) : std::nullopt);
  if (const auto model = protobuf_model(Endless(head), head.size())) add(formats, *model);
  if (formats.empty()) formats.push_back(Format::kUnknown);
  return formats;
}

std::string_view to_string(Format format) { return kNames[static_cast<std::size_t>(format)]; }

}  // namespace holdfast::formats
