#include "formats/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include <nlohmann/json.hpp>

#include "formats/anomaly.h"

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;

namespace {

struct DtypeName {
  std::string_view name;
  unsigned bits;
};

// In the order of SafetensorsDtype.
constexpr std::array<DtypeName, 22> kDtypes = {{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
}};

constexpr std::uint64_t kLengthSize = 8;
constexpr std::string_view kMetadata = "__metadata__";

std::optional<SafetensorsDtype> dtype_of(std::string_view name) {
  const auto found = std::ranges::find(kDtypes, name, &DtypeName::name);
  if (found == kDtypes.end()) return std::nullopt;
  return static_cast<SafetensorsDtype>(found - kDtypes.begin());
}

using Json = nlohmann::json;

// Takes the header's JSON as it is parsed, so that memory is that of the tensors and not of a tree. The
// levels are: 0 outside, 1 the header, 2 a tensor or the metadata, 3 a shape or offsets.
class HeaderBuilder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return refuse("a null"); }
  bool boolean(bool) override { return refuse("a boolean"); }
  bool number_integer(number_integer_t) override { return refuse("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return refuse("a number that is no integer");
  }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool number_unsigned(number_unsigned_t value) override;
  bool string(string_t& value) override;
  bool start_object(std::size_t) override;
  bool key(string_t& name) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return stop(ErrorCode::kDataCorrupt, fmt::format("it is no valid JSON at byte {}", position));
  }

  base::Result<SafetensorsHeader> finish(bool parsed);

 private:
  bool stop(ErrorCode code, std::string why) {
    error_ = base::Error{code, "the safetensors header is wrong: " + std::move(why)};
    return false;
  }
  bool refuse(std::string_view what) {
    return stop(ErrorCode::kDataCorrupt, fmt::format("{} where it has no place, in {}", what, quote(name_)));
  }

  SafetensorsHeader header_;
  std::optional<base::Error> error_;
  int level_ = 0;
  bool seen_metadata_ = false;
  bool in_metadata_ = false;
  std::string name_;    // of the tensor, or __metadata__
  std::string member_;  // of that
  std::optional<SafetensorsDtype> dtype_;
  std::optional<std::vector<std::uint64_t>> shape_;
  std::optional<std::vector<std::uint64_t>> offsets_;
  std::vector<std::uint64_t> numbers_;
};

bool HeaderBuilder::start_object(std::size_t) {
  if (level_ >= 2) return refuse("an object");
  ++level_;
  dtype_.reset();
  shape_.reset();
  offsets_.reset();
  return true;
}

bool HeaderBuilder::key(string_t& name) {
  if (level_ == 1) {
    name_ = std::move(name);
    in_metadata_ = name_ == kMetadata;
    if (in_metadata_ && std::exchange(seen_metadata_, true)) return refuse("a second __metadata__");
    return true;
  }
  member_ = std::move(name);
  return true;
}

bool HeaderBuilder::string(string_t& value) {
  if (level_ != 2) return refuse("a text");
  if (in_metadata_) {
    if (header_.metadata.size() == SafetensorsHeader::kMaxMetadata) {
      return stop(ErrorCode::kLimitExceeded,
                  fmt::format("it has more than {} metadata", SafetensorsHeader::kMaxMetadata));
    }
    return header_.metadata.emplace(std::move(member_), std::move(value)).second ||
           refuse("a member that stands twice");
  }
  if (member_ != "dtype" || dtype_) return refuse("a text");
  dtype_ = dtype_of(value);
  return dtype_ || stop(ErrorCode::kUnsupported, fmt::format("the dtype {} is not known", quote(value)));
}

bool HeaderBuilder::start_array(std::size_t) {
  const bool shape = member_ == "shape" && !shape_;
  const bool offsets = member_ == "data_offsets" && !offsets_;
  if (level_ != 2 || in_metadata_ || (!shape && !offsets)) return refuse("a list");
  ++level_;
  numbers_.clear();
  return true;
}

bool HeaderBuilder::number_unsigned(number_unsigned_t value) {
  if (level_ != 3) return refuse("a number");
  if (numbers_.size() == SafetensorsHeader::kMaxDimensions) {
    return stop(ErrorCode::kLimitExceeded, fmt::format("{} has more than {} dimensions", quote(name_),
                                                       SafetensorsHeader::kMaxDimensions));
  }
  numbers_.push_back(value);
  return true;
}

