#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/source.h"
#include "inspect/finding.h"

// What weights themselves show without being run: programs and archives among their bytes or in their low
// bits, values that no trained network has. Hints: honest weights give none of them by chance (the
// probabilities stand in hidden_content.h and low_bits.h), but a backdoor that is trained into a network, or
// data that was encrypted before it was hidden, shows in none of them.

namespace holdfast::inspect {

enum class WeightDepth : std::uint8_t {
  kStart,  // the first kHiddenHeaderBytes of each tensor
  kAll,    // every number, in one pass
};

enum class WeightType : std::uint8_t {
  kOpaque,  // integers, quantised, or big-endian: only what lies in the bytes as they are
  kFloat16,
  kBfloat16,
  kFloat32,
  kFloat64,
};

struct WeightTensor {
  std::string_view name;
  std::string path;                     // what findings name
  std::uint64_t offset = 0;             // of the tensor in that file
  std::optional<WeightType> type = {};  // absent where the file doesn't say: then by its first numbers
};

// The type that these little-endian numbers are most likely of, by their exponents. Nothing for integers and
// for what is no numbers, or too few to tell.
std::optional<WeightType> guess_weight_type(base::ByteView numbers);

// Looks at the tensors of one file, one after the other. Memory is bounded by kWindowBytes, time by the bytes
// read and kMaxUnpacked. One thread.
class WeightInspector {
 public:
  static constexpr std::size_t kWindowBytes = 64UL << 10;
  // Windows of one file whose low bits are put together, since their counts are odd. Past it they are
  // counted.
  static constexpr std::size_t kMaxUnpacked = 256;
  static constexpr std::size_t kMaxNamed =
      20;  // findings of one rule but weights.program; the rest are counted

  WeightInspector(WeightDepth depth, Findings& findings) : depth_(depth), findings_(findings) {}

  // Fails where the stream does.
  base::Result<> look_at(formats::Stream& bytes, const WeightTensor& tensor);
  // Of a part of `file`; nothing where it leaves the file, which its format's inspector says.
  base::Result<> look_at(const formats::Source& file, std::uint64_t size, const WeightTensor& tensor);

  [[nodiscard]] WeightDepth depth() const { return depth_; }

  // After the last tensor of `path`: tells what its bounds left out.
  void finish(const std::string& path);

 private:
  friend class TensorScan;
  void add(std::string_view rule, const WeightTensor& tensor, std::uint64_t offset, std::string message);

  WeightDepth depth_;
  Findings& findings_;
  std::size_t unpacked_ = 0;
  std::size_t not_unpacked_ = 0;
  std::map<std::string_view, std::size_t> seen_;  // of each rule
};

std::span<const Rule> weight_rules();

}  // namespace holdfast::inspect
