#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/source.h"

// What TensorFlow's files of graphs say (tensorflow/core/protobuf/saved_model.proto, meta_graph.proto,
// saved_object_graph.proto, framework/graph.proto, function.proto, and Keras 2's saved_metadata.proto), by
// the wire format: which operations they are made of, and Keras' own descriptions. No constant is read.

namespace holdfast::formats {

// The nodes of one operation in one function.
struct TensorflowUse {
  std::uint64_t count = 0;
  std::uint64_t offset = 0;  // of the first node
  std::string node;          // its name
};

struct TensorflowGraph {
  static constexpr std::size_t kMaxKeptBytes = 64UL << 20;  // of all below
  static constexpr std::size_t kMaxNameBytes = 64UL << 10;
  static constexpr std::size_t kMaxKerasBytes = 16UL << 20;  // of one description

  std::string version;  // of the TensorFlow that wrote it
  // By function ("" for the main graph) and operation, which may be the name of a function.
  std::map<std::pair<std::string, std::string>, TensorflowUse> uses;
  std::set<std::string> functions;
  std::vector<std::string> assets;    // names of files, relative to the model's assets/
  std::set<std::string> saver_nodes;  // that the saver names: what runs when the model is restored
  std::vector<std::string> keras;     // descriptions of Keras objects, JSON
};

// Each fails with kDataCorrupt where it is no such message, kLimitExceeded over the bounds above or beyond
// WireReader::kMaxDepth.
base::Result<TensorflowGraph> read_saved_model(const Source& source);     // saved_model.pb
base::Result<TensorflowGraph> read_graph_def(const Source& source);       // a frozen graph
base::Result<TensorflowGraph> read_keras_metadata(const Source& source);  // keras_metadata.pb

}  // namespace holdfast::formats
