#include "keys/key_store.h"

#include <gmock/gmock-matchers.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "crypto/age.h"
#include "crypto/envelope.h"
#include "keys/testing.h"

namespace holdfast::keys {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Secret;
using base::WorkspaceId;
using testing::HasSubstr;

const KeyName kName{.workspace = WorkspaceId("credit"), .purpose = "log", .subject = "bodies"};

std::unique_ptr<KeyStore> open(const fs::path& folder, std::uint8_t master = 1,
                               KeyStoreOptions options = {}) {
  auto opened = KeyStore::open(folder, master_of(master), options);
  EXPECT_TRUE(opened.has_value()) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

base::Bytes bytes_of(const base::Result<crypto::AeadKey>& key) {
  return {key.value().secret().reveal().begin(), key.value().secret().reveal().end()};
}

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

TEST(KeyStoreTest, AKeyIsMadeOnceAndStaysTheSame) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  const auto keys = open(path);
  const auto first = bytes_of(keys->aead(kName));
  EXPECT_EQ(bytes_of(keys->aead(kName)), first);
  EXPECT_EQ(bytes_of(open(path)->aead(kName)), first);
  auto other = kName;
  other.workspace = WorkspaceId("fraud");
  EXPECT_NE(bytes_of(keys->aead(other)), first);
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_EQ(mode_of(path / "credit/log/bodies.key"), 0600U);
}

TEST(KeyStoreTest, EachKindComesBackAsItWas) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  const KeyName signing = installation_key("log", "checkpoint");
  const KeyName ca = installation_key("tls", "ca");
  const KeyName token{.workspace = WorkspaceId("credit"), .purpose = "webhook", .subject = "siem.example"};
  base::Digest signer;
  base::Digest root;
  {
    const auto keys = open(path);
    signer = keys->signing_key(signing, crypto::KeyAlgorithm::kEd25519)->public_key().id();
    root = keys->authority(ca, "Holdfast", base::system_clock())->certificate().fingerprint();
    ASSERT_TRUE(keys->put_secret(token, Secret::copy_of(base::as_bytes("first"))));
    ASSERT_TRUE(keys->put_secret(token, Secret::copy_of(base::as_bytes("s3cret\nwith a line feed"))));
  }
  const auto keys = open(path);
  EXPECT_EQ(keys->signing_key(signing, crypto::KeyAlgorithm::kEd25519)->public_key().id(), signer);
  EXPECT_EQ(keys->authority(ca, "another name", base::system_clock())->certificate().fingerprint(), root);
  EXPECT_EQ(keys->secret(token)->reveal_text(), "s3cret\nwith a line feed");
}

TEST(KeyStoreTest, BlobKeysOpenWhatTheySealed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  const auto first = open(path)->blob_keys(WorkspaceId("credit")).value();
  const auto again = open(path)->blob_keys(WorkspaceId("credit")).value();
  const auto other = open(path)->blob_keys(WorkspaceId("fraud")).value();
  EXPECT_EQ(first.recipients, again.recipients);
  EXPECT_EQ(again.identities.identities.at(0).recipient(), first.recipients.at(0));
  EXPECT_EQ(store::blob_id(first, base::Digest()), store::blob_id(again, base::Digest()));
  EXPECT_NE(first.recipients, other.recipients);
  EXPECT_NE(store::blob_id(first, base::Digest()), store::blob_id(other, base::Digest()));
}

TEST(KeyStoreTest, ThreadsThatAskAtOnceGetTheSameKey) {
  constexpr std::size_t kThreads = 8;
  const TemporaryFolder folder;
  const auto keys = open(folder.path() / "keys");
  std::array<base::Bytes, kThreads> got;
  std::vector<std::thread> threads;
  for (auto& bytes : got) threads.emplace_back([&bytes, &keys] { bytes = bytes_of(keys->aead(kName)); });
  for (auto& thread : threads) thread.join();
  for (const auto& bytes : got) EXPECT_EQ(bytes, got[0]);
}

TEST(KeyStoreTest, AnotherMasterKeyIsToldAsSuch) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  ASSERT_TRUE(open(path)->aead(kName));
  const auto wrong = KeyStore::open(path, master_of(2));
  EXPECT_EQ(code_of(wrong), ErrorCode::kUnauthenticated);
  EXPECT_THAT(wrong.error().message, HasSubstr("master key given is not the one"));
}

TEST(KeyStoreTest, AMissingCheckValueIsNotMadeAnewOverKeys) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  ASSERT_TRUE(open(path)->aead(kName));
  fs::remove(path / "master.json");
  EXPECT_EQ(code_of(KeyStore::open(path, master_of(1))), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(KeyStore::open(path, master_of(2))), ErrorCode::kDataCorrupt);
}

TEST(KeyStoreTest, WhatAnInterruptedFirstUseLeftDoesNotBlockTheNext) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  fs::create_directory(path);
  fs::permissions(path, fs::perms::owner_all);
  std::ofstream(path / "master.json.0123.partial") << "{";
  EXPECT_TRUE(open(path)->aead(kName));
}

