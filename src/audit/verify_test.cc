#include "audit/verify.h"

#include <gmock/gmock-matchers.h>

#include <thread>

#include "audit/testing.h"
#include "base/file.h"
#include "store/folder_lock.h"

namespace holdfast::audit {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using testing::HasSubstr;
using testing::StartsWith;

class VerifyTest : public testing::Test {
 protected:
  std::unique_ptr<Log> open() { return Log::open(folder_.log(), *keys_).value(); }

  // Records of two workspaces in three rounds, one of them destroyed.
  void write_small_log() {
    const auto log = open();
    ASSERT_TRUE(log->append(record_of(0)));
    ASSERT_TRUE(log->note(record_of(1, "fraud")));
    ASSERT_TRUE(log->flush());
    ASSERT_TRUE(log->destroy_body(0, base::WorkspaceId("credit"), "user:grace"));
  }

  Checkpoint checkpoint() {
    const auto note = base::read_file(folder_.log() / "checkpoint", 10'000).value();
    return open_checkpoint(base::as_text(note), verifier_of(folder_)).value();
  }

  TestFolder folder_;
  std::unique_ptr<keys::KeyStore> keys_ = open_keys(folder_);
};

TEST_F(VerifyTest, AWholeLogHolds) {
  write_small_log();
  const auto report = verify_log(folder_.log(), verifier_of(folder_), {.keys = keys_.get()}).value();
  EXPECT_FALSE(report.fault);
  EXPECT_EQ(report.checkpoint.size, 3U);
  EXPECT_EQ(report.checkpoint, checkpoint());
  EXPECT_EQ(report.unpublished, 0U);
  EXPECT_EQ(report.opened, 2U);
  EXPECT_EQ(report.destroyed, 1U);
  EXPECT_EQ(report.unfinished_bytes, 0U);
}

// Every bit of one log would take long; every byte of each kind of file is enough to see a gap.
TEST_F(VerifyTest, EveryChangedByteOfEveryFileIsFoundWithoutKeys) {
  write_small_log();
  const auto verifier = verifier_of(folder_);
  for (const auto& file : files_of(folder_.log())) {
    if (file.filename() == store::FolderLock::kLockName) continue;
    const auto size = fs::file_size(file);
    for (std::uintmax_t at = 0; at < size; ++at) {
      const auto bit = static_cast<unsigned>(at % 8);
      flip_byte(file, at, bit);
      const auto report = verify_log(folder_.log(), verifier);
      ASSERT_TRUE(report) << file << " at " << at << ": " << report.error().message;
      ASSERT_TRUE(report->fault) << file << " at " << at;
      flip_byte(file, at, bit);
    }
  }
  EXPECT_EQ(fault_of(folder_), "");
}

TEST_F(VerifyTest, EveryFileThatIsMissingOrCutIsFound) {
  write_small_log();
  const auto verifier = verifier_of(folder_);
  const auto last = checkpoint().size;
  for (const auto& file : files_of(folder_.log())) {
    const auto name = file.lexically_relative(folder_.log()).string();
    const bool of_old_checkpoint = name.starts_with("tile/") && !name.ends_with("/" + std::to_string(last));
    if (name == store::FolderLock::kLockName || name == Log::kVerifierFile) continue;
    const auto bytes = base::read_file(file, 1 << 20).value();
    fs::resize_file(file, bytes.size() - 1);
    EXPECT_TRUE(verify_log(folder_.log(), verifier)->fault) << name;
    fs::remove(file);
    // Those of older checkpoints may be cleared away.
    if (!of_old_checkpoint) {
      EXPECT_TRUE(verify_log(folder_.log(), verifier)->fault) << name;
    }
    ASSERT_TRUE(base::write_file_atomically(file, bytes, 0600));
  }
  EXPECT_EQ(fault_of(folder_), "");
}

TEST_F(VerifyTest, TheFaultNamesTheRecord) {
  {
    const auto log = open();
    for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(log->note(record_of(i)));
  }
  const auto file = folder_.log() / "bodies/000";
  const auto bytes = base::read_file(file, 1 << 20).value();
  const auto place = std::string(base::as_text(bytes)).find("\"index\":17,");
  ASSERT_NE(place, std::string::npos);
  flip_byte(file, place - 100, 1);
  EXPECT_THAT(fault_of(folder_), StartsWith("bodies/000#17: "));
  flip_byte(file, place - 100, 1);
  flip_byte(folder_.log() / "tile/entries/000.p/40", 23 * 66 + 5);
  EXPECT_THAT(fault_of(folder_), StartsWith("tile/entries/000.p/40#23: "));
  flip_byte(folder_.log() / "tile/entries/000.p/40", 23 * 66 + 5);
  flip_byte(folder_.log() / "tile/0/000.p/40", 31 * 32 + 5);
  EXPECT_THAT(fault_of(folder_), StartsWith("tile/0/000.p/40#31: "));
}

TEST_F(VerifyTest, ABodyThatIsGoneWithoutARecordIsFoundWithTheKeys) {
  {
    const auto log = open();
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(log->append(record_of(i)));
  }
  const auto file = folder_.log() / "bodies/000";
  const auto bytes = base::read_file(file, 1 << 20).value();
  std::string text;
  SegmentReader reader(base::as_text(bytes));
  while (const auto line = reader.next()) {
    auto parsed = parse_line(*line).value();
    if (auto* body = std::get_if<BodyLine>(&parsed); body != nullptr && body->index == 1) {
      body->body.clear();
      body->workspace = {};
    }
    text += format_line(parsed);
  }
  ASSERT_TRUE(base::write_file_atomically(file, base::as_bytes(text), 0600));
  EXPECT_EQ(fault_of(folder_), "");
  EXPECT_THAT(fault_of(folder_, {.keys = keys_.get()}), StartsWith("bodies/000#1: the body is gone"));
}

TEST_F(VerifyTest, AFileThatDoesNotBelongIsFound) {
  write_small_log();
  for (const auto* name : {"tile/0/001x", "bodies/notes.txt", "tile/7/999", "more", "tile/0/0",
                           "tile/3/000.p/1", "tile/0/x999/x999/x999/x999/x999/x999/999", "bodies/009"}) {
    fs::create_directories((folder_.log() / name).parent_path());
    std::ofstream(folder_.log() / name) << "x";
    EXPECT_THAT(fault_of(folder_), HasSubstr("does not belong")) << name;
    fs::remove(folder_.log() / name);
  }
}

TEST_F(VerifyTest, AnotherKeyOrNoLogIsRefused) {
  write_small_log();
  const auto other =
      crypto::NoteVerifier::create("holdfast.local/log",
                                   crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEd25519).public_key())
          .value();
  EXPECT_EQ(verify_log(folder_.log(), other)->fault->file, "checkpoint");
  EXPECT_EQ(code_of(verify_log(folder_.path() / "none", other)), ErrorCode::kNotFound);
}

TEST_F(VerifyTest, AFolderPutBackAsAWholeIsFoundByACheckpointKeptElsewhere) {
  write_small_log();
  const auto before = checkpoint();
  fs::copy(folder_.log(), folder_.path() / "old", fs::copy_options::recursive);
  {
    const auto log = open();
    ASSERT_TRUE(log->append(record_of(9)));
  }
  const auto kept = checkpoint();
  EXPECT_EQ(fault_of(folder_, {.against = before}), "");
  EXPECT_EQ(fault_of(folder_, {.against = kept}), "");
  fs::remove_all(folder_.log());
  fs::rename(folder_.path() / "old", folder_.log());
  EXPECT_EQ(fault_of(folder_), "");
  EXPECT_THAT(fault_of(folder_, {.against = kept}), HasSubstr("put back to an earlier state"));
}

TEST_F(VerifyTest, ALogWrittenAnewWithTheSameKeyIsFoundByACheckpointKeptElsewhere) {
  write_small_log();
  const auto kept = checkpoint();
  fs::remove_all(folder_.log());
  write_small_log();
  EXPECT_EQ(fault_of(folder_), "");
  EXPECT_THAT(fault_of(folder_, {.against = kept}), HasSubstr("records were changed"));
}

TEST_F(VerifyTest, AWriteCutShortIsNoFaultAndIsCutOffAtTheNextStart) {
  write_small_log();
  const auto file = folder_.log() / "bodies/000";
  const auto bytes = base::read_file(file, 1 << 20).value();
  // The first round again, as the beginning of one that never came to its end.
  for (const std::size_t extra : {1U, 50U, 700U}) {
    auto longer = bytes;
    base::append(longer, base::ByteView(bytes).first(extra));
    ASSERT_TRUE(base::write_file_atomically(file, longer, 0600));
    const auto report = verify_log(folder_.log(), verifier_of(folder_)).value();
    EXPECT_FALSE(report.fault);
    EXPECT_EQ(report.unfinished_bytes, extra);
    EXPECT_EQ(open()->size(), 3U);
    EXPECT_EQ(base::read_file(file, 1 << 20).value(), bytes);
  }
}

TEST_F(VerifyTest, ALogThatIsBeingWrittenHolds) {
  constexpr std::uint64_t kRecords = 2500;  // over two files of bodies, and tiles that fill up
  const auto log = open();
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kRecords; ++i) ASSERT_TRUE(log->append(record_of(i)));
  });
  std::string fault;
  while (fault.empty() && log->size() < kRecords) fault = fault_of(folder_);
  EXPECT_EQ(fault, "");
  writer.join();
}

}  // namespace
}  // namespace holdfast::audit
