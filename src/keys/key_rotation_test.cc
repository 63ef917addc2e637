#include <gmock/gmock-matchers.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <random>
#include <thread>

#include "base/file.h"
#include "crypto/age.h"
#include "crypto/envelope.h"
#include "keys/key_store.h"
#include "keys/master_rotation.h"
#include "keys/testing.h"

namespace holdfast::keys {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Secret;
using base::Timestamp;
using base::WorkspaceId;
using testing::ElementsAre;
using testing::HasSubstr;

const WorkspaceId kCredit("credit");
const KeyName kBodies{.workspace = kCredit, .purpose = "log", .subject = "bodies"};
const KeyName kToken{.workspace = kCredit, .purpose = "webhook", .subject = "siem"};

class StillClock : public base::Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp::from_microseconds(now_.load()); }
  void set(std::int64_t microseconds) { now_ = microseconds; }

 private:
  std::atomic<std::int64_t> now_ = 1'000'000;
};

std::unique_ptr<KeyStore> open(const fs::path& folder, std::uint8_t master, KeyStoreOptions options = {}) {
  auto opened = KeyStore::open(folder, master_of(master), options);
  EXPECT_TRUE(opened.has_value()) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

base::Bytes bytes_of(const base::Result<crypto::AeadKey>& key) {
  return {key.value().secret().reveal().begin(), key.value().secret().reveal().end()};
}

std::vector<std::string> names_of(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

TEST(KeyListTest, TellsWhenEachKeyWasMade) {
  const TemporaryFolder folder;
  StillClock clock;
  const auto keys = open(folder.path() / "keys", 1, {.clock = &clock});
  clock.set(2'000'000);
  ASSERT_TRUE(keys->aead(kBodies));
  ASSERT_TRUE(keys->put_secret(kToken, Secret::copy_of(base::as_bytes("first"))));
  clock.set(3'000'000);
  ASSERT_TRUE(keys->put_secret(kToken, Secret::copy_of(base::as_bytes("second"))));
  ASSERT_TRUE(keys->blob_keys(kCredit));
  clock.set(4'000'000);
  ASSERT_TRUE(keys->destroy(kBodies));
  const auto all = keys->list().value();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].name, kMasterKeyName);
  EXPECT_EQ(all[0].created, Timestamp::from_microseconds(1'000'000));
  EXPECT_EQ(all[1].name, "credit/blobs/content");
  EXPECT_EQ(all[1].kind, "blob-keys");
  EXPECT_EQ(all[1].created, Timestamp::from_microseconds(3'000'000));
  EXPECT_EQ(all[2].name, "credit/log/bodies");
  EXPECT_TRUE(all[2].destroyed);
  EXPECT_EQ(all[3].name, "credit/webhook/siem");
  EXPECT_EQ(all[3].created, Timestamp::from_microseconds(3'000'000));
}

TEST(KeyListTest, AKeyFromBeforeTimesWereKeptOpensAndHasNone) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  ASSERT_TRUE(open(path, 1)->put_secret(kToken, Secret::copy_of(base::as_bytes("new"))));
  const auto old = crypto::seal_envelope(master_of(1).key(), "credit/webhook/siem",
                                         base::as_bytes("secret\nfrom before"), base::system_random());
  ASSERT_TRUE(base::write_file_atomically(path / "credit/webhook/siem.key", old, 0600));
  const auto keys = open(path, 1);
  EXPECT_EQ(keys->secret(kToken)->reveal_text(), "from before");
  EXPECT_EQ(keys->list().value().at(1).created, std::nullopt);
}

TEST(KeyListTest, APayloadWithAHeadThatIsNoneIsDamaged) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  ASSERT_TRUE(open(path, 1)->put_secret(kToken, Secret::copy_of(base::as_bytes("new"))));
  for (const char* payload : {"", "secret", "secret x\nno time", "secret 1 2\nneither", "secret \nnone"}) {
    const auto odd = crypto::seal_envelope(master_of(1).key(), "credit/webhook/siem", base::as_bytes(payload),
                                           base::system_random());
    ASSERT_TRUE(base::write_file_atomically(path / "credit/webhook/siem.key", odd, 0600));
    const auto keys = open(path, 1);
    EXPECT_EQ(code_of(keys->secret(kToken)), ErrorCode::kDataCorrupt) << payload;
    EXPECT_EQ(code_of(keys->list()), ErrorCode::kDataCorrupt) << payload;
  }
}

