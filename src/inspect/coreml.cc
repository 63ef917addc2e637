#include "inspect/coreml.h"

#include <fmt/format.h>

#include "formats/anomaly.h"
#include "formats/protobuf.h"

// Field numbers are those of Model.proto, NeuralNetwork.proto, CustomModel.proto and LinkedModel.proto; the
// message is named where they stand.

namespace holdfast::inspect {
namespace {

using base::Result;
using formats::WireField;
using formats::WireReader;

constexpr std::size_t kMaxNameBytes = 4096;

constexpr Rule kRules[] = {
    {.id = "coreml.custom-code",
     .severity = Severity::kMedium,
     .title = "Core ML model that needs code of the app",
     .explanation =
         "A custom model or layer is computed by a class of the app that loads it, which inspection "
         "of the model can't see.",
     .remedy = "Convert the model with Core ML's own layers, or review that class.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "coreml.linked-model",
     .severity = Severity::kMedium,
     .title = "Core ML model that loads another file",
     .explanation = "A linked model is found by its name and a search path when the model is loaded, and was "
                    "not inspected with it.",
     .remedy = "Ship the model whole, or inspect the linked file too.",
     .practice = "P24",
     .risk = "R12",
     .atlas = ""},
    {.id = "coreml.malformed",
     .severity = Severity::kMedium,
     .title = "Core ML model that breaks its format",
     .explanation = "It can't be read as the message that it begins like.",
     .remedy = "Convert the model again with coremltools.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
};

class Reader {
 public:
  Reader(const std::string& path, Findings& findings) : path_(path), findings_(findings) {}

  // Model; recursion is bounded by WireReader::kMaxDepth.
  Result<> model(const WireReader& reader) {
    return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
      if (field.number < 200) return {};
      HF_TRY(const WireReader inner, at.message(field));
      switch (field.number) {
        case 200:  // pipelines, whose classifier and regressor hold one
        case 201:
          return below(inner, 1, [&](const WireReader& pipeline) { return this->pipeline(pipeline); });
        case 202:
          return pipeline(inner);
        case 303:
        case 403:
        case 500:
          return network(inner);
        case 555:
          return custom(inner, field, "model");
        case 556:
          findings_.add("coreml.linked-model", path_, field.offset, "it links to another model");
          return {};
        default:
          return {};
      }
    });
  }

 private:
  template <typename Visit>
  static Result<> below(const WireReader& reader, std::uint32_t number, Visit visit) {
    return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
      if (field.number != number) return {};
      HF_TRY(const WireReader inner, at.message(field));
      return visit(inner);
    });
  }

  Result<> pipeline(const WireReader& reader) {
    return below(reader, 1, [&](const WireReader& inner) { return model(inner); });
  }

  // NeuralNetwork.layers, NeuralNetworkLayer.custom
  Result<> network(const WireReader& reader) {
    return below(reader, 1, [&](const WireReader& layer) {
      return each_field(layer, [&](const WireReader& at, const WireField& field) -> Result<> {
        if (field.number != 500) return {};
        HF_TRY(const WireReader inner, at.message(field));
        return custom(inner, field, "layer");
      });
    });
  }

  // CustomModel.className, CustomLayerParams.className
  Result<> custom(const WireReader& reader, const WireField& place, std::string_view what) {
    std::string name;
    HF_CHECK(each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
      if (field.number != 10) return {};
      HF_TRY(name, at.text(field, kMaxNameBytes));
      return {};
    }));
    findings_.add("coreml.custom-code", path_, place.offset,
                  fmt::format("it has a custom {} of the class {}", what, formats::quote(name)));
    return {};
  }

  const std::string& path_;
  Findings& findings_;
};

}  // namespace

Gaps inspect_coreml(const formats::Source& file, const std::string& path, Findings& findings) {
  formats::WireBuffer buffer(file);
  const auto read = Reader(path, findings).model(WireReader(buffer));
  if (read) return {};
  findings.add("coreml.malformed", path, std::nullopt, read.error().message);
  return {read.error().message};
}

std::span<const Rule> coreml_rules() { return kRules; }

}  // namespace holdfast::inspect
