#include "keys/master_key.h"

#include <gmock/gmock-matchers.h>

#include <cstdlib>
#include <fstream>

#include "base/file.h"
#include "keys/derivation.h"
#include "keys/key_store.h"
#include "keys/testing.h"

namespace holdfast::keys {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Secret;
using testing::HasSubstr;
using testing::Not;

constexpr crypto::Argon2Cost kCheap{.memory_kib = 64, .passes = 1, .lanes = 1};

Secret secret(std::string_view text) { return Secret::copy_of(base::as_bytes(text)); }

base::Bytes bytes_of(const MasterKey& key) {
  return {key.key().secret().reveal().begin(), key.key().secret().reveal().end()};
}

TEST(MasterKeyTest, IsReadFromOneLineAlone) {
  EXPECT_EQ(bytes_of(master_of(7)), base::Bytes(32, 7));
  EXPECT_TRUE(MasterKey::parse("# comment\n\n" + master_text(1)));
  for (const auto& text :
       {std::string(), std::string("# nothing\n"), master_text(1) + master_text(1), "x" + master_text(1),
        std::string("holdfast-master-key-1:\n"), std::string("holdfast-master-key-1:AAAA\n"),
        std::string("holdfast-master-key-1:!!!!\n"), std::string("holdfast-master-key-2:AAAA\n")}) {
    EXPECT_EQ(code_of(MasterKey::parse(text)), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(MasterKeyTest, AMistypedKeyIsNotRepeated) {
  const auto wrong = MasterKey::parse("holdfast-master-key-1:c2VjcmV0\n");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, Not(HasSubstr("c2VjcmV0")));
}

TEST(MasterKeyTest, AFileIsMadeOnceForItsOwnerAlone) {
  const TemporaryFolder folder;
  const auto state = folder.path() / "state";
  const auto file = folder.path() / "master.key";
  fs::create_directory(state);
  ASSERT_TRUE(MasterKey::generate_file(file, state, base::system_random()));
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto key = bytes_of(MasterKey::from_file(file, state).value());
  EXPECT_EQ(code_of(MasterKey::generate_file(file, state, base::system_random())), ErrorCode::kAlreadyExists);
  EXPECT_EQ(bytes_of(MasterKey::from_file(file, state).value()), key);
}

TEST(MasterKeyTest, AFileThatOthersCanReadIsRefused) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "master.key";
  const auto state = folder.path() / "state";
  ASSERT_TRUE(MasterKey::generate_file(file, state, base::system_random()));
  fs::permissions(file, fs::perms::others_read, fs::perm_options::add);
  const auto refused = MasterKey::from_file(file, state);
  EXPECT_EQ(code_of(refused), ErrorCode::kPermissionDenied);
  EXPECT_THAT(refused.error().message, HasSubstr("chmod 600"));
}

TEST(MasterKeyTest, AFileInTheStateFolderIsRefusedByWhateverWay) {
  const TemporaryFolder folder;
  const auto state = folder.path() / "state";
  fs::create_directories(state / "deep");
  fs::create_symlink(state / "deep", folder.path() / "link");
  for (const auto& file : {state / "master.key", state / "deep/master.key", folder.path() / "link/master.key",
                           folder.path() / "other/../state/master.key"}) {
    EXPECT_EQ(code_of(MasterKey::generate_file(file, state, base::system_random())),
              ErrorCode::kInvalidArgument)
        << file;
    EXPECT_EQ(code_of(MasterKey::from_file(file, state / "")), ErrorCode::kInvalidArgument) << file;
  }
  EXPECT_TRUE(MasterKey::generate_file(folder.path() / "state.key", state, base::system_random()));
}

TEST(MasterKeyTest, AFileThatIsNoneOrTooLargeIsRefusedByName) {
  const TemporaryFolder folder;
  const auto state = folder.path() / "state";
  EXPECT_EQ(code_of(MasterKey::from_file(folder.path() / "none", state)), ErrorCode::kNotFound);
  const auto file = folder.path() / "large";
  ASSERT_TRUE(base::write_file_atomically(file, base::Bytes(kMaxMasterKeyFileBytes + 1, '\n'), 0600));
  EXPECT_EQ(code_of(MasterKey::from_file(file, state)), ErrorCode::kLimitExceeded);
  ASSERT_TRUE(base::write_file_atomically(file, base::as_bytes("hello"), 0600));
  EXPECT_THAT(MasterKey::from_file(file, state).error().message, HasSubstr(file.string()));
}

TEST(MasterKeyTest, APassphraseGivesTheSameKeyBesideItsSalt) {
  const TemporaryFolder folder;
  const auto keys = folder.path() / "keys";
  auto first =
      MasterKey::from_passphrase(secret("correct horse"), keys, base::system_random(), kCheap).value();
  const auto bytes = bytes_of(first);
  ASSERT_TRUE(KeyStore::open(keys, std::move(first)));
  // The cost that is kept counts, not the one asked for now.
  auto again = MasterKey::from_passphrase(secret("correct horse"), keys, base::system_random()).value();
  EXPECT_EQ(bytes_of(again), bytes);
  EXPECT_TRUE(KeyStore::open(keys, std::move(again)));
  auto wrong = MasterKey::from_passphrase(secret("wrong"), keys, base::system_random()).value();
  const auto refused = KeyStore::open(keys, std::move(wrong));
  EXPECT_EQ(code_of(refused), ErrorCode::kUnauthenticated);
  EXPECT_THAT(refused.error().message, HasSubstr("passphrase"));
}

TEST(MasterKeyTest, APassphraseIsNoKeyToAFileKeysFolder) {
  const TemporaryFolder folder;
  const auto keys = folder.path() / "keys";
  ASSERT_TRUE(KeyStore::open(keys, master_of(1)));
  EXPECT_EQ(code_of(MasterKey::from_passphrase(secret("x"), keys, base::system_random(), kCheap)),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      code_of(MasterKey::from_passphrase(Secret(), folder.path() / "new", base::system_random(), kCheap)),
      ErrorCode::kInvalidArgument);
}

TEST(MasterKeyTest, AKeptCostBeyondTheBoundsIsRefused) {
  const TemporaryFolder folder;
  const MasterFile file{.derivation = Derivation{.salt = base::Bytes(16), .cost = {.memory_kib = 1U << 31}},
                        .check = base::Bytes(40)};
  ASSERT_TRUE(base::write_file_atomically(folder.path() / kMasterFile,
                                          base::as_bytes(format_master_file(file)), 0600));
  EXPECT_EQ(code_of(MasterKey::from_passphrase(secret("x"), folder.path(), base::system_random())),
            ErrorCode::kLimitExceeded);
}

TEST(MasterKeyTest, ACredentialOfSystemdIsRead) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "holdfast-master-key") << master_text(5);
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(code_of(MasterKey::from_credential("holdfast-master-key")), ErrorCode::kNotFound);
  ::setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  EXPECT_EQ(bytes_of(MasterKey::from_credential("holdfast-master-key").value()), base::Bytes(32, 5));
  EXPECT_EQ(code_of(MasterKey::from_credential("other")), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(MasterKey::from_credential("../up")), ErrorCode::kInvalidArgument);
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

}  // namespace
}  // namespace holdfast::keys
