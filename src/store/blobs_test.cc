#include "store/blobs.h"

#include <gmock/gmock-matchers.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "crypto/age.h"
#include "crypto/sha256.h"
#include "store/blob_testing.h"
#include "store/testing.h"

namespace holdfast::store {
namespace {

namespace fs = std::filesystem;
using base::Bytes;
using base::ErrorCode;
using base::WorkspaceId;
using testing::ElementsAreArray;
using testing::HasSubstr;

class BlobsTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path place(const BlobId& id) const {
    const std::string name = id.code.hex();
    return folder_.path() / "blobs" / "default" / name.substr(0, 2) / name.substr(2, 2) / name;
  }
  [[nodiscard]] std::size_t files() const { return count_files(folder_.path()); }

  TemporaryFolder folder_;
  BlobKeys keys_ = make_keys("default");
  std::unique_ptr<BlobStore> store_ = BlobStore::open(folder_.path() / "blobs").value();
};

TEST_F(BlobsTest, GivesBackContentsOfEverySizeAroundAChunk) {
  for (const std::size_t size : {0UL, 1UL, 65'535UL, 65'536UL, 65'537UL, 131'072UL, 1'000'003UL}) {
    const Bytes content = pattern(size);
    const Blob blob = put(*store_, keys_, content).value();
    EXPECT_EQ(blob.size, size);
    EXPECT_EQ(blob.digest, crypto::sha256(content));
    EXPECT_EQ(get(*store_, keys_, blob.digest).value(), content);
    EXPECT_TRUE(store_->verify(keys_, blob.id));
  }
}

TEST_F(BlobsTest, StandsUnderItsKeyedNameAsAnAgeFileForItsOwnerAlone) {
  const Bytes content = pattern(1000);
  const Blob blob = put(*store_, keys_, content).value();
  EXPECT_EQ(blob.id, blob_id(keys_, crypto::sha256(content)));
  EXPECT_NE(blob.id, blob_id(make_keys("default"), blob.digest));
  struct stat status{};
  ASSERT_EQ(::stat(place(blob.id).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::string first_line;
  std::getline(std::ifstream(place(blob.id)), first_line);
  EXPECT_EQ(first_line, "age-encryption.org/v1");
  EXPECT_EQ(files(), 1U);
}

// From Python: hmac.new(b"\x0b" * 32, hashlib.sha256(b"").digest(), "sha256").hexdigest()
TEST_F(BlobsTest, TheNameIsTheHmacOfTheDigest) {
  BlobKeys keys = make_keys("default");
  keys.naming = base::Secret(Bytes(32, 0x0B));
  EXPECT_EQ(blob_id(keys, crypto::sha256({})).code.hex(),
            "86eddd3ced31776e66cf451d7a04de477874370c975505603baa11fc4b200062");
}

TEST_F(BlobsTest, TheSameContentIsOneBlobAWorkspace) {
  const Blob one = put(*store_, keys_, pattern(5000)).value();
  const Blob two = put(*store_, keys_, pattern(5000)).value();
  EXPECT_EQ(one.id, two.id);
  EXPECT_EQ(files(), 1U);
  const BlobKeys others = make_keys("other");
  EXPECT_NE(put(*store_, others, pattern(5000)).value().id, one.id);
  EXPECT_EQ(files(), 2U);
}

TEST_F(BlobsTest, PuttingAgainMendsADamagedBlob) {
  const Blob blob = put(*store_, keys_, pattern(5000)).value();
  flip_byte(place(blob.id), 300);
  ASSERT_FALSE(store_->verify(keys_, blob.id));
  ASSERT_TRUE(put(*store_, keys_, pattern(5000)));
  EXPECT_TRUE(store_->verify(keys_, blob.id));
}

TEST_F(BlobsTest, ReadsAtAnyPlace) {
  const Bytes content = pattern(300'000);
  const Blob blob = put(*store_, keys_, content).value();
  const auto reader = store_->read_at_random(keys_, blob.digest).value();
  EXPECT_EQ(reader->size(), content.size());
  for (const std::size_t offset : {0UL, 65'530UL, 131'072UL, 299'990UL, 299'999UL, 300'000UL, 400'000UL}) {
    Bytes piece(10);
    const std::size_t got = reader->read_at(offset, piece).value();
    const std::size_t expected =
        offset >= content.size() ? 0 : std::min<std::size_t>(10, content.size() - offset);
    ASSERT_EQ(got, expected) << offset;
    EXPECT_TRUE(std::equal(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got),
                           content.begin() + static_cast<std::ptrdiff_t>(std::min(offset, content.size()))));
  }
}

TEST_F(BlobsTest, OneChangedByteAnywhereIsFoundAndTheBlobNamed) {
  const Blob blob = put(*store_, keys_, pattern(70'000)).value();
  const auto size = fs::file_size(place(blob.id));
  for (std::uintmax_t at = 0; at < size; at += at < 400 ? 7 : 9'973) {
    flip_byte(place(blob.id), at);
    const auto verified = store_->verify(keys_, blob.id);
    ASSERT_FALSE(verified) << at;
    EXPECT_THAT(verified.error().message, HasSubstr("blob " + blob.id.code.hex() + " of workspace default"));
    EXPECT_FALSE(get(*store_, keys_, blob.digest)) << at;
    flip_byte(place(blob.id), at);
  }
  flip_byte(place(blob.id), size - 1);
  EXPECT_EQ(code_of(store_->verify(keys_, blob.id)), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(store_->read_at_random(keys_, blob.digest)), ErrorCode::kDataCorrupt);
}

TEST_F(BlobsTest, ATruncatedBlobIsFound) {
  const Blob blob = put(*store_, keys_, pattern(140'000)).value();
  for (const auto size : {140'000UL, 131'504UL, 65'900UL, 216UL, 100UL, 0UL}) {
    fs::resize_file(place(blob.id), size);
    EXPECT_EQ(code_of(store_->verify(keys_, blob.id)), ErrorCode::kDataCorrupt) << size;
    EXPECT_EQ(code_of(get(*store_, keys_, blob.digest)), ErrorCode::kDataCorrupt) << size;
  }
}

TEST_F(BlobsTest, AnotherBlobInItsPlaceIsFound) {
  const Blob wanted = put(*store_, keys_, pattern(1000)).value();
  const Blob other = put(*store_, keys_, pattern(2000)).value();
  fs::copy_file(place(other.id), place(wanted.id), fs::copy_options::overwrite_existing);
  const auto verified = store_->verify(keys_, wanted.id);
  EXPECT_EQ(code_of(verified), ErrorCode::kDataCorrupt);
  EXPECT_THAT(verified.error().message, HasSubstr(wanted.id.code.hex()));
  const auto read = store_->read(keys_, wanted.digest).value();
  Bytes buffer(4096);
  EXPECT_EQ(read->read(buffer).value(), 2000U);
  EXPECT_EQ(code_of(read->read(buffer)), ErrorCode::kDataCorrupt);
  EXPECT_EQ(code_of(read->read(buffer)), ErrorCode::kDataCorrupt);
}

TEST_F(BlobsTest, OpensWithTheKeysOfItsWorkspaceOnly) {
  const Blob blob = put(*store_, keys_, pattern(1000)).value();
  BlobKeys stranger = make_keys("default");
  stranger.naming = base::Secret::copy_of(keys_.naming.reveal());
  EXPECT_FALSE(store_->read(stranger, blob.digest));
  EXPECT_FALSE(store_->verify(stranger, blob.id));
  EXPECT_EQ(code_of(store_->read(make_keys("other"), blob.digest)), ErrorCode::kNotFound);
}

TEST_F(BlobsTest, RemovesABlobOnce) {
  const Blob blob = put(*store_, keys_, pattern(1000)).value();
  EXPECT_TRUE(store_->remove(keys_.workspace, blob.id));
  EXPECT_EQ(code_of(store_->remove(keys_.workspace, blob.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(store_->read(keys_, blob.digest)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(store_->verify(keys_, blob.id)), ErrorCode::kNotFound);
  EXPECT_EQ(files(), 0U);
  EXPECT_TRUE(put(*store_, keys_, pattern(1000)));
}

TEST_F(BlobsTest, ListsInOrderAndInPieces) {
  EXPECT_TRUE(store_->list(keys_.workspace).value().empty());
  std::vector<BlobId> ids;
  for (std::size_t i = 0; i < 50; ++i) ids.push_back(put(*store_, keys_, pattern(i)).value().id);
  std::sort(ids.begin(), ids.end());
  EXPECT_THAT(store_->list(keys_.workspace).value(), ElementsAreArray(ids));
  std::vector<BlobId> pieces;
  for (std::optional<BlobId> last;;) {
    const auto piece = store_->list(keys_.workspace, last, 7).value();
    if (piece.empty()) break;
    EXPECT_LE(piece.size(), 7U);
    pieces.insert(pieces.end(), piece.begin(), piece.end());
    last = piece.back();
  }
  EXPECT_THAT(pieces, ElementsAreArray(ids));
  EXPECT_TRUE(store_->list(WorkspaceId("other")).value().empty());
}

TEST_F(BlobsTest, AWorkspaceNeverLeavesItsFolder) {
  for (const auto* name : {"", ".", "..", "../x", "a/b", ".incoming", "-x", "A", "a b", "a\n", "\xC3\xA4"}) {
    const BlobKeys keys = make_keys(name);
    EXPECT_EQ(code_of(put(*store_, keys, pattern(1))), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(code_of(store_->read(keys, base::Digest())), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(code_of(store_->remove(keys.workspace, BlobId())), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(code_of(store_->list(keys.workspace)), ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(code_of(put(*store_, make_keys(std::string(65, 'a')), pattern(1))), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(put(*store_, make_keys(std::string(64, 'a')), pattern(1)));
}

TEST_F(BlobsTest, AnErrorOfTheContentLeavesNothing) {
  class Broken final : public crypto::Reader {
   public:
    base::Result<std::size_t> read(base::MutableByteView buffer) override {
      if (reads_++ == 3) return base::fail(ErrorCode::kIo, "the upload broke off");
      return buffer.size();
    }

   private:
    int reads_ = 0;
  } broken;
  const auto failed = store_->put(keys_, broken);
  EXPECT_EQ(code_of(failed), ErrorCode::kIo);
  EXPECT_EQ(files(), 0U);
}

TEST_F(BlobsTest, OpeningSweepsWhatAnInterruptedPutLeft) {
  const Blob blob = put(*store_, keys_, pattern(1000)).value();
  std::ofstream(folder_.path() / "blobs" / ".incoming" / "0123") << "half";
  ASSERT_EQ(files(), 2U);
  const auto again = BlobStore::open(folder_.path() / "blobs").value();
  EXPECT_EQ(files(), 1U);
  EXPECT_TRUE(again->verify(keys_, blob.id));
}

TEST_F(BlobsTest, ManyThreadsPutAndReadAtOnce) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 20; ++i) {
        const Bytes content = pattern(i % 5 == 0 ? i : 1000 * t + i);
        const auto blob = put(*store_, keys_, content);
        ASSERT_TRUE(blob);
        EXPECT_EQ(get(*store_, keys_, blob->digest).value(), content);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto blobs = store_->list(keys_.workspace).value();
  EXPECT_EQ(blobs.size(), files());
  for (const auto& id : blobs) EXPECT_TRUE(store_->verify(keys_, id));
}

}  // namespace
}  // namespace holdfast::store
