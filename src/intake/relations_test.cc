#include "intake/relations.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace holdfast::intake {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RelationsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-relations-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::create_directory(folder_ / "below");
    ASSERT_TRUE(
        base::write_file_atomically(folder_ / "below/weights", base::as_bytes(std::string_view("12345678"))));
    fs::create_symlink("weights", folder_ / "below/link");
    fs::create_symlink("below", folder_ / "folder-link");
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] inspect::FileReport report(std::string_view name, std::string_view format = "onnx") const {
    return {.path = (folder_ / name).string(),
            .format = std::string(format),
            .not_looked_at = {},
            .findings = {}};
  }
  // The findings about a model that needs `location`, 8 bytes long unless told otherwise.
  std::vector<inspect::Finding> needing(std::string_view location, std::uint64_t end = 8) {
    auto model = report("model.onnx");
    relations_.add({{.location = std::string(location), .what = "\"w\"", .end = end, .numbers = true}},
                   model);
    return model.findings;
  }

  fs::path folder_;
  Relations relations_;
};

TEST_F(RelationsTest, WhatIsThereIsWell) {
  EXPECT_THAT(needing("below/weights"), IsEmpty());
  EXPECT_THAT(needing("./below//weights", 0), IsEmpty());
}

TEST_F(RelationsTest, WhatIsMissingShortOrALinkIsFound) {
  const auto rule_of = [&](std::string_view location, std::uint64_t end = 8) {
    const auto found = needing(location, end);
    return found.size() == 1 ? found[0].rule_id : "";
  };
  EXPECT_EQ(rule_of("none"), "weights.missing");
  EXPECT_EQ(rule_of("below"), "weights.missing");
  EXPECT_EQ(rule_of("below/weights/more"), "weights.missing");
  EXPECT_EQ(rule_of("below/weights", 9), "weights.too-short");
  EXPECT_EQ(rule_of("below/link"), "weights.link");
  EXPECT_EQ(rule_of("folder-link/weights"), "weights.link");
  EXPECT_THAT(needing("below/weights", 9)[0].message, HasSubstr("\"w\" must end at byte 9"));
}

TEST_F(RelationsTest, NumbersNeedNoKnownFormat) {
  needing("below/weights");
  inspect::Report all;
  all.files = {report("below/weights", "unknown"), report("below/other", "unknown"),
               report("below/weights", "pickle")};
  for (auto& file : all.files) file.not_looked_at = {file.path + ": its format is not known"};
  relations_.apply(all);
  EXPECT_EQ(all.files[0].format, "tensor data");
  EXPECT_THAT(all.files[0].not_looked_at, IsEmpty());
  EXPECT_THAT(all.files[1].not_looked_at, SizeIs(1));
  EXPECT_THAT(all.files[2].not_looked_at, SizeIs(1));
}

TEST_F(RelationsTest, AFileThatIsAlsoReadOtherwiseIsNotCleared) {
  needing("below/weights");
  auto model = report("index.json");
  relations_.add({{.location = "below/weights", .what = "\"w\""}}, model);
  inspect::Report all;
  all.files = {report("below/weights", "unknown")};
  all.files[0].not_looked_at = {"its format is not known"};
  relations_.apply(all);
  EXPECT_FALSE(all.complete());
}

}  // namespace
}  // namespace holdfast::intake