bool HeaderBuilder::end_array() {
  --level_;
  (member_ == "shape" ? shape_ : offsets_) = numbers_;
  return true;
}

bool HeaderBuilder::end_object() {
  if (--level_ == 0 || in_metadata_) return true;
  if (!dtype_ || !shape_ || !offsets_ || offsets_->size() != 2 || offsets_->at(0) > offsets_->at(1)) {
    return refuse("a missing or senseless dtype, shape or data_offsets");
  }
  if (header_.tensors.size() == SafetensorsHeader::kMaxTensors) {
    return stop(ErrorCode::kLimitExceeded,
                fmt::format("it has more than {} tensors", SafetensorsHeader::kMaxTensors));
  }
  header_.tensors.push_back({.name = std::move(name_),
                             .dtype = *dtype_,
                             .shape = *std::move(shape_),
                             .offset = offsets_->at(0),
                             .size = offsets_->at(1) - offsets_->at(0)});
  return true;
}

base::Result<SafetensorsHeader> HeaderBuilder::finish(bool parsed) {
  if (error_) return fail(*error_);
  if (!parsed) return fail(ErrorCode::kDataCorrupt, "the safetensors header is no JSON object");
  return std::move(header_);
}

// The bytes of a tensor; absent where they overflow or are no whole number.
std::optional<std::uint64_t> byte_size(const SafetensorsTensor& tensor) {
  std::uint64_t bits = bits_of(tensor.dtype);
  for (const std::uint64_t dimension : tensor.shape) {
    if (__builtin_mul_overflow(bits, dimension, &bits)) return std::nullopt;
  }
  return bits % 8 == 0 ? std::optional(bits / 8) : std::nullopt;
}

// Sorts the tensors, checks that they fill the `size` bytes from `start`, and makes their offsets the file's.
base::Result<> place_tensors(SafetensorsHeader& header, std::uint64_t start, std::uint64_t size) {
  std::vector<SafetensorsTensor>& tensors = header.tensors;
  std::ranges::sort(tensors, {}, &SafetensorsTensor::name);
  const auto twice = std::ranges::adjacent_find(tensors, {}, &SafetensorsTensor::name);
  if (twice != tensors.end()) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the safetensors header has the tensor {} twice", quote(twice->name)));
  }
  std::ranges::sort(tensors, {}, [](const auto& tensor) { return std::tuple(tensor.offset, tensor.size); });
  std::uint64_t end = 0;
  for (SafetensorsTensor& tensor : tensors) {
    if (byte_size(tensor) != tensor.size) {
      return fail(ErrorCode::kDataCorrupt,
                  fmt::format("the tensor {} has {} bytes, which its dtype and shape contradict",
                              quote(tensor.name), tensor.size));
    }
    if (tensor.offset != end || tensor.size > size - end) {
      return fail(ErrorCode::kDataCorrupt,
                  fmt::format("the tensor {} does not begin where the one before ends, or leaves the file",
                              quote(tensor.name)));
    }
    end += tensor.size;
    tensor.offset += start;
  }
  if (end != size) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the safetensors file has {} bytes that belong to no tensor", size - end));
  }
  return {};
}

}  // namespace

std::string_view to_string(SafetensorsDtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].name; }
unsigned bits_of(SafetensorsDtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].bits; }

base::Result<SafetensorsHeader> read_safetensors_header(const Source& source) {
  HF_TRY(const base::Bytes length_bytes, read_exactly(source, 0, kLengthSize));
  const auto length = base::load_le<std::uint64_t>(length_bytes);
  if (length > source.size() - kLengthSize) {
    return fail(ErrorCode::kDataCorrupt, "the safetensors header is longer than the file");
  }
  if (length > SafetensorsHeader::kMaxBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("the safetensors header has {} bytes, over the limit of {}", length,
                            SafetensorsHeader::kMaxBytes));
  }
  HF_TRY(const base::Bytes text, read_exactly(source, kLengthSize, static_cast<std::size_t>(length)));
  if (!base::as_text(text).starts_with('{')) {
    return fail(ErrorCode::kDataCorrupt, "the safetensors header does not begin with {");
  }
  HeaderBuilder builder;
  const bool parsed = Json::sax_parse(text.begin(), text.end(), &builder);
  HF_TRY(SafetensorsHeader header, builder.finish(parsed));
  const std::uint64_t start = kLengthSize + length;
  HF_CHECK(place_tensors(header, start, source.size() - start));
  return header;
}

}  // namespace holdfast::formats
