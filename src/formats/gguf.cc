#include "formats/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "formats/anomaly.h"
#include "formats/buffered.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

struct Block {
  std::uint32_t type;
  std::uint32_t elements;
  std::uint32_t bytes;
};

// ggml_type by its numbers (ggml.h) with the size of a block (ggml-common.h); as gguf-py 0.19's
// GGML_QUANT_SIZES, but for Q8_1, which is no type of files.
constexpr std::array<Block, 34> kBlocks = {{
    {0, 1, 4},      {1, 1, 2},      {2, 32, 18},   {3, 32, 20},    {6, 32, 22},    {7, 32, 24},
    {8, 32, 34},    {9, 32, 36},    {10, 256, 84}, {11, 256, 110}, {12, 256, 144}, {13, 256, 176},
    {14, 256, 210}, {15, 256, 292}, {16, 256, 66}, {17, 256, 74},  {18, 256, 98},  {19, 256, 50},
    {20, 32, 18},   {21, 256, 110}, {22, 256, 82}, {23, 256, 136}, {24, 1, 1},     {25, 1, 2},
    {26, 1, 4},     {27, 1, 8},     {28, 1, 8},    {29, 256, 56},  {30, 1, 2},     {34, 256, 54},
    {35, 256, 66},  {39, 32, 17},   {40, 64, 36},  {41, 128, 18},
}};

constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr std::uint64_t kMaxAlignment = 1UL << 20;

// Bytes of a value of this type; 0 for strings, arrays and what is no type.
std::size_t width_of(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool:
      return 1;
    case GgufType::kUint16:
    case GgufType::kInt16:
      return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32:
      return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      return 0;
  }
  return 0;
}

tl::unexpected<base::Error> corrupt(std::string why) {
  return fail(ErrorCode::kDataCorrupt, "the GGUF file is wrong: " + std::move(why));
}

tl::unexpected<base::Error> too_large(std::string why) {
  return fail(ErrorCode::kLimitExceeded, "the GGUF file is over a limit: " + std::move(why));
}

std::uint64_t aligned(std::uint64_t offset, std::uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

class Reader {
 public:
  explicit Reader(const Source& source) : size_(source.size()), stream_(source), bytes_(stream_) {}

  Result<GgufFile> read();

 private:
  template <typename T>
  Result<T> number();
  // A count or a length, which version 1 wrote in 32 bits.
  Result<std::uint64_t> length();
  Result<std::string> text(std::uint64_t max_size);
  Result<GgufType> type();
  Result<> header();
  Result<> entry();
  Result<> value(GgufEntry& entry);
  Result<> array(GgufType element, std::uint64_t count, int depth);
  Result<> check_alignment();
  Result<> tensor();
  Result<> place_tensors();
  Result<> charge(std::size_t size);

  std::uint64_t size_;
  SourceStream stream_;
  BufferedReader bytes_;
  GgufFile file_;
  std::uint64_t entries_ = 0;
  std::uint64_t tensors_ = 0;
  std::uint64_t kept_ = 0;
  std::unordered_set<std::string> names_;
};

template <typename T>
Result<T> Reader::number() {
  HF_TRY(const base::ByteView view, bytes_.peek(sizeof(T)));
  if (view.size() < sizeof(T)) return corrupt(fmt::format("it ends at byte {}", size_));
  const T value = file_.big_endian ? base::load_be<T>(view) : base::load_le<T>(view);
  bytes_.consume(sizeof(T));
  return value;
}

Result<std::uint64_t> Reader::length() {
  if (file_.version > 1) return number<std::uint64_t>();
  HF_TRY(const auto narrow, number<std::uint32_t>());
  return std::uint64_t{narrow};
}

Result<> Reader::charge(std::size_t size) {
  kept_ += size;
  if (kept_ <= GgufFile::kMaxKeptBytes) return {};
  return too_large(fmt::format("its names and texts take more than {} bytes", GgufFile::kMaxKeptBytes));
}

Result<std::string> Reader::text(std::uint64_t max_size) {
  HF_TRY(const std::uint64_t count, length());
  const std::uint64_t at = bytes_.position();
  if (count > size_ - at) return corrupt(fmt::format("the text at byte {} is longer than the file", at));
  if (count > max_size) {
    return too_large(fmt::format("the text at byte {} has {} bytes, more than {}", at, count, max_size));
  }
  HF_CHECK(charge(static_cast<std::size_t>(count)));
  std::string out(static_cast<std::size_t>(count), '\0');
  HF_CHECK(bytes_.read_exactly({reinterpret_cast<std::uint8_t*>(out.data()), out.size()}));
  return out;
}

Result<GgufType> Reader::type() {
  HF_TRY(const auto value, number<std::uint32_t>());
  if (value > static_cast<std::uint32_t>(GgufType::kFloat64)) {
    return corrupt(
        fmt::format("byte {} has the type {}, which does not exist", bytes_.position() - 4, value));
  }
  return static_cast<GgufType>(value);
}

Result<> Reader::header() {
  HF_TRY(const auto magic, number<std::uint32_t>());
  if (magic != 0x46554747U) return corrupt("it does not begin with GGUF");
  HF_TRY(file_.version, number<std::uint32_t>());
  if ((file_.version & 0xFFFFU) == 0) {
    file_.big_endian = true;
    file_.version = __builtin_bswap32(file_.version);
  }
  if (file_.version < 1 || file_.version > 3) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("the GGUF file has the version {}, which is not known", file_.version));
  }
  HF_TRY(tensors_, length());
  HF_TRY(entries_, length());
  if (tensors_ > GgufFile::kMaxTensors || entries_ > GgufFile::kMaxEntries) {
    return too_large(fmt::format("it claims {} tensors and {} metadata", tensors_, entries_));
  }
  return {};
}

