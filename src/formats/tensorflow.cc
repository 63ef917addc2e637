#include "formats/tensorflow.h"

#include <fmt/format.h>

#include "formats/protobuf.h"

// Field numbers are those of the .proto files that the header names; the message is named where they stand.

namespace holdfast::formats {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

class Reader {
 public:
  explicit Reader(const Source& source) : buffer_(source) {}

  Result<TensorflowGraph> saved_model();
  Result<TensorflowGraph> frozen();
  Result<TensorflowGraph> keras_metadata();

 private:
  Result<> meta_graph(const WireReader& reader);
  Result<> meta_info(const WireReader& reader);
  Result<> graph(const WireReader& reader);
  Result<> library(const WireReader& reader);
  Result<> function(const WireReader& reader);
  Result<> node(const WireReader& reader, const std::string& function);
  Result<> saver(const WireReader& reader);
  Result<> asset(const WireReader& reader);
  Result<> objects(const WireReader& reader);
  Result<> keras_object(const WireReader& reader, std::uint32_t metadata);
  Result<> charge(std::size_t size);
  Result<std::string> name(const WireReader& reader, const WireField& field);

  WireBuffer buffer_;
  TensorflowGraph graph_;
  std::size_t kept_ = 0;
  std::uint64_t graphs_ = 0;
};

Result<> Reader::charge(std::size_t size) {
  kept_ += size;
  if (kept_ <= TensorflowGraph::kMaxKeptBytes) return {};
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("the names and texts of the TensorFlow graph take more than {} bytes",
                          TensorflowGraph::kMaxKeptBytes));
}

Result<std::string> Reader::name(const WireReader& reader, const WireField& field) {
  return reader.text(field, TensorflowGraph::kMaxNameBytes);
}

// NodeDef
Result<> Reader::node(const WireReader& reader, const std::string& function) {
  const std::uint64_t offset = reader.offset();
  std::string node_name;
  std::string op;
  HF_CHECK(each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 1) {
      HF_TRY(node_name, name(at, field));
    } else if (field.number == 2) {
      HF_TRY(op, name(at, field));
    }
    return {};
  }));
  auto& use = graph_.uses[{function, op}];
  if (use.count++ > 0) return {};
  HF_CHECK(charge(sizeof(TensorflowUse) + function.size() + op.size() + node_name.size() + 64));
  use.offset = offset;
  use.node = std::move(node_name);
  return {};
}

// FunctionDef. Its signature (OpDef) may stand behind its nodes.
Result<> Reader::function(const WireReader& reader) {
  std::string called;
  HF_CHECK(each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 1) return {};
    HF_TRY(const WireReader signature, at.message(field));
    return each_field(signature, [&](const WireReader& inner, const WireField& part) -> Result<> {
      if (part.number == 1) {
        HF_TRY(called, name(inner, part));
      }
      return {};
    });
  }));
  HF_CHECK(charge(called.size() + 64));
  graph_.functions.insert(called);
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 3) return {};
    HF_TRY(const WireReader inner, at.message(field));
    return node(inner, called);
  });
}

// FunctionDefLibrary
Result<> Reader::library(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 1) return {};
    HF_TRY(const WireReader inner, at.message(field));
    return function(inner);
  });
}

// GraphDef
Result<> Reader::graph(const WireReader& reader) {
  ++graphs_;
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 1 && field.number != 2) return {};
    HF_TRY(const WireReader inner, at.message(field));
    return field.number == 1 ? node(inner, {}) : library(inner);
  });
}

// MetaGraphDef.MetaInfoDef
Result<> Reader::meta_info(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 5) {
      HF_TRY(graph_.version, name(at, field));
    }
    return {};
  });
}

// SaverDef
Result<> Reader::saver(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number < 1 || field.number > 3) return {};
    HF_TRY(std::string said, name(at, field));
    HF_CHECK(charge(said.size() + 64));
    graph_.saver_nodes.insert(said.substr(0, said.find(':')));
    return {};
  });
}

// AssetFileDef
Result<> Reader::asset(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 2) return {};
    HF_TRY(std::string file, name(at, field));
    HF_CHECK(charge(file.size() + sizeof(std::string)));
    graph_.assets.push_back(std::move(file));
    return {};
  });
}

// SavedUserObject, and SavedObject of saved_metadata.proto
Result<> Reader::keras_object(const WireReader& reader, std::uint32_t metadata) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != metadata || field.type != WireType::kBytes || field.value == 0) return {};
    HF_TRY(std::string text, at.text(field, TensorflowGraph::kMaxKerasBytes));
    if (!text.starts_with('{')) return {};
    HF_CHECK(charge(text.size() + sizeof(std::string)));
    graph_.keras.push_back(std::move(text));
    return {};
  });
}

// SavedObjectGraph: SavedObject.user_object
Result<> Reader::objects(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 1) return {};
    HF_TRY(const WireReader object, at.message(field));
    return each_field(object, [&](const WireReader& inner, const WireField& part) -> Result<> {
      if (part.number != 4) return {};
      HF_TRY(const WireReader user, inner.message(part));
      return keras_object(user, 3);
    });
  });
}

Result<> Reader::meta_graph(const WireReader& reader) {
  return each_field(reader, [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number == 4 || field.number > 7 || field.type != WireType::kBytes) return {};
    HF_TRY(const WireReader inner, at.message(field));
    switch (field.number) {
      case 1:
        return meta_info(inner);
      case 2:
        return graph(inner);
      case 3:
        return saver(inner);
      case 6:
        return asset(inner);
      case 7:
        return objects(inner);
      default:
        return {};
    }
  });
}

Result<TensorflowGraph> Reader::saved_model() {
  HF_CHECK(each_field(WireReader(buffer_), [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 2) return {};
    HF_TRY(const WireReader inner, at.message(field));
    return meta_graph(inner);
  }));
  if (graphs_ == 0) return fail(ErrorCode::kDataCorrupt, "no SavedModel: it has no graph");
  return std::move(graph_);
}

Result<TensorflowGraph> Reader::frozen() {
  HF_CHECK(graph(WireReader(buffer_)));
  if (graph_.uses.empty()) return fail(ErrorCode::kDataCorrupt, "no TensorFlow graph: it has no node");
  return std::move(graph_);
}

Result<TensorflowGraph> Reader::keras_metadata() {
  HF_CHECK(each_field(WireReader(buffer_), [&](const WireReader& at, const WireField& field) -> Result<> {
    if (field.number != 1) return {};
    HF_TRY(const WireReader inner, at.message(field));
    return keras_object(inner, 5);
  }));
  return std::move(graph_);
}

}  // namespace

Result<TensorflowGraph> read_saved_model(const Source& source) { return Reader(source).saved_model(); }
Result<TensorflowGraph> read_graph_def(const Source& source) { return Reader(source).frozen(); }
Result<TensorflowGraph> read_keras_metadata(const Source& source) { return Reader(source).keras_metadata(); }

}  // namespace holdfast::formats
