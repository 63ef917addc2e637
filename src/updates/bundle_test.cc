#include "updates/bundle.h"

#include <gmock/gmock-matchers.h>

#include "base/file.h"
#include "updates/testing.h"

namespace holdfast::updates {
namespace {

using base::ErrorCode;
using formats::MemorySource;

class BundleTest : public testing::Test {
 protected:
  base::Bytes made(const Edition& edition) {
    const BundleInput files[] = {{"a.list", &first_}, {"sub/b.zip", &second_}};
    const auto written = write_bundle(folder_ / "x.bundle", edition, files, key_);
    EXPECT_TRUE(written) << (written ? "" : written.error().message);
    return base::read_file(folder_ / "x.bundle", 1UL << 20).value();
  }
  base::Result<Bundle> open(const MemorySource& source, std::string_view kind = "rules") {
    const crypto::PublicKey keys[] = {key_.public_key()};
    return Bundle::open(source, kind, keys);
  }

  TemporaryFolder folder_;
  crypto::PrivateKey key_ = new_key();
  Edition edition_{
      .kind = "rules", .version = 3, .issued_at = day("2026-11-01"), .expires_at = day("2027-05-01")};
  MemorySource first_{base::as_bytes("one\n")};
  MemorySource second_{base::as_bytes("two")};
};

TEST_F(BundleTest, GivesWhatWasSigned) {
  const auto bytes = made(edition_);
  const MemorySource source(bytes);
  const auto bundle = open(source).value();
  EXPECT_EQ(bundle.edition(), edition_);
  EXPECT_EQ(bundle.signer(), key_.public_key().id());
  ASSERT_EQ(bundle.files().size(), 2U);
  EXPECT_EQ(bundle.read(bundle.files()[0], 10).value(), "one\n");
  EXPECT_EQ(bundle.read(bundle.files()[1], 3).value(), "two");
  EXPECT_EQ(bundle.read(bundle.files()[1], 2).error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(bundle.source(bundle.files()[1])->size(), 3U);
  const crypto::PublicKey keys[] = {key_.public_key()};
  EXPECT_EQ(read_edition(bundle.statement(), keys).value(), edition_);
}

TEST_F(BundleTest, RefusesOtherSignersAndKinds) {
  const auto bytes = made(edition_);
  const MemorySource source(bytes);
  const crypto::PublicKey others[] = {new_key().public_key()};
  EXPECT_EQ(Bundle::open(source, "rules", others).error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(open(source, "advisories").error().code, ErrorCode::kInvalidArgument);
}

// Every byte but those that tar itself does not look at: padding, and fields that name owners and times.
TEST_F(BundleTest, NoChangedByteOfAFilePasses) {
  const auto bytes = made(edition_);
  const MemorySource whole(bytes);
  const auto bundle = open(whole).value();
  for (const auto& file : bundle.files()) {
    for (std::uint64_t at = file.offset; at < file.offset + file.size; ++at) {
      auto changed = bytes;
      changed[at] ^= 1U;
      const MemorySource source(changed);
      EXPECT_EQ(open(source).error().code, ErrorCode::kDataCorrupt) << at;
    }
  }
}

TEST_F(BundleTest, RefusesWhatIsCutMissingOrMore) {
  const auto bytes = made(edition_);
  const MemorySource whole(bytes);
  const auto bundle = open(whole).value();
  for (const std::size_t size :
       {0UL, 100UL, 512UL, 2000UL, static_cast<std::size_t>(bundle.files()[1].offset) + 1}) {
    const MemorySource cut(base::ByteView(bytes).first(std::min(size, bytes.size())));
    EXPECT_FALSE(open(cut)) << size;
  }
  // Without the second file, and with the first twice.
  const auto block = static_cast<std::ptrdiff_t>(512);
  const auto second = bytes.begin() + static_cast<std::ptrdiff_t>(bundle.files()[1].offset) - block;
  base::Bytes less(bytes.begin(), second);
  less.resize(less.size() + 1024, 0);
  EXPECT_EQ(open(MemorySource(less)).error().code, ErrorCode::kDataCorrupt);
  const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(bundle.files()[0].offset) - block;
  base::Bytes more(bytes.begin(), second);
  more.insert(more.end(), first, bytes.end());
  EXPECT_EQ(open(MemorySource(more)).error().code, ErrorCode::kDataCorrupt);
}

TEST_F(BundleTest, WritesNothingThatCantBe) {
  const auto path = folder_ / "y.bundle";
  const auto refused = [&](const Edition& edition, std::vector<BundleInput> files) {
    return !write_bundle(path, edition, files, key_) && !std::filesystem::exists(path);
  };
  EXPECT_TRUE(refused(edition_, {}));
  for (const auto* name : {"", "/a", "../a", "a/../b", ".a", "a/", "a//b", "a b", "statement.dsse.json"}) {
    EXPECT_TRUE(refused(edition_, {{name, &first_}})) << name;
  }
  EXPECT_TRUE(refused(edition_, {{"a", &first_}, {"a", &second_}}));
  auto wrong = edition_;
  wrong.version = 0;
  EXPECT_TRUE(refused(wrong, {{"a", &first_}}));
  wrong = edition_;
  wrong.expires_at = wrong.issued_at;
  EXPECT_TRUE(refused(wrong, {{"a", &first_}}));
}

TEST(Succession, RefusesToGoBackAndWhatHasExpired) {
  const Edition three{.kind = "rules", .version = 3, .issued_at = {}, .expires_at = day("2027-01-01")};
  auto other = three;
  const auto now = day("2026-12-01");
  EXPECT_TRUE(check_succession(three, other, now));  // again
  other.version = 4;
  EXPECT_TRUE(check_succession(three, other, now));
  EXPECT_EQ(check_succession(three, other, day("2027-01-01")).error().code, ErrorCode::kPermissionDenied);
  other.version = 2;
  EXPECT_EQ(check_succession(three, other, now).error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace holdfast::updates