TEST(KeyStoreTest, AFileUnderAnotherNameOrWithAChangedByteIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  auto other = kName;
  other.subject = "other";
  ASSERT_TRUE(open(path)->aead(kName));
  const auto file = path / "credit/log/bodies.key";
  fs::copy_file(file, path / "credit/log/other.key");
  EXPECT_EQ(code_of(open(path)->aead(other)), ErrorCode::kDataCorrupt);
  const auto size = fs::file_size(file);
  for (std::uintmax_t at = 0; at < size; ++at) {
    flip_byte(file, at);
    EXPECT_FALSE(open(path)->aead(kName)) << at;
    flip_byte(file, at);
  }
  EXPECT_TRUE(open(path)->aead(kName));
}

TEST(KeyStoreTest, EveryChangedByteOfTheCheckValueIsSeenAndHarmsNoKey) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  const auto first = bytes_of(open(path)->aead(kName));
  const auto file = path / "master.json";
  const auto size = fs::file_size(file);
  for (std::uintmax_t at = 0; at < size; ++at) {
    flip_byte(file, at);
    // White space may change into other white space.
    if (const auto opened = KeyStore::open(path, master_of(1))) {
      EXPECT_EQ(bytes_of((*opened)->aead(kName)), first) << at;
    }
    flip_byte(file, at);
  }
  EXPECT_EQ(bytes_of(open(path)->aead(kName)), first);
}

TEST(KeyStoreTest, AKeyOfAnotherKindIsNotGiven) {
  const TemporaryFolder folder;
  const auto keys = open(folder.path() / "keys");
  ASSERT_TRUE(keys->aead(kName));
  EXPECT_EQ(code_of(keys->secret(kName)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(keys->signing_key(kName, crypto::KeyAlgorithm::kEd25519)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of(keys->put_secret(kName, Secret(3))), ErrorCode::kInvalidArgument);
  auto signing = kName;
  signing.subject = "signing";
  ASSERT_TRUE(keys->signing_key(signing, crypto::KeyAlgorithm::kEd25519));
  EXPECT_EQ(code_of(keys->signing_key(signing, crypto::KeyAlgorithm::kEcdsaP256)),
            ErrorCode::kInvalidArgument);
}

TEST(KeyStoreTest, ADestroyedKeyStaysDestroyed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  const auto keys = open(path);
  ASSERT_TRUE(keys->aead(kName));
  ASSERT_TRUE(keys->destroy(kName));
  ASSERT_TRUE(keys->destroy(kName));
  EXPECT_FALSE(fs::exists(path / "credit/log/bodies.key"));
  const auto later = keys->aead(kName);
  EXPECT_EQ(code_of(later), ErrorCode::kNotFound);
  EXPECT_THAT(later.error().message, HasSubstr("was destroyed"));
  EXPECT_EQ(code_of(open(path)->aead(kName)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(keys->put_secret(kName, Secret(1))), ErrorCode::kNotFound);
}

TEST(KeyStoreTest, ADestructionCutShortAfterItsMarkCounts) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  ASSERT_TRUE(open(path)->aead(kName));
  std::ofstream(path / "credit/log/bodies.destroyed");
  EXPECT_EQ(code_of(open(path)->aead(kName)), ErrorCode::kNotFound);
}

TEST(KeyStoreTest, ReadingAloneMakesNothing) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  EXPECT_FALSE(KeyStore::open(path, master_of(1), {.read_only = true}));
  EXPECT_FALSE(fs::exists(path));
  const auto first = bytes_of(open(path)->aead(kName));
  const auto keys = open(path, 1, {.read_only = true});
  EXPECT_EQ(bytes_of(keys->aead(kName)), first);
  auto other = kName;
  other.subject = "other";
  EXPECT_EQ(code_of(keys->aead(other)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(keys->put_secret(other, Secret(1))), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code_of(keys->destroy(kName)), ErrorCode::kPermissionDenied);
}

TEST(KeyStoreTest, OthersMayNotEnterTheFolder) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "keys";
  ASSERT_TRUE(open(path)->aead(kName));
  fs::permissions(path, fs::perms::group_read, fs::perm_options::add);
  EXPECT_EQ(code_of(KeyStore::open(path, master_of(1))), ErrorCode::kPermissionDenied);
}

TEST(KeyStoreTest, NamesAndSizesBeyondTheBoundsAreRefused) {
  const TemporaryFolder folder;
  const auto keys = open(folder.path() / "keys");
  const std::array<KeyName, 9> wrong{{{WorkspaceId(""), "log", "a"},
                                      {WorkspaceId("../up"), "log", "a"},
                                      {WorkspaceId("A"), "log", "a"},
                                      {WorkspaceId("a"), "", "a"},
                                      {WorkspaceId("a"), "lo/g", "a"},
                                      {WorkspaceId("a"), "log", ".."},
                                      {WorkspaceId("a"), "log", "-a"},
                                      {WorkspaceId("a"), "log", std::string("a\0b", 3)},
                                      {WorkspaceId("a"), "log", std::string(129, 'a')}}};
  for (const auto& name : wrong) EXPECT_EQ(code_of(keys->aead(name)), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(keys->aead({WorkspaceId(std::string(64, 'a')), "l_o-g", std::string(128, '0')}));
  auto other = kName;
  other.subject = "large";
  EXPECT_EQ(code_of(keys->put_secret(other, Secret(kMaxSecretBytes + 1))), ErrorCode::kLimitExceeded);
  EXPECT_TRUE(keys->put_secret(other, Secret(kMaxSecretBytes)));
  EXPECT_EQ(open(folder.path() / "keys")->secret(other)->size(), kMaxSecretBytes);
}

}  // namespace
}  // namespace holdfast::keys
