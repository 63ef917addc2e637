#include "crypto/age_file.h"

#include <gmock/gmock-matchers.h>
#include <sys/stat.h>

#include "base/file.h"
#include "crypto/age_samples.h"

namespace holdfast::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::ErrorCode;
using testing::HasSubstr;

class AgeFileTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(base::write_file_atomically(plain_, text_)); }

  [[nodiscard]] Bytes content(const std::filesystem::path& path) const {
    return base::read_file(path, 100UL << 20).value();
  }
  static unsigned mode(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 0777U;
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }

  const TemporaryFolder folder_;
  const Bytes text_ = sample_text((1UL << 20) + 3);
  const std::filesystem::path plain_ = folder_ / "model.onnx";
  const std::filesystem::path sealed_ = folder_ / "model.onnx.age";
  const std::filesystem::path opened_ = folder_ / "opened.onnx";
};

TEST_F(AgeFileTest, ComesBackReadableToItsOwnerAlone) {
  for (const AgeForm form : {AgeForm::kBinary, AgeForm::kArmored}) {
    std::vector<std::uint64_t> told;
    const auto note = [&](std::uint64_t done) { told.push_back(done); };
    const auto sealed = seal_file(plain_, sealed_, sample_recipients({1}), {.form = form, .progress = note});
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
    const auto opened = unseal_file(sealed_, opened_, sample_keys({1}), note);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(content(opened_), text_);
    EXPECT_EQ(mode(opened_), 0600U);
    EXPECT_THAT(told, testing::ElementsAre(1UL << 20, text_.size(), 1UL << 20, text_.size()));
  }
}

TEST_F(AgeFileTest, LeavesNothingOfAFileThatDoesNotOpenWhole) {
  ASSERT_TRUE(seal_file(plain_, sealed_, sample_recipients({1})));
  Bytes damaged = content(sealed_);
  damaged.back() ^= 1;  // the first chunks open, the last does not
  ASSERT_TRUE(base::write_file_atomically(sealed_, damaged));
  ASSERT_TRUE(base::write_file_atomically(opened_, as_bytes("what was there")));

  const auto opened = unseal_file(sealed_, opened_, sample_keys({1}));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kDataCorrupt);
  EXPECT_THAT(opened.error().message, HasSubstr("model.onnx.age"));
  EXPECT_EQ(content(opened_), Bytes(as_bytes("what was there").begin(), as_bytes("what was there").end()));
  EXPECT_EQ(unseal_file(sealed_, folder_ / "new", sample_keys({2})).error().code,
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(files(), 3U);
}

TEST_F(AgeFileTest, RefusesTheInputAsOutputUnderAnyName) {
  const auto hard = folder_ / "hard";
  const auto symbolic = folder_ / "symbolic";
  std::filesystem::create_hard_link(plain_, hard);
  std::filesystem::create_symlink(plain_, symbolic);
  for (const auto& out : {plain_, hard, symbolic, folder_.path() / "." / "model.onnx"}) {
    const auto sealed = seal_file(plain_, out, sample_recipients({1}));
    ASSERT_FALSE(sealed.has_value()) << out;
    EXPECT_EQ(sealed.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(content(plain_), text_);
}

TEST_F(AgeFileTest, NamesWhatItCannotReadOrWrite) {
  const auto missing = seal_file(folder_ / "missing", sealed_, sample_recipients({1}));
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("missing"));
  const auto nowhere = seal_file(plain_, folder_ / "no" / "where", sample_recipients({1}));
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(nowhere.error().message, HasSubstr("where"));
  EXPECT_EQ(seal_file(folder_.path(), sealed_, sample_recipients({1})).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::crypto
