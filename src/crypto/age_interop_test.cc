// What we seal opens with age itself, and what it seals opens with us. https://github.com/FiloSottile/age
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>

#include "base/file.h"
#include "crypto/age_file.h"
#include "crypto/age_samples.h"

namespace holdfast::crypto {
namespace {

using base::Bytes;

constexpr std::size_t kMaxFileBytes = 16UL << 20;

// The exit code of a program on PATH, whose output goes nowhere; 127 where there is none.
int run(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t child = 0;
  const int spawned = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) return 127;
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class AgeInteropTest : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    if (run({"age", "--version"}) != 0) GTEST_SKIP() << "there is no age on PATH to compare with";
    ASSERT_TRUE(base::write_file_atomically(plain_, text_));
    for (const std::uint8_t number : std::to_array<std::uint8_t>({1, 2})) {
      const auto identity = sample_identity(number);
      ASSERT_TRUE(base::write_file_atomically(key_file(number), identity.text().reveal(), 0600));
    }
  }

  [[nodiscard]] std::filesystem::path key_file(std::uint8_t number) const {
    return folder_ / ("key" + std::to_string(number));
  }
  [[nodiscard]] static std::string recipient(std::uint8_t number) {
    return sample_identity(number).recipient().text();
  }
  // The output, which is then removed. age makes no file at all for an empty text.
  [[nodiscard]] Bytes take_opened() const {
    if (!std::filesystem::exists(opened_)) return {};
    Bytes bytes = base::read_file(opened_, kMaxFileBytes).value();
    std::filesystem::remove(opened_);
    return bytes;
  }

  const TemporaryFolder folder_;
  const Bytes text_ = sample_text(GetParam());
  const std::filesystem::path plain_ = folder_ / "plain";
  const std::filesystem::path sealed_ = folder_ / "sealed";
  const std::filesystem::path opened_ = folder_ / "opened";
};

INSTANTIATE_TEST_SUITE_P(Sizes, AgeInteropTest, testing::Values(0, 1, 65535, 65536, 65537, 5UL << 20));

TEST_P(AgeInteropTest, AgeOpensWhatWeSeal) {
  for (const AgeForm form : {AgeForm::kBinary, AgeForm::kArmored}) {
    ASSERT_TRUE(seal_file(plain_, sealed_, sample_recipients({1, 2}), {.form = form}));
    for (const std::uint8_t number : std::to_array<std::uint8_t>({1, 2})) {
      ASSERT_EQ(run({"age", "-d", "-i", key_file(number), "-o", opened_, sealed_}), 0);
      EXPECT_EQ(take_opened(), text_);
    }
    EXPECT_TRUE(seal_file(plain_, sealed_, sample_recipients({3})));
    EXPECT_NE(run({"age", "-d", "-i", key_file(1), "-o", opened_, sealed_}), 0);
  }
}

TEST_P(AgeInteropTest, WeOpenWhatAgeSeals) {
  const std::vector<std::vector<std::string>> ways = {
      {"age", "-r", recipient(1), "-o", sealed_, plain_},
      {"age", "-r", recipient(2), "-r", recipient(1), "-o", sealed_, plain_},
      {"age", "-a", "-r", recipient(1), "-r", recipient(3), "-o", sealed_, plain_},
  };
  for (const auto& way : ways) {
    ASSERT_EQ(run(way), 0);
    auto identities = read_age_identities(key_file(1));
    ASSERT_TRUE(identities.has_value()) << identities.error().message;
    const AgeKeys keys{.identities = *std::move(identities), .passphrases = {}};
    const auto unsealed = unseal_file(sealed_, opened_, keys);
    ASSERT_TRUE(unsealed.has_value()) << unsealed.error().message;
    EXPECT_EQ(take_opened(), text_);
  }
}

TEST(AgeKeygenInterop, WeReadTheKeysThatAgeKeygenWrites) {
  const TemporaryFolder folder;
  const auto path = folder / "key";
  if (run({"age-keygen", "-o", path}) != 0) GTEST_SKIP() << "there is no age-keygen on PATH to compare with";
  const auto identities = read_age_identities(path);
  ASSERT_TRUE(identities.has_value()) << identities.error().message;
  const Bytes content = base::read_file(path, 4096).value();
  EXPECT_NE(base::as_text(content).find(identities->at(0).recipient().text()), std::string::npos);
}

}  // namespace
}  // namespace holdfast::crypto
