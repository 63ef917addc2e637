#include <fmt/format.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>

#include "formats/protobuf.h"
#include "model/engine.h"

// Debian's libonnx-testdata: models of ONNX's own conformance suite with inputs and the outputs that are
// right, each run in an engine of its own.

namespace holdfast::model {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using formats::WireField;
using formats::WireReader;

namespace fs = std::filesystem;
constexpr auto kSuite = "/usr/share/libonnx-testdata/data";
constexpr double kRelative = 1e-5;
constexpr double kAbsolute = 1e-6;

std::optional<Datatype> datatype_of_onnx(std::uint64_t type) {
  switch (type) {
    case 1:
      return Datatype::kFp32;
    case 2:
      return Datatype::kUint8;
    case 3:
      return Datatype::kInt8;
    case 4:
      return Datatype::kUint16;
    case 5:
      return Datatype::kInt16;
    case 6:
      return Datatype::kInt32;
    case 7:
      return Datatype::kInt64;
    case 8:
      return Datatype::kString;
    case 9:
      return Datatype::kBool;
    case 11:
      return Datatype::kFp64;
    case 12:
      return Datatype::kUint32;
    case 13:
      return Datatype::kUint64;
    default:
      return std::nullopt;
  }
}

constexpr std::size_t kMost = 64UL << 20;

// A TensorProto whose numbers are raw data, and whose texts are string_data: as the suite writes them.
Result<Tensor> read_tensor(const fs::path& path) {
  HF_TRY(const auto file, formats::FileSource::open(path));
  formats::WireBuffer buffer(file);
  WireReader reader(buffer);
  Tensor tensor{.name = "unnamed", .shape = {}, .data = {}};
  std::optional<Datatype> datatype;
  while (true) {
    HF_TRY(const auto field, reader.next());
    if (!field) break;
    if (field->number == 1 && field->type == formats::WireType::kVarint) {
      tensor.shape.push_back(static_cast<std::int64_t>(field->value));
    } else if (field->number == 1) {
      const std::uint64_t end = field->offset + field->value;
      HF_TRY(auto packed, formats::RangeSource::create(file, field->offset, end - field->offset));
      formats::WireBuffer inner(packed);
      WireReader dimensions(inner);
      while (!dimensions.at_end()) {
        HF_TRY(const auto size, dimensions.varint());
        tensor.shape.push_back(static_cast<std::int64_t>(size));
      }
    } else if (field->number == 2) {
      datatype = datatype_of_onnx(field->value);
    } else if (field->number == 6) {
      HF_TRY(const std::string text, reader.text(*field, kMost));
      base::append_le(tensor.data, static_cast<std::uint32_t>(text.size()));
      base::append(tensor.data, text);
    } else if (field->number == 8) {
      HF_TRY(tensor.name, reader.text(*field, 1024));
    } else if (field->number == 9) {
      HF_TRY(const std::string raw, reader.text(*field, kMost));
      base::append(tensor.data, raw);
    }
  }
  if (!datatype) return fail(ErrorCode::kUnsupported, "a datatype that the engine does not take");
  tensor.datatype = *datatype;
  return tensor;
}

bool close(double got, double right) {
  if (std::isnan(right)) return std::isnan(got);
  if (std::isinf(right)) return got == right;
  return std::abs(got - right) <= kAbsolute + kRelative * std::abs(right);
}

Result<> compare(const Tensor& got, const Tensor& right) {
  if (got.shape != right.shape || got.datatype != right.datatype) {
    return fail(ErrorCode::kConflict,
                fmt::format("{} {}, and right is {} {}", to_string(got.datatype), shape_text(got.shape),
                            to_string(right.datatype), shape_text(right.shape)));
  }
  if (got.datatype == Datatype::kString) {
    if (got.data == right.data) return {};
    return fail(ErrorCode::kConflict, "another text");
  }
  HF_TRY(const auto numbers_got, numbers(got));
  HF_TRY(const auto numbers_right, numbers(right));
  if (std::ranges::equal(numbers_got, numbers_right, close)) return {};
  return fail(ErrorCode::kConflict, "another number");
}

std::string numbered(std::string_view kind, std::size_t i) {
  return fmt::format("test_data_set_0/{}_{}.pb", kind, i);
}

// kUnsupported where the engine says that the model is none for it; kConflict where an answer is wrong.
Result<> run_case(const fs::path& folder) {
  HF_TRY(const auto file, formats::FileSource::open(folder / "model.onnx"));
  HF_TRY(const SealedModel model, SealedModel::copy(file));
  HF_TRY(Engine engine, Engine::start(model));
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < engine.signature().inputs.size(); ++i) {
    HF_TRY(Tensor input, read_tensor(folder / numbered("input", i)));
    input.name = engine.signature().inputs[i].name;
    inputs.push_back(std::move(input));
  }
  HF_TRY(const auto outputs, engine.predict(inputs, worker::deadline_in(std::chrono::seconds(60))));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!fs::exists(folder / numbered("output", i))) continue;
    HF_TRY(const Tensor right, read_tensor(folder / numbered("output", i)));
    HF_CHECK(compare(outputs[i], right));
  }
  return {};
}

class ConformanceTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
#ifndef HOLDFAST_ENGINE_BUILT
    GTEST_SKIP() << "holdfast-engine was not built, since ONNX Runtime was not found";
#endif
#ifdef HOLDFAST_SANITIZED
    const std::string part = GetParam();
    if (part != "simple") GTEST_SKIP() << "a thousand engines are too many for a sanitizer";
#endif
    if (!fs::exists(kSuite)) GTEST_SKIP() << "Debian's package libonnx-testdata is not installed";
  }
};

struct Floor {
  const char* part;
  std::size_t least;
};
// What passes with ONNX Runtime 1.30. Of the rest most are operators before opset 7, 16-bit numbers,
// sequences and optional inputs, training, and random answers: the output names each with its reason.
constexpr std::array<Floor, 4> kFloors{
    {{"simple", 17}, {"pytorch-operator", 24}, {"pytorch-converted", 59}, {"node", 825}}};

TEST_P(ConformanceTest, AnswersAreThoseOfTheSuite) {
  const std::string part = GetParam();
  std::size_t passed = 0;
  std::size_t wrong = 0;
  std::size_t all = 0;
  for (const auto& folder : fs::directory_iterator(fs::path(kSuite) / part)) {
    ++all;
    const auto result = run_case(folder.path());
    if (result) {
      ++passed;
      continue;
    }
    if (result.error().code == ErrorCode::kConflict) ++wrong;
    fmt::print("{}: {}: {}\n", folder.path().filename().string(), to_string(result.error().code),
               result.error().message.substr(0, 200));
  }
  fmt::print("{}: {} of {} passed, {} answered otherwise\n", part, passed, all, wrong);
  const auto* floor = std::ranges::find(kFloors, part, &Floor::part);
  ASSERT_NE(floor, kFloors.end());
  EXPECT_GE(passed, floor->least);
}

INSTANTIATE_TEST_SUITE_P(Suite, ConformanceTest,
                         testing::Values("simple", "pytorch-operator", "pytorch-converted", "node"),
                         [](const auto& part) {
                           std::string name = part.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace holdfast::model
