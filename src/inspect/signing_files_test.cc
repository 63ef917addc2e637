#include "inspect/signing_files.h"

#include <gmock/gmock-more-matchers.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "base/encoding.h"
#include "base/random.h"
#include "crypto/sha256.h"

namespace holdfast::inspect {
namespace {

namespace fs = std::filesystem;
using base::Bytes;
using base::ErrorCode;
using testing::ElementsAre;
using testing::IsEmpty;

class SigningFiles : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& content = "x") {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  static std::vector<std::string> names(const FoundFiles& found) {
    std::vector<std::string> all;
    for (const FoundFile& file : found.files) all.push_back(file.name);
    return all;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / base::hex_encode(base::system_random().take(8));
};

TEST_F(SigningFiles, FindsFilesInTheToolsOrder) {
  for (const char* name : {"sub.txt", "sub/b", "sub/deep/c", "a", "sub-x"}) write(name, name);
  fs::create_directory(folder_ / "empty");
  const auto found = find_files(folder_, {}, false);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_THAT(names(*found), ElementsAre("a", "sub/b", "sub/deep/c", "sub-x", "sub.txt"));
  EXPECT_EQ(found->files[2].size, 10U);
}

TEST_F(SigningFiles, LeavesOutWhatIsIgnored) {
  for (const char* name : {".git/x/y", ".gitignore", "a", "sub/.git/x"}) write(name);
  const std::vector<std::string> ignored{".git"};
  EXPECT_THAT(names(*find_files(folder_, ignored, false)), ElementsAre(".gitignore", "a", "sub/.git/x"));
}

TEST_F(SigningFiles, AFileIsItsOnlyFile) {
  const fs::path file = write("a", "content");
  EXPECT_THAT(names(*find_files(file, {}, false)), ElementsAre("."));
  EXPECT_EQ(find_files(folder_ / "none", {}, false).error().code, ErrorCode::kNotFound);
}

TEST_F(SigningFiles, LinksStandForFilesWhereAllowed) {
  write("a", "four");
  fs::create_symlink("a", folder_ / "to-file");
  fs::create_directory_symlink(".", folder_ / "to-folder");
  fs::create_symlink("nowhere", folder_ / "broken");
  const auto strict = find_files(folder_, {}, false);
  EXPECT_THAT(names(*strict), ElementsAre("a"));
  EXPECT_THAT(strict->links, ElementsAre("broken", "to-file", "to-folder"));
  const auto lenient = find_files(folder_, {}, true);
  EXPECT_THAT(names(*lenient), ElementsAre("a", "to-file"));
  EXPECT_EQ(lenient->files[1].size, 4U);
  EXPECT_THAT(lenient->links, ElementsAre("broken", "to-folder"));
}

TEST_F(SigningFiles, PutsApartWhatIsNeitherFileNorFolder) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  fs::create_symlink("fifo", folder_ / "to-fifo");
  const auto found = find_files(folder_, {}, true);
  EXPECT_THAT(found->irregular, ElementsAre("fifo"));
  EXPECT_THAT(found->links, ElementsAre("to-fifo"));
  EXPECT_THAT(names(*found), IsEmpty());
}

TEST_F(SigningFiles, HashesAsSha256DoesAroundItsBuffersSize) {
  std::vector<HashTask> tasks;
  std::vector<Bytes> expected;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{(1UL << 20) - 1}, std::size_t{1UL << 20},
        std::size_t{(1UL << 20) + 1}, std::size_t{5UL << 20}}) {
    std::string content(size, 'x');
    for (std::size_t i = 0; i < size; i += 1000) content[i] = static_cast<char>('a' + i / 1000 % 26);
    tasks.push_back({.file = write(std::to_string(size), content), .offset = 0, .size = size});
    const auto digest = crypto::sha256(base::as_bytes(content));
    expected.emplace_back(digest.bytes().begin(), digest.bytes().end());
  }
  EXPECT_EQ(hash_all(tasks, ManifestHash::kSha256, {}).value(), expected);
  EXPECT_EQ(hash_all(std::span(tasks).first(1), ManifestHash::kSha256, {})->front(), expected.front());
  EXPECT_THAT(hash_all({}, ManifestHash::kSha256, {}).value(), IsEmpty());
}

TEST_F(SigningFiles, HashesRanges) {
  const fs::path file = write("a", "0123456789");
  const std::vector<HashTask> tasks{{.file = file, .offset = 2, .size = 3}};
  const auto digest = crypto::sha256(base::as_bytes("234"));
  EXPECT_THAT(hash_all(tasks, ManifestHash::kSha256, {})->front(), testing::ElementsAreArray(digest.bytes()));
}

TEST_F(SigningFiles, HashesWithBlake2b) {
  // RFC 7693, appendix A: BLAKE2b-512 of "abc".
  const std::vector<HashTask> tasks{{.file = write("a", "abc"), .offset = 0, .size = 3}};
  EXPECT_EQ(base::hex_encode(hash_all(tasks, ManifestHash::kBlake2b, {})->front()),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST_F(SigningFiles, ProgressGrowsToTheTotalInTheCallersThread) {
  std::vector<HashTask> tasks;
  for (const char* name : {"a", "b", "c"}) {
    tasks.push_back({.file = write(name, std::string(3UL << 20, 'x')), .offset = 0, .size = 3UL << 20});
  }
  std::uint64_t last = 0;
  const auto caller = std::this_thread::get_id();
  ASSERT_TRUE(hash_all(tasks, ManifestHash::kSha256, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(total, 9UL << 20);
    EXPECT_GE(done, last);
    last = done;
  }));
  EXPECT_EQ(last, 9UL << 20);
}

TEST_F(SigningFiles, TheFirstErrorEndsItAndNamesTheFile) {
  std::vector<HashTask> tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back({.file = write(std::to_string(i)), .offset = 0, .size = 1});
  tasks[20].file = folder_ / "gone";
  const auto gone = hash_all(tasks, ManifestHash::kSha256, {});
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(gone.error().message, testing::HasSubstr("gone"));
  tasks[20].file = tasks[21].file;
  tasks[20].size = 2;
  EXPECT_EQ(hash_all(tasks, ManifestHash::kSha256, {}).error().code, ErrorCode::kConflict);
}

}  // namespace
}  // namespace holdfast::inspect
