#include "base/secret_file.h"

#include <gmock/gmock-matchers.h>

#include <fstream>

#include "base/encoding.h"
#include "base/random.h"

namespace holdfast::base {
namespace {

namespace fs = std::filesystem;

class SecretFileTest : public testing::Test {
 protected:
  SecretFileTest() : path_(fs::path(testing::TempDir()) / ("secret-" + hex_encode(system_random().take(8)))) {
    std::ofstream(path_) << "a secret\n";
    allow(fs::perms::owner_read | fs::perms::owner_write);
  }
  ~SecretFileTest() override { fs::remove(path_); }
  void allow(fs::perms rights) const { fs::permissions(path_, rights); }

  fs::path path_;
};

TEST_F(SecretFileTest, GivesWhatItsOwnerAloneMayRead) {
  EXPECT_EQ(read_secret_file(path_, 9)->reveal_text(), "a secret\n");
  EXPECT_EQ(read_secret_file(path_, 8).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(read_secret_file(path_.string() + "x", 9).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_secret_file("/dev/null", 9).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SecretFileTest, RefusesWhatOthersHaveAccessTo) {
  for (const auto right : {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write}) {
    allow(fs::perms::owner_read | right);
    const auto refused = read_secret_file(path_, 9);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("chmod 600 " + path_.string()));
  }
}

}  // namespace
}  // namespace holdfast::base