TEST(RewrapTest, AllKeysOpenUnderTheNewMasterKeyAndNoneUnderTheOld) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  StillClock clock;
  const auto keys = open(path, 1, {.clock = &clock});
  const auto bodies = bytes_of(keys->aead(kBodies));
  ASSERT_TRUE(keys->put_secret(kToken, Secret::copy_of(base::as_bytes("s3cret"))));
  const KeyName gone{.workspace = kCredit, .purpose = "log", .subject = "gone"};
  ASSERT_TRUE(keys->aead(gone));
  ASSERT_TRUE(keys->destroy(gone));
  clock.set(9'000'000);
  ASSERT_TRUE(keys->rewrap(master_of(2)));
  const KeyName later{.workspace = kCredit, .purpose = "log", .subject = "later"};
  const auto made_later = bytes_of(keys->aead(later));
  EXPECT_THAT(names_of(folder.path()), ElementsAre("keys"));

  EXPECT_EQ(code_of(KeyStore::open(path, master_of(1))), ErrorCode::kUnauthenticated);
  const auto again = open(path, 2, {.clock = &clock});
  EXPECT_EQ(bytes_of(again->aead(kBodies)), bodies);
  EXPECT_EQ(bytes_of(again->aead(later)), made_later);
  EXPECT_EQ(again->secret(kToken)->reveal_text(), "s3cret");
  EXPECT_EQ(code_of(again->aead(gone)), ErrorCode::kNotFound);
  const auto all = again->list().value();
  EXPECT_EQ(all.at(0).created, Timestamp::from_microseconds(9'000'000)) << "of the master key";
  EXPECT_EQ(all.at(1).created, Timestamp::from_microseconds(1'000'000)) << "of the key that it wraps";
}

TEST(RewrapTest, ADamagedKeyKeepsAllUnderTheOldMasterKey) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  ASSERT_TRUE(open(path, 1)->aead(kBodies));
  ASSERT_TRUE(open(path, 1)->put_secret(kToken, Secret::copy_of(base::as_bytes("s3cret"))));
  flip_byte(path / "credit/log/bodies.key", 20);
  EXPECT_EQ(code_of(open(path, 1)->rewrap(master_of(2))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(open(path, 1)->secret(kToken)->reveal_text(), "s3cret");
  EXPECT_THAT(names_of(folder.path()), ElementsAre("keys"));
}

TEST(RewrapTest, WhoUsesKeysMeanwhileGetsTheSame) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  const auto keys = open(path, 1);
  const auto bodies = bytes_of(keys->aead(kBodies));
  std::atomic<bool> stopping = false;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      for (int round = 0; !stopping || round == 0; ++round) {
        EXPECT_EQ(bytes_of(keys->aead(kBodies)), bodies);
        const KeyName mine{.workspace = kCredit,
                           .purpose = "webhook",
                           .subject = std::to_string(number) + "-" + std::to_string(round % 8)};
        EXPECT_TRUE(keys->put_secret(mine, Secret::copy_of(base::as_bytes("mine"))));
      }
    });
  }
  for (std::uint8_t master = 2; master < 6; ++master) EXPECT_TRUE(keys->rewrap(master_of(master)));
  stopping = true;
  for (auto& thread : threads) thread.join();
  const auto again = open(path, 5);
  EXPECT_EQ(bytes_of(again->aead(kBodies)), bodies);
  EXPECT_TRUE(again->list());
}

TEST(BlobKeyRotationTest, WhatWasSealedBeforeOpensAndNewIsSealedToTheNewKey) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  const auto keys = open(path, 1);
  const auto before = keys->blob_keys(kCredit).value();
  ASSERT_TRUE(keys->rotate_blob_keys(kCredit));
  for (const auto& after : {keys->blob_keys(kCredit).value(), open(path, 1)->blob_keys(kCredit).value()}) {
    EXPECT_NE(after.recipients, before.recipients);
    ASSERT_EQ(after.identities.identities.size(), 2U);
    EXPECT_EQ(after.identities.identities[0].recipient(), after.recipients.at(0));
    EXPECT_EQ(after.identities.identities[1].recipient(), before.recipients.at(0));
    EXPECT_EQ(store::blob_id(after, base::Digest()), store::blob_id(before, base::Digest()));
  }
}

TEST(BlobKeyRotationTest, EndsWhereReadersCouldNotFollow) {
  const TemporaryFolder folder;
  const auto keys = open(folder.path() / "keys", 1);
  for (std::size_t number = 1; number < kMaxBlobIdentities; ++number) {
    ASSERT_TRUE(keys->rotate_blob_keys(kCredit)) << number;
  }
  EXPECT_EQ(code_of(keys->rotate_blob_keys(kCredit)), ErrorCode::kLimitExceeded);
  EXPECT_EQ(keys->blob_keys(kCredit).value().identities.identities.size(), kMaxBlobIdentities);
}

// A state folder and a master key file beside it, as an installation has them.
struct Home {
  TemporaryFolder folder;
  fs::path state = folder.path() / "state";
  fs::path keys = state / "keys";
  fs::path config = folder.path() / "config";
  fs::path file = config / "master.key";

