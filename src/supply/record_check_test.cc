#include "supply/record_check.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/sha256.h"

namespace holdfast::supply {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class RecordCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-record-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    site_ = root_ / "lib/python3.11/site-packages";
    write("lib/python3.11/site-packages/demo-1.dist-info/METADATA", "Name: demo\nVersion: 1\n");
    write("lib/python3.11/site-packages/demo/__init__.py", "x = 1\n");
    write("lib/python3.11/site-packages/demo/__pycache__/__init__.cpython-311.pyc", "compiled");
    write("bin/demo", "#!python\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, std::string_view text) {
    fs::create_directories((root_ / name).parent_path());
    ASSERT_TRUE(base::write_file_atomically(root_ / name, base::as_bytes(text)));
  }
  static std::string line(const std::string& path, std::string_view text) {
    return path + ",sha256=" +
           base::base64_encode(crypto::sha256(base::as_bytes(text)).bytes(), base::Base64::kUrl) + "," +
           std::to_string(text.size()) + "\n";
  }
  std::string honest() {
    return line("demo/__init__.py", "x = 1\n") + line("../../../bin/demo", "#!python\n") +
           line("demo-1.dist-info/METADATA", "Name: demo\nVersion: 1\n") + "demo-1.dist-info/RECORD,,\n";
  }
  std::vector<std::string> differences(const std::string& record) {
    write("lib/python3.11/site-packages/demo-1.dist-info/RECORD", record);
    const auto check = check_records(collect(root_, describe_model).value()).value();
    std::vector<std::string> all;
    for (const auto& difference : check.differences) {
      auto text = sentence(difference);
      if (const auto at = text.find(root_.string()); at != std::string::npos)
        text.erase(at, root_.string().size() + 1);
      all.push_back(text);
    }
    return all;
  }
  fs::path root_;
  fs::path site_;
};

TEST_F(RecordCheckTest, WhatIsAsItWasInstalledIsClean) { EXPECT_THAT(differences(honest()), IsEmpty()); }

TEST_F(RecordCheckTest, NamesWhatChangedWentAndCame) {
  write("bin/demo", "#!evil\n");
  fs::remove(site_ / "demo/__init__.py");
  write("lib/python3.11/site-packages/start.pth", "import os\n");
  write("lib/python3.11/site-packages/notes.txt", "no code\n");
  EXPECT_THAT(
      differences(honest()),
      ElementsAre("lib/python3.11/site-packages/demo/__init__.py was installed and is not there",
                  "bin/demo was changed since it was installed",
                  "lib/python3.11/site-packages/start.pth was installed by no distribution, and Python "
                  "would load it"));
}

TEST_F(RecordCheckTest, NothingIsReadOutsideTheEnvironment) {
  EXPECT_THAT(differences(honest() + "../../../../etc/passwd,sha256=x,1\n/etc/passwd,sha256=x,1\n"),
              ElementsAre("../../../../etc/passwd is named in a RECORD and lies outside the environment",
                          "/etc/passwd is named in a RECORD and lies outside the environment"));
}

TEST_F(RecordCheckTest, WhatCantBeProvenIsNamed) {
  EXPECT_EQ(
      differences("demo/__init__.py,md5=x,1\n").front(),
      "lib/python3.11/site-packages/demo/__init__.py can't be proven: its RECORD is not there, can't be read "
      "or has no SHA-256");
  EXPECT_EQ(differences("nonsense").size(), 2U) << "the RECORD, and the file that none names";
}

TEST_F(RecordCheckTest, ALinkIsNoFile) {
  fs::remove(root_ / "bin/demo");
  fs::create_symlink("/bin/true", root_ / "bin/demo");
  EXPECT_THAT(differences(honest()), ElementsAre("bin/demo was changed since it was installed"));
}

TEST_F(RecordCheckTest, TellsWhereADistributionCameFrom) {
  write("lib/python3.11/site-packages/demo-1.dist-info/INSTALLER", "pip\n");
  write("lib/python3.11/site-packages/demo-1.dist-info/direct_url.json",
        R"({"url":"https://ann:secret@host.example/demo.git","vcs_info":{"vcs":"git","commit_id":"abc"}})");
  const auto inventory = collect(root_, describe_model).value().inventory;
  ASSERT_EQ(inventory.components.size(), 1U);
  EXPECT_EQ(inventory.components[0].installer, "pip");
  EXPECT_EQ(inventory.components[0].purl.qualifiers.at("vcs_url"), "git+https://host.example/demo.git@abc");
  EXPECT_EQ(inventory.gaps.size(), 1U);
}

TEST(Record, ReadsQuotedPathsAndRefusesTheRest) {
  const auto entries = read_record("\"a,\"\"b\"\".py\",sha256=abc,3\r\nc.py,,\n");
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->at(0).path, "a,\"b\".py");
  EXPECT_EQ(entries->at(0).sha256, "abc");
  for (const auto* bad : {"\"a,b,c\n", ",sha256=a,1\n", "a,b,c,d\n"}) EXPECT_FALSE(read_record(bad)) << bad;
}

}  // namespace
}  // namespace holdfast::supply
