#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/source.h"

// What a file is, by its contents alone, seen with the eyes of those who would load it.

namespace holdfast::formats {

enum class Format : std::uint8_t {
  kPickle,
  kZip,
  kTar,
  kGzip,
  kZlib,
  kZfile,  // joblib's own wrapping of zlib, before its release 0.10
  kBzip2,
  kXz,
  kLzma,
  kZstd,
  kLz4,
  kSevenZip,
  kNpy,
  kSafetensors,
  kOnnx,
  kSavedModel,     // TensorFlow's saved_model.pb
  kGraphDef,       // TensorFlow's frozen graphs
  kKerasMetadata,  // keras_metadata.pb beside a SavedModel
  kSavedModelFingerprint,
  kCheckpointIndex,  // TensorFlow's variables.index
  kCoreMl,
  kCatboost,
  kUbjson,  // XGBoost's
  kGguf,
  kHdf5,
  kTflite,
  kElf,
  kPe,
  kMachO,
  kPyc,  // compiled Python
  kPdf,
  kPng,
  kJpeg,
  kJson,
  kPython,  // source text
  kText,
  kUnknown,
};

// "pickle" .. "unknown".
std::string_view to_string(Format format);

// How much of a file's start is looked at.
inline constexpr std::size_t kSniffBytes = 64UL << 10;

// Every format that a loader could take the file for, the likeliest first; never empty, {kUnknown} at worst.
// More than one is a polyglot, or text that a pickle loader would act on: inspect it as each. A file whose
// end record makes it a zip, or whose HDF5 signature stands after a user block, is that too.
base::Result<std::vector<Format>> sniff(const Source& source);

// The same for a stream, by its first bytes (kSniffBytes, or fewer where it ends there): what only the end
// would tell is missing.
std::vector<Format> sniff_head(base::ByteView head);

}  // namespace holdfast::formats