  Home() {
    fs::create_directories(state);
    fs::create_directories(config);
    EXPECT_TRUE(MasterKey::generate_file(file, state, base::system_random()));
  }
  [[nodiscard]] base::Result<std::unique_ptr<KeyStore>> open() const {
    HF_TRY(auto master, master_key_in_force(file, state, keys));
    HF_CHECK(settle_master_file(file, state, keys));
    return KeyStore::open(keys, std::move(master));
  }
  [[nodiscard]] base::Result<> rotate(KeyStore& store) const {
    return rotate_master_file(store, file, state, keys, base::system_random());
  }
};

TEST(MasterRotationTest, TheFileHoldsTheNewKeyAndTheOldOneIsKept) {
  const Home home;
  const auto store = home.open().value();
  const auto bodies = bytes_of(store->aead(kBodies));
  const auto old = base::read_file(home.file, 4096).value();
  ASSERT_TRUE(home.rotate(*store));
  EXPECT_NE(base::read_file(home.file, 4096).value(), old);
  const auto names = names_of(home.config);
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0], "master.key");
  EXPECT_THAT(names[1], HasSubstr("master.key.until-"));
  EXPECT_EQ(base::read_file(home.config / names[1], 4096).value(), old);
  EXPECT_EQ(bytes_of(home.open().value()->aead(kBodies)), bodies);
}

TEST(MasterRotationTest, AFileThatIsNotInForceIsNotRotated) {
  const Home home;
  const auto store = home.open().value();
  ASSERT_TRUE(store->rewrap(master_of(7)));
  EXPECT_EQ(code_of(home.rotate(*store)), ErrorCode::kConflict);
  EXPECT_THAT(names_of(home.config), ElementsAre("master.key"));
}

TEST(MasterRotationTest, AKeyThatWasMadeAndNotUsedGoes) {
  const Home home;
  const auto bodies = bytes_of(home.open().value()->aead(kBodies));
  ASSERT_TRUE(MasterKey::generate_file(home.file.string() + ".next", home.state, base::system_random()));
  EXPECT_EQ(bytes_of(home.open().value()->aead(kBodies)), bodies);
  EXPECT_THAT(names_of(home.config), ElementsAre("master.key"));
}

TEST(MasterRotationTest, AKeyThatIsInForceTakesItsNameAtTheNextStart) {
  const Home home;
  const fs::path next = home.file.string() + ".next";
  const auto store = home.open().value();
  const auto bodies = bytes_of(store->aead(kBodies));
  ASSERT_TRUE(MasterKey::generate_file(next, home.state, base::system_random()));
  ASSERT_TRUE(store->rewrap(MasterKey::from_file(next, home.state).value()));
  EXPECT_EQ(bytes_of(home.open().value()->aead(kBodies)), bodies);
  EXPECT_FALSE(fs::exists(next));
  EXPECT_EQ(names_of(home.config).size(), 2U);
  EXPECT_EQ(bytes_of(home.open().value()->aead(kBodies)), bodies);
}

// Rotates until it is killed, and tells by one byte of each that was done.
[[noreturn]] void rotate_until_killed(const Home& home, int done) {
  auto store = home.open();
  if (!store) ::_exit(1);
  for (;;) {
    if (!home.rotate(**store) || ::write(done, "r", 1) != 1) ::_exit(1);
  }
}

TEST(MasterRotationTest, KilledAtAnyMomentNoKeyIsLost) {
  constexpr int kKills = 25;
  const Home home;
  const auto bodies = bytes_of(home.open().value()->aead(kBodies));
  for (int number = 0; number < 20; ++number) {
    const KeyName name{.workspace = kCredit, .purpose = "log", .subject = "more-" + std::to_string(number)};
    ASSERT_TRUE(home.open().value()->aead(name));
  }
  std::minstd_rand moments(7);  // NOLINT(cert-msc51-cpp): the same each time
  for (int kill = 0; kill < kKills; ++kill) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) rotate_until_killed(home, pipe[1]);
    ::close(pipe[1]);
    char byte = 0;
    ASSERT_EQ(::read(pipe[0], &byte, 1), 1) << "the rotation failed";
    ::usleep(static_cast<useconds_t>(moments() % 20'000));  // where in the next one it is hit
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(pipe[0]);
    const auto store = home.open();
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ(bytes_of((*store)->aead(kBodies)), bodies);
    EXPECT_EQ((*store)->list().value().size(), 22U);
    EXPECT_THAT(names_of(home.state), ElementsAre("keys"));
    EXPECT_FALSE(fs::exists(home.file.string() + ".next"));
  }
}

}  // namespace
}  // namespace holdfast::keys
