#include "model/engine_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/entry_names.h"
#include "worker/stderr_tail.h"

namespace holdfast::model {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

enum class Kind : std::uint8_t { kLoad = 1, kPredict = 2 };
enum class Status : std::uint8_t { kAnswer = 0, kError = 1 };

// What an engine may blame. Another code would say something about who asks, which it does not know.
constexpr std::array kEngineErrors{ErrorCode::kInvalidArgument, ErrorCode::kDataCorrupt,
                                   ErrorCode::kLimitExceeded,   ErrorCode::kUnsupported,
                                   ErrorCode::kUnavailable,     ErrorCode::kInternal};

template <typename T>
void put(Bytes& to, T value) {
  base::append_le(to, static_cast<std::make_unsigned_t<T>>(value));
}

void put_text(Bytes& to, std::string_view text) {
  put(to, static_cast<std::uint16_t>(text.size()));
  base::append(to, text);
}

void put_shape(Bytes& to, const std::vector<std::int64_t>& shape) {
  put(to, static_cast<std::uint8_t>(shape.size()));
  for (const std::int64_t dimension : shape) put(to, dimension);
}

void put_tensors(Bytes& to, std::span<const Tensor> tensors) {
  std::size_t size = 2;
  for (const Tensor& tensor : tensors)
    size += tensor.data.size() + tensor.name.size() + 8 * tensor.shape.size() + 8;
  to.reserve(to.size() + size);
  put(to, static_cast<std::uint16_t>(tensors.size()));
  for (const Tensor& tensor : tensors) {
    put_text(to, tensor.name);
    put(to, static_cast<std::uint8_t>(tensor.datatype));
    put_shape(to, tensor.shape);
    put(to, static_cast<std::uint32_t>(tensor.data.size()));
    base::append(to, tensor.data);
  }
}

void put_specs(Bytes& to, const std::vector<TensorSpec>& specs) {
  put(to, static_cast<std::uint16_t>(specs.size()));
  for (const TensorSpec& spec : specs) {
    put_text(to, spec.name);
    put(to, static_cast<std::uint8_t>(spec.datatype));
    put(to, static_cast<std::uint8_t>(spec.open_rank ? 1 : 0));
    put_shape(to, spec.shape);
  }
}

void put_error(Bytes& to, const base::Error& error) {
  const bool known = std::ranges::find(kEngineErrors, error.code) != kEngineErrors.end();
  put(to, static_cast<std::uint8_t>(Status::kError));
  put(to, static_cast<std::uint8_t>(known ? error.code : ErrorCode::kInternal));
  put_text(to, std::string_view(error.message).substr(0, kMaxErrorBytes));
}

// Reads a frame from front to back. The first thing that is missing or wrong makes it fail for good: values
// are then zero or empty, and finish() gives the error.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  ByteView take(std::size_t count) {
    if (count > rest_.size()) {
      refuse(ErrorCode::kDataCorrupt, "it is cut short");
      return {};
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  template <typename T>
  T number() {
    const ByteView bytes = take(sizeof(T));
    return bytes.empty() ? T{0} : static_cast<T>(base::load_le<std::make_unsigned_t<T>>(bytes));
  }

  std::string text(std::size_t max_bytes) {
    const std::size_t size = number<std::uint16_t>();
    if (size > max_bytes) refuse(ErrorCode::kLimitExceeded, "a text is too long");
    return failed() ? "" : std::string(base::as_text(take(size)));
  }

  void refuse(ErrorCode code, std::string why) {
    if (failed_) return;
    failed_ = true;
    error_ = {code, std::move(why)};
    rest_ = {};
  }

  [[nodiscard]] bool failed() const { return failed_; }

  // All was well, and nothing is left.
  Result<> finish() {
    if (!rest_.empty()) refuse(ErrorCode::kDataCorrupt, "it goes on after its end");
    if (failed_) return fail(std::move(error_).within("a frame of an engine can't be read"));
    return {};
  }

 private:
  ByteView rest_;
  bool failed_ = false;
  base::Error error_{ErrorCode::kDataCorrupt, {}};
};

Datatype read_datatype(Reader& in) {
  const auto number = in.number<std::uint8_t>();
  if (number < static_cast<std::uint8_t>(Datatype::kBool) ||
      number > static_cast<std::uint8_t>(Datatype::kString)) {
    in.refuse(ErrorCode::kDataCorrupt, fmt::format("there is no datatype {}", number));
    return Datatype::kBool;
  }
  return static_cast<Datatype>(number);
}

std::vector<std::int64_t> read_shape(Reader& in) {
  const std::size_t rank = in.number<std::uint8_t>();
  if (rank > kMaxRank) in.refuse(ErrorCode::kLimitExceeded, "a shape has too many dimensions");
  std::vector<std::int64_t> shape;
  for (std::size_t i = 0; i < rank && !in.failed(); ++i) shape.push_back(in.number<std::int64_t>());
  return shape;
}

std::size_t read_count(Reader& in) {
  const std::size_t count = in.number<std::uint16_t>();
  if (count > kMaxTensors) in.refuse(ErrorCode::kLimitExceeded, "there are too many tensors");
  return count;
}

std::vector<Tensor> read_tensors(Reader& in) {
  std::vector<Tensor> tensors;
  const std::size_t count = read_count(in);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    Tensor tensor;
    tensor.name = in.text(kMaxTensorNameBytes);
    tensor.datatype = read_datatype(in);
    tensor.shape = read_shape(in);
    const ByteView data = in.take(in.number<std::uint32_t>());
    tensor.data.assign(data.begin(), data.end());
    if (in.failed()) break;
    if (auto sound = check_tensor(tensor); !sound) {
      in.refuse(sound.error().code, worker::printable(sound.error().message));
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

// A name that can go into a message, a log or JSON as it is.
bool is_plain(std::string_view name) {
  const bool control =
      std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
  return !name.empty() && !control && formats::is_utf8(name);
}

std::vector<TensorSpec> read_specs(Reader& in) {
  std::vector<TensorSpec> specs;
  const std::size_t count = read_count(in);
  for (std::size_t i = 0; i < count && !in.failed(); ++i) {
    TensorSpec spec;
    spec.name = in.text(kMaxTensorNameBytes);
    spec.datatype = read_datatype(in);
    const auto open_rank = in.number<std::uint8_t>();
    spec.open_rank = open_rank == 1;
    spec.shape = read_shape(in);
    const bool twice = std::ranges::find(specs, spec.name, &TensorSpec::name) != specs.end();
    if (!is_plain(spec.name) || twice || open_rank > 1 || (spec.open_rank && !spec.shape.empty()) ||
        std::ranges::any_of(spec.shape, [](std::int64_t dimension) { return dimension < -1; })) {
      in.refuse(ErrorCode::kDataCorrupt, "a signature makes no sense");
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

base::Error read_error(Reader& in) {
  const auto code = static_cast<ErrorCode>(in.number<std::uint8_t>());
  if (std::ranges::find(kEngineErrors, code) == kEngineErrors.end()) {
    in.refuse(ErrorCode::kDataCorrupt, "it holds an error of an unknown kind");
  }
  return {code, worker::printable(in.text(kMaxErrorBytes))};
}

// Whether an answer follows rather than an error.
bool read_status(Reader& in) {
  const auto status = in.number<std::uint8_t>();
  if (status > static_cast<std::uint8_t>(Status::kError)) {
    in.refuse(ErrorCode::kDataCorrupt, "it is neither an answer nor an error");
  }
  return status == static_cast<std::uint8_t>(Status::kAnswer);
}

void compare(Reader& in, const std::vector<Tensor>& tensors, std::span<const TensorSpec> wanted) {
  const bool equal = std::ranges::equal(tensors, wanted, [](const Tensor& tensor, const TensorSpec& spec) {
    return tensor.name == spec.name && tensor.datatype == spec.datatype && spec.accepts(tensor.shape);
  });
  if (!equal) in.refuse(ErrorCode::kDataCorrupt, "its outputs are not those that the model declared");
}

template <typename Read>
auto decode_answer(ByteView frame, Read read) -> Result<Result<decltype(read(std::declval<Reader&>()))>> {
  using Value = decltype(read(std::declval<Reader&>()));
  Reader in(frame);
  if (read_status(in)) {
    Value value = read(in);
    HF_CHECK(in.finish());
    return Result<Value>(std::move(value));
  }
  base::Error error = read_error(in);
  HF_CHECK(in.finish());
  return Result<Value>(fail(std::move(error)));
}

}  // namespace

Bytes encode_load_request() { return {static_cast<std::uint8_t>(Kind::kLoad)}; }

Bytes encode_predict_request(std::span<const Tensor> inputs) {
  Bytes frame{static_cast<std::uint8_t>(Kind::kPredict)};
  put_tensors(frame, inputs);
  return frame;
}

Result<EngineRequest> decode_request(ByteView frame) {
  Reader in(frame);
  EngineRequest request;
  const auto kind = in.number<std::uint8_t>();
  if (kind == static_cast<std::uint8_t>(Kind::kPredict)) {
    request = PredictRequest{read_tensors(in)};
  } else if (kind != static_cast<std::uint8_t>(Kind::kLoad)) {
    in.refuse(ErrorCode::kDataCorrupt, fmt::format("there is no request {}", kind));
  }
  HF_CHECK(in.finish());
  return request;
}

Bytes encode_answer(const Result<Signature>& answer) {
  Bytes frame;
  if (!answer) {
    put_error(frame, answer.error());
    return frame;
  }
  put(frame, static_cast<std::uint8_t>(Status::kAnswer));
  put_specs(frame, answer->inputs);
  put_specs(frame, answer->outputs);
  return frame;
}

Bytes encode_answer(const Result<std::vector<Tensor>>& answer) {
  Bytes frame;
  if (!answer) {
    put_error(frame, answer.error());
    return frame;
  }
  put(frame, static_cast<std::uint8_t>(Status::kAnswer));
  put_tensors(frame, *answer);
  return frame;
}

Result<Result<Signature>> decode_signature_answer(ByteView frame) {
  return decode_answer(frame, [](Reader& in) {
    Signature signature;
    signature.inputs = read_specs(in);
    signature.outputs = read_specs(in);
    return signature;
  });
}

Result<Result<std::vector<Tensor>>> decode_predict_answer(ByteView frame,
                                                          std::span<const TensorSpec> outputs) {
  return decode_answer(frame, [&](Reader& in) {
    std::vector<Tensor> tensors = read_tensors(in);
    if (!in.failed()) compare(in, tensors, outputs);
    return tensors;
  });
}

}  // namespace holdfast::model
