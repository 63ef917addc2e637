#include "registry/model_file.h"

#include <gtest/gtest.h>

namespace holdfast::registry {
namespace {

std::string why(std::string_view format, std::string_view head = {}) {
  return why_no_model(format, base::as_bytes(head)).value_or("");
}

TEST(ModelFile, WhatNoLibraryLoadsIsNoModel) {
  EXPECT_EQ(why("empty"), "it is empty, and no model");
  EXPECT_EQ(why("text", "a,b\n1,2\n"), "it is text alone, and no model");
  EXPECT_EQ(why("json", R"({"a": 1})"), "it is json alone, and no model");
  for (const auto* format : {"python", "png", "pdf", "elf"}) EXPECT_NE(why(format), "") << format;
}

TEST(ModelFile, ModelsThatAreTextAreModels) {
  EXPECT_EQ(why("text", "tree\nversion=v4\nnum_class=1\n"), "");
  EXPECT_EQ(why("text", "<?xml version=\"1.0\"?>\n<PMML version=\"4.4\">"), "");
  EXPECT_EQ(why("json", R"({"learner":{"attributes":{}}})"), "");
  EXPECT_EQ(why("json", R"({"features_info":{},"model_info":{}})"), "");
}

TEST(ModelFile, WhatMayHoldAModelIsNotJudged) {
  for (const auto* format :
       {"onnx", "pickle", "zip", "pytorch zip", "safetensors", "hdf5", "gzip", "onnx and text"})
    EXPECT_EQ(why(format), "") << format;
}

TEST(ModelFile, OnlyTheBeginningIsLookedAt) {
  EXPECT_NE(why("text", std::string(kModelHeadBytes, ' ') + "<PMML"), "");
}

}  // namespace
}  // namespace holdfast::registry
