// Runs the vectors of the age testkit (github.com/C2SP/CCTV, folder age/testdata; its README.md tells the
// form), which are not part of this repository, from the folder that HOLDFAST_AGE_TESTKIT names.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "crypto/age.h"
#include "crypto/age_random.h"
#include "crypto/age_samples.h"
#include "crypto/sha256.h"

namespace holdfast::crypto {
namespace {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::Secret;

constexpr std::size_t kMaxVectorBytes = 32UL << 20;

struct Vector {
  std::multimap<std::string, std::string> fields;
  Bytes file;

  [[nodiscard]] std::string field(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? "" : found->second;
  }
};

Bytes inflated(ByteView compressed) {
  Bytes plain(kMaxVectorBytes);
  uLongf size = plain.size();
  EXPECT_EQ(uncompress(plain.data(), &size, compressed.data(), compressed.size()), Z_OK);
  plain.resize(size);
  return plain;
}

Vector read_vector(const std::filesystem::path& path) {
  const Bytes content = base::read_file(path, kMaxVectorBytes).value();
  Vector vector;
  std::string_view rest = base::as_text(content);
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) break;
    const auto colon = line.find(": ");
    vector.fields.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  const ByteView body = base::as_bytes(rest);
  vector.file = vector.field("compressed") == "zlib" ? inflated(body) : Bytes(body.begin(), body.end());
  return vector;
}

struct Outcome {
  std::string result;  // in the words of the testkit
  base::Digest released;
};

Outcome failed(const base::Error& error, std::string otherwise, Sha256& released) {
  if (error.message.starts_with("the ASCII armor")) otherwise = "armor failure";
  if (error.message.find("MAC does not match") != std::string::npos) otherwise = "HMAC failure";
  if (error.code == ErrorCode::kPermissionDenied) otherwise = "no match";
  if (error.message.find("recipients of the type") != std::string::npos) otherwise = "no match";
  return {.result = std::move(otherwise), .released = released.finish()};
}

Outcome unseal_vector(const Vector& vector, const AgeKeys& keys) {
  MemoryReader raw(vector.file);
  LineReader lines(raw);
  AgeArmorReader armor(lines);
  Reader& reader = vector.field("armored") == "yes" ? static_cast<Reader&>(armor) : lines;
  Sha256 released;
  auto unsealer = AgeUnsealer::open(reader, keys);
  if (!unsealer) return failed(unsealer.error(), "header failure", released);
  Bytes buffer(10'000);
  while (true) {
    const auto got = unsealer->read(buffer);
    if (!got) return failed(got.error(), "payload failure", released);
    if (*got == 0) return {.result = "success", .released = released.finish()};
    released.update(ByteView(buffer).first(*got));
  }
}

// Random access opens what the front-to-back reader opens, and nothing else to its end.
void check_random_access(const Vector& vector, const AgeKeys& keys, const Outcome& outcome) {
  const BytesRandomReader sealed(vector.file);
  const auto reader = AgeRandomReader::open(sealed, keys);
  if (!reader) {
    EXPECT_NE(outcome.result, "success") << reader.error().message;
    return;
  }
  Bytes plain(kMaxVectorBytes);
  const auto got = reader->read_at(0, plain);
  EXPECT_EQ(got.has_value(), outcome.result == "success");
  if (got) {
    EXPECT_EQ(sha256(ByteView(plain).first(*got)), outcome.released);
  }
}

void check(const Vector& vector) {
  AgeKeys keys;
  bool post_quantum = false;
  const auto [first, last] = vector.fields.equal_range("identity");
  for (auto at = first; at != last; ++at) {
    auto identity = AgeIdentity::parse(at->second);
    if (identity) {
      keys.identities.push_back(*std::move(identity));
    } else {
      EXPECT_EQ(identity.error().code, ErrorCode::kUnsupported);
      EXPECT_TRUE(at->second.starts_with("AGE-SECRET-KEY-PQ-1"));
      post_quantum = true;
    }
  }
  const auto [begin, end] = vector.fields.equal_range("passphrase");
  for (auto at = begin; at != end; ++at) {
    keys.passphrases.push_back(Secret::copy_of(base::as_bytes(at->second)));
  }

  const auto outcome = unseal_vector(vector, keys);
  if (vector.field("armored").empty()) check_random_access(vector, keys, outcome);
  // Without the post-quantum identity, what it would open does not open, and what it would refuse is not
  // opened.
  if (post_quantum && vector.field("expect") != "header failure") {
    EXPECT_EQ(outcome.result, "no match");
  } else if (post_quantum) {
    EXPECT_TRUE(outcome.result == "no match" || outcome.result == "header failure") << outcome.result;
  } else {
    EXPECT_EQ(outcome.result, vector.field("expect"));
    const auto payload = vector.field("payload");
    EXPECT_EQ(outcome.released.hex(), payload.empty() ? sha256({}).hex() : payload);
  }
}

TEST(AgeTestkit, BehavesAsEachVectorExpects) {
  const char* const folder = std::getenv("HOLDFAST_AGE_TESTKIT");
  if (folder == nullptr) {
    GTEST_SKIP() << "HOLDFAST_AGE_TESTKIT does not name the folder of the age testkit's vectors";
  }
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename());
    check(read_vector(entry.path()));
    ++count;
  }
  EXPECT_GE(count, 143);
}

}  // namespace
}  // namespace holdfast::crypto