Result<> Reader::array(GgufType element, std::uint64_t count, int depth) {
  if (depth > GgufFile::kMaxArrayDepth) {
    return too_large(fmt::format("arrays are nested deeper than {}", GgufFile::kMaxArrayDepth));
  }
  if (count > size_) return corrupt(fmt::format("an array claims {} elements", count));
  if (const std::uint64_t width = width_of(element); width > 0) {
    if (count * width > size_ - bytes_.position()) return corrupt("an array is longer than the file");
    return bytes_.skip(count * width);
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (element == GgufType::kString) {
      HF_TRY(const std::uint64_t size, length());
      if (size > size_ - bytes_.position()) return corrupt("a text in an array is longer than the file");
      HF_CHECK(bytes_.skip(size));
      continue;
    }
    HF_TRY(const GgufType inner, type());
    HF_TRY(const std::uint64_t inner_count, length());
    HF_CHECK(array(inner, inner_count, depth + 1));
  }
  return {};
}

Result<> Reader::value(GgufEntry& entry) {
  entry.offset = bytes_.position();
  switch (width_of(entry.type)) {
    case 1: {
      HF_TRY(entry.bits, number<std::uint8_t>());
      return {};
    }
    case 2: {
      HF_TRY(entry.bits, number<std::uint16_t>());
      return {};
    }
    case 4: {
      HF_TRY(entry.bits, number<std::uint32_t>());
      return {};
    }
    case 8: {
      HF_TRY(entry.bits, number<std::uint64_t>());
      return {};
    }
    default:
      break;
  }
  if (entry.type == GgufType::kString) {
    HF_TRY(entry.text, text(GgufFile::kMaxTextBytes));
    entry.offset = bytes_.position() - entry.text.size();
    return {};
  }
  HF_TRY(entry.element, type());
  HF_TRY(entry.count, length());
  return array(entry.element, entry.count, 1);
}

Result<> Reader::entry() {
  GgufEntry entry;
  HF_TRY(entry.key, text(GgufFile::kMaxKeyBytes));
  if (!names_.insert(entry.key).second) {
    return corrupt(fmt::format("the key {} stands twice", quote(entry.key)));
  }
  HF_TRY(entry.type, type());
  HF_CHECK(value(entry));
  HF_CHECK(charge(sizeof(GgufEntry) + entry.key.size()));
  file_.metadata.push_back(std::move(entry));
  return {};
}

