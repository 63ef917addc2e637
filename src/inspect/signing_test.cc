#include "inspect/signing.h"

#include <gmock/gmock-more-matchers.h>
#include <sys/stat.h>

#include <fstream>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"
#include "crypto/x509_authority.h"
#include "inspect/signing_bundle.h"

namespace holdfast::inspect {

void PrintTo(const Difference& difference, std::ostream* out) {
  *out << difference.name << " is " << to_string(difference.kind);
}

namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using crypto::Certificate;
using crypto::KeyAlgorithm;
using crypto::PrivateKey;
using crypto::PublicKey;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kTestdata = HOLDFAST_TESTDATA "/signing/";

std::string testdata(const std::string& name) {
  const auto bytes = base::read_file(kTestdata + name, 1UL << 20);
  EXPECT_TRUE(bytes.has_value()) << name;
  return bytes ? std::string(base::as_text(*bytes)) : std::string();
}

auto differs(DifferenceKind kind, const std::string& name) {
  return AllOf(Field(&Difference::kind, kind), Field(&Difference::name, name));
}

class Signing : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a.bin", "sub/b.txt", "sub/deep/c", ".git/config", ".gitignore"})
      write(name, name);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  [[nodiscard]] std::string sign(const SigningOptions& options = {}) const {
    auto bundle = sign_artefact(folder_, key_, options);
    EXPECT_TRUE(bundle.has_value()) << bundle.error().message;
    return bundle.value_or(std::string());
  }
  [[nodiscard]] Verification verify(const std::string& bundle, const VerifyingOptions& options = {}) const {
    return verify_artefact(folder_, bundle, key_.public_key(), options);
  }
  [[nodiscard]] std::vector<Difference> differences(const std::string& bundle) const {
    auto verified = verify(bundle);
    EXPECT_FALSE(verified.has_value());
    if (verified) return {};
    EXPECT_EQ(verified.error().error.code, ErrorCode::kDataCorrupt) << verified.error().error.message;
    return verified.error().differences;
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / base::hex_encode(base::system_random().take(8)) / "model";
  const PrivateKey key_ = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
};

TEST_F(Signing, ANameAndAVersionAreSignedToo) {
  const auto verified = verify(sign({.name = "credit", .uri = "pkg:generic/credit@1.4.0"}));
  ASSERT_TRUE(verified) << verified.error().error.message;
  EXPECT_EQ(verified->manifest().artefact, "credit");
  EXPECT_EQ(verified->manifest().uri, "pkg:generic/credit@1.4.0");
  EXPECT_EQ(verify(sign())->manifest().artefact, "model");
  EXPECT_EQ(verify(sign())->manifest().uri, "");
}

TEST_F(Signing, WhatWasSignedVerifies) {
  const auto model = verify(sign());
  ASSERT_TRUE(model.has_value()) << model.error().error.message;
  EXPECT_EQ(model->manifest().artefact, "model");
  EXPECT_EQ(model->signer(), key_.public_key().id());
  EXPECT_FALSE(model->certificate().has_value());
  ASSERT_EQ(model->manifest().resources.size(), 3U);
  EXPECT_EQ(model->manifest().resources[1].file, "sub/b.txt");
}

TEST_F(Signing, EveryCurveOfTheFormatSigns) {
  for (const auto algorithm :
       {KeyAlgorithm::kEcdsaP256, KeyAlgorithm::kEcdsaP384, KeyAlgorithm::kEcdsaP521}) {
    const auto key = PrivateKey::generate(algorithm);
    EXPECT_TRUE(verify_artefact(folder_, sign_artefact(folder_, key).value(), key.public_key()));
  }
  const auto other = PrivateKey::generate(KeyAlgorithm::kEd25519);
  EXPECT_EQ(sign_artefact(folder_, other).error().code, ErrorCode::kUnsupported);
}

TEST_F(Signing, NamesEveryDifference) {
  const std::string bundle = sign();
  write("a.bin", "changed");
  write("extra", "x");
  write("sub/extra", "x");
  fs::remove(folder_ / "sub/b.txt");
  fs::remove(folder_ / "sub/deep/c");
  fs::create_symlink("../../a.bin", folder_ / "sub/deep/c");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(differences(bundle), UnorderedElementsAre(differs(DifferenceKind::kChanged, "a.bin"),
                                                        differs(DifferenceKind::kUnsigned, "extra"),
                                                        differs(DifferenceKind::kUnsigned, "sub/extra"),
                                                        differs(DifferenceKind::kMissing, "sub/b.txt"),
                                                        differs(DifferenceKind::kLink, "sub/deep/c"),
                                                        differs(DifferenceKind::kIrregular, "fifo")));
  EXPECT_THAT(verify(bundle).error().error.message,
              AllOf(HasSubstr("6 differences"), HasSubstr("\"a.bin\" is changed")));
}

TEST_F(Signing, EveryChangedByteOfAFileIsSeen) {
  const std::string bundle = sign();
  for (std::size_t i = 0; i < 5; ++i) {
    std::string content = "a.bin";
    content[i] = static_cast<char>(content[i] ^ 1);
    write("a.bin", content);
    EXPECT_THAT(differences(bundle), ElementsAre(differs(DifferenceKind::kChanged, "a.bin")));
  }
  write("a.bin", "a.bi");
  EXPECT_THAT(differences(bundle), ElementsAre(differs(DifferenceKind::kChanged, "a.bin")));
}

TEST_F(Signing, AnotherKeyDidNotSign) {
  const auto other = PrivateKey::generate(KeyAlgorithm::kEcdsaP256).public_key();
  std::string bundle = sign();
  const auto by_hint = verify_artefact(folder_, bundle, other);
  ASSERT_FALSE(by_hint.has_value());
  EXPECT_EQ(by_hint.error().error.code, ErrorCode::kUnauthenticated);
  EXPECT_THAT(by_hint.error().differences, IsEmpty());
  // The hint is the sender's word: with the right one the signature itself refuses.
  bundle.replace(bundle.find(key_hint(key_.public_key())), 64, key_hint(other));
  EXPECT_EQ(verify_artefact(folder_, bundle, other).error().error.code, ErrorCode::kUnauthenticated);
}

TEST_F(Signing, GitAndWhatTheSignerIgnoresMayChange) {
  write("cache/x", "1");
  const std::string bundle = sign({.ignore = {"cache/"}});
  write(".git/config", "changed");
  write("cache/y", "2");
  EXPECT_TRUE(verify(bundle));
  write(".gitmodules", "x");
  EXPECT_THAT(differences(bundle), ElementsAre(differs(DifferenceKind::kUnsigned, ".gitmodules")));
}

TEST_F(Signing, GitIsSignedWhenAskedFor) {
  const std::string bundle = sign({.ignore_git = false});
  EXPECT_TRUE(verify(bundle));
  write(".git/hooks/post-checkout", "x");
  EXPECT_THAT(differences(bundle),
              ElementsAre(differs(DifferenceKind::kUnsigned, ".git/hooks/post-checkout")));
}

TEST_F(Signing, ABundleInsideTheArtefactIsNoPartOfIt) {
  const fs::path inside = folder_ / "sub" / "model.sig";
  const std::string bundle = sign({.bundle = inside});
  write("sub/model.sig", bundle);
  EXPECT_TRUE(verify(bundle));
  // Moved there after it was written elsewhere: only its reader can know.
  const std::string elsewhere =
      sign({.ignore = {"sub/model.sig"}, .bundle = folder_.parent_path() / "x.sig"});
  write("moved.sig", elsewhere);
  EXPECT_FALSE(verify(elsewhere));
  EXPECT_TRUE(verify(elsewhere, {.bundle = folder_ / "moved.sig"}));
}

TEST_F(Signing, ASignedFileIsNotExemptedAsTheBundle) {
  const std::string bundle = sign();
  write("a.bin", "changed");
  EXPECT_FALSE(verify(bundle, {.bundle = folder_ / "a.bin"}));
}

TEST_F(Signing, OneFileIsSignedByItsContentAlone) {
  const auto bundle = sign_artefact(folder_ / "a.bin", key_);
  ASSERT_TRUE(bundle.has_value());
  fs::rename(folder_ / "a.bin", folder_ / "renamed");
  EXPECT_TRUE(verify_artefact(folder_ / "renamed", *bundle, key_.public_key()));
  write("renamed", "changed");
  const auto changed = verify_artefact(folder_ / "renamed", *bundle, key_.public_key());
  ASSERT_FALSE(changed.has_value());
  EXPECT_THAT(changed.error().differences, ElementsAre(differs(DifferenceKind::kChanged, ".")));
  EXPECT_FALSE(verify_artefact(folder_, *bundle, key_.public_key()));
  EXPECT_FALSE(verify_artefact(folder_ / "renamed", sign(), key_.public_key()));
}

TEST_F(Signing, LinksAreFollowedWhereTheSignatureAllows) {
  fs::create_symlink("a.bin", folder_ / "link");
  const auto refused = sign_artefact(folder_, key_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("\"link\""));
  const std::string bundle = sign({.allow_symlinks = true});
  EXPECT_TRUE(verify(bundle));
  fs::remove(folder_ / "link");
  fs::create_symlink("sub/b.txt", folder_ / "link");
  EXPECT_THAT(differences(bundle), ElementsAre(differs(DifferenceKind::kChanged, "link")));
  fs::remove(folder_ / "link");
  fs::create_directory_symlink("sub", folder_ / "link");
  EXPECT_THAT(differences(bundle), ElementsAre(differs(DifferenceKind::kLink, "link")));
}

TEST_F(Signing, RefusesWhatCannotBeSigned) {
  const auto refused = [&](const SigningOptions& options) {
    const auto bundle = sign_artefact(folder_, key_, options);
    EXPECT_FALSE(bundle.has_value());
    return bundle ? ErrorCode::kInternal : bundle.error().code;
  };
  for (const char* path : {"", ".", "..", "../x", "/etc", "a/../.."}) {
    EXPECT_EQ(refused({.ignore = {path}}), ErrorCode::kInvalidArgument) << path;
  }
  EXPECT_EQ(refused({.ignore = {"a.bin", "sub"}}), ErrorCode::kInvalidArgument);  // nothing left
  write("\xff", "x");
  EXPECT_EQ(refused({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(sign_artefact(folder_ / "none", key_).error().code, ErrorCode::kNotFound);
}

TEST_F(Signing, AFolderIsNamedWhicheverWayItIsReached) {
  for (const fs::path& path : {folder_, folder_ / "", folder_ / ".", folder_ / "sub" / ".."}) {
    const auto bundle = sign_artefact(path, key_);
    ASSERT_TRUE(bundle.has_value());
    EXPECT_EQ(verify(*bundle)->manifest().artefact, "model") << path;
  }
}

TEST_F(Signing, CertificatesVerifyByTheirRoot) {
  const auto& clock = base::system_clock();
  auto& random = base::system_random();
  const auto authority = crypto::CertificateAuthority::create("root", clock, random).value();
  const auto stranger = crypto::CertificateAuthority::create("root", clock, random).value();
  const Certificate leaf =
      authority
          .issue_client(key_.public_key(), "spiffe://example/signer", std::chrono::hours(1), clock, random)
          .value();
  const std::string bundle = sign({.certificates = {leaf}});
  const std::vector roots{authority.certificate()};
  const std::vector others{stranger.certificate()};
  const auto model = verify_artefact(folder_, bundle, SignerRoots{.certificates = roots, .at = {}});
  ASSERT_TRUE(model.has_value()) << model.error().error.message;
  EXPECT_THAT(model->certificate()->uris(), ElementsAre("spiffe://example/signer"));
  EXPECT_EQ(model->signer(), key_.public_key().id());
  const auto refused = [&](const SignerRoots& signer_roots) {
    return verify_artefact(folder_, bundle, signer_roots).error().error.code;
  };
  EXPECT_EQ(refused({.certificates = others, .at = {}}), ErrorCode::kUnauthenticated);
  EXPECT_EQ(refused({.certificates = {}, .at = {}}), ErrorCode::kUnauthenticated);
  EXPECT_EQ(refused({.certificates = roots, .at = clock.now() + std::chrono::hours(2)}),
            ErrorCode::kUnauthenticated);
  EXPECT_EQ(verify(bundle).error().error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(verify_artefact(folder_, sign(), SignerRoots{.certificates = roots, .at = {}}).error().error.code,
            ErrorCode::kInvalidArgument);
  const auto mismatched = PrivateKey::generate(KeyAlgorithm::kEcdsaP256);
  EXPECT_EQ(sign_artefact(folder_, mismatched, {.certificates = {leaf}}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(Signing, VerifiesWhatTheToolsReleasesSigned) {
  const auto key = PublicKey::from_pem(testdata("public.pem")).value();
  for (const char* file :
       {"release-0.3.1.json", "release-1.0.1.json", "release-1.1.1.json", "shards.json", "blake2.json"}) {
    const auto model = verify_artefact(kTestdata + "model", testdata(file), key);
    ASSERT_TRUE(model.has_value()) << file << ": " << model.error().error.message;
    EXPECT_EQ(model->signer(), key.id());
  }
  EXPECT_TRUE(verify_artefact(kTestdata + "model/weights.bin", testdata("single-file.json"), key));
  EXPECT_EQ(verify_artefact(kTestdata + "model", testdata("blake3.json"), key).error().error.code,
            ErrorCode::kUnsupported);
}

TEST_F(Signing, VerifiesTheToolsCertificateMode) {
  const std::vector roots{Certificate::from_pem(testdata("root.pem")).value()};
  const auto model = verify_artefact(kTestdata + "model", testdata("certificate.json"),
                                     SignerRoots{.certificates = roots, .at = {}});
  ASSERT_TRUE(model.has_value()) << model.error().error.message;
  EXPECT_EQ(model->certificate()->subject(), "CN=signer");
}

TEST_F(Signing, ComparesShardsWithTheFilesTheyCover) {
  const fs::path copy = folder_.parent_path() / "copy";
  fs::copy(kTestdata + "model", copy, fs::copy_options::recursive);
  const auto key = PublicKey::from_pem(testdata("public.pem")).value();
  const auto compare = [&] {
    auto verified = verify_artefact(copy, testdata("shards.json"), key);
    return verified ? std::vector<Difference>() : verified.error().differences;
  };
  EXPECT_THAT(compare(), IsEmpty());
  std::ofstream(copy / "weights.bin", std::ios::app) << "longer";
  std::ofstream(copy / "config-notes.txt", std::ios::in | std::ios::out).seekp(4) << "X";
  fs::remove(copy / "config/settings.json");
  std::ofstream(copy / "new-empty");  // which no shard can stand for
  std::ofstream(copy / "new") << "x";
  EXPECT_THAT(compare(), UnorderedElementsAre(differs(DifferenceKind::kChanged, "weights.bin"),
                                              differs(DifferenceKind::kChanged, "config-notes.txt"),
                                              differs(DifferenceKind::kMissing, "config/settings.json"),
                                              differs(DifferenceKind::kUnsigned, "new")));
  fs::remove_all(copy);
}

TEST_F(Signing, ReportsProgress) {
  std::uint64_t signed_bytes = 0;
  std::uint64_t verified_bytes = 0;
  const std::string bundle =
      sign({.progress = [&](std::uint64_t done, std::uint64_t) { signed_bytes = done; }});
  EXPECT_TRUE(
      verify(bundle, {.progress = [&](std::uint64_t done, std::uint64_t) { verified_bytes = done; }}));
  EXPECT_EQ(signed_bytes, 24U);
  EXPECT_EQ(verified_bytes, 24U);
}

}  // namespace
}  // namespace holdfast::inspect