Result<> Reader::check_alignment() {
  const GgufEntry* said = file_.find(kAlignmentKey);
  if (said == nullptr) return {};
  const bool power = said->bits > 0 && (said->bits & (said->bits - 1)) == 0;
  if (said->type != GgufType::kUint32 || !power || said->bits > kMaxAlignment) {
    return corrupt("general.alignment is no power of two up to a mebibyte");
  }
  file_.alignment = said->bits;
  return {};
}

Result<> Reader::tensor() {
  GgufTensor tensor;
  HF_TRY(tensor.name, text(GgufFile::kMaxTensorNameBytes));
  if (!names_.insert(tensor.name).second) {
    return corrupt(fmt::format("the tensor {} stands twice", quote(tensor.name)));
  }
  HF_TRY(const auto dimensions, number<std::uint32_t>());
  if (dimensions > GgufFile::kMaxDimensions) {
    return corrupt(fmt::format("the tensor {} has {} dimensions", quote(tensor.name), dimensions));
  }
  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    HF_TRY(const std::uint64_t size, length());
    if (__builtin_mul_overflow(elements, size, &elements) || elements > INT64_MAX) {
      return corrupt(fmt::format("the tensor {} has more elements than can be counted", quote(tensor.name)));
    }
    tensor.shape.push_back(size);
  }
  HF_TRY(tensor.type, number<std::uint32_t>());
  HF_TRY(tensor.offset, number<std::uint64_t>());
  const auto block = std::ranges::find(kBlocks, tensor.type, &Block::type);
  if (block == kBlocks.end()) {
    return fail(ErrorCode::kUnsupported, fmt::format("the tensor {} has the type {}, which is not known",
                                                     quote(tensor.name), tensor.type));
  }
  const std::uint64_t row = tensor.shape.empty() ? 1 : tensor.shape.front();
  if (row % block->elements != 0 ||
      __builtin_mul_overflow(elements / block->elements, block->bytes, &tensor.size)) {
    return corrupt(fmt::format("the shape of the tensor {} does not fit its type", quote(tensor.name)));
  }
  HF_CHECK(charge(sizeof(GgufTensor) + 2 * tensor.name.size() + sizeof(std::uint64_t) * dimensions));
  file_.tensors.push_back(std::move(tensor));
  return {};
}

Result<> Reader::place_tensors() {
  // llama.cpp takes a file without tensors though its header is not padded.
  file_.data_offset = std::min(aligned(bytes_.position(), file_.alignment), size_);
  file_.data_end = file_.data_offset;
  std::ranges::sort(file_.tensors, {}, &GgufTensor::offset);
  const std::uint64_t room = size_ - file_.data_offset;
  for (GgufTensor& tensor : file_.tensors) {
    if (tensor.offset % file_.alignment != 0) {
      return corrupt(fmt::format("the tensor {} is not aligned", quote(tensor.name)));
    }
    if (tensor.offset > room || tensor.size > room - tensor.offset) {
      return corrupt(fmt::format("the tensor {} leaves the file", quote(tensor.name)));
    }
    tensor.offset += file_.data_offset;
    if (tensor.offset < file_.data_end) {
      return corrupt(fmt::format("the tensor {} lies over another", quote(tensor.name)));
    }
    const std::uint64_t expected = aligned(file_.data_end - file_.data_offset, file_.alignment);
    const std::uint64_t given = tensor.offset - file_.data_offset;
    if (given > expected) file_.unlisted += given - expected;
    file_.data_end = tensor.offset + tensor.size;
  }
  const std::uint64_t rest = size_ - file_.data_end;
  if (rest >= file_.alignment) file_.unlisted += rest;
  return {};
}

Result<GgufFile> Reader::read() {
  HF_CHECK(header());
  for (std::uint64_t i = 0; i < entries_; ++i) HF_CHECK(entry());
  HF_CHECK(check_alignment());
  names_.clear();
  for (std::uint64_t i = 0; i < tensors_; ++i) HF_CHECK(tensor());
  HF_CHECK(place_tensors());
  return std::move(file_);
}

}  // namespace

const GgufEntry* GgufFile::find(std::string_view key) const {
  const auto found = std::ranges::find(metadata, key, &GgufEntry::key);
  return found == metadata.end() ? nullptr : &*found;
}

Result<GgufFile> read_gguf(const Source& source) { return Reader(source).read(); }

}  // namespace holdfast::formats
