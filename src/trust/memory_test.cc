#include "trust/memory.h"

#include <gmock/gmock-matchers.h>

#include <thread>

#include "trust/testing.h"

namespace holdfast::trust {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

ArtefactVersion version(std::string_view text) { return ArtefactVersion::parse(text).value(); }

TEST_F(TrustTest, RemembersTheNewestAndRefusesAnOlder) {
  const auto file = folder_ / "seen.json";
  EXPECT_TRUE(remember_version(file, "credit", version("1.4.0")));
  EXPECT_TRUE(remember_version(file, "credit", version("1.10")));
  EXPECT_TRUE(remember_version(file, "fraud", version("1")));
  const auto older = remember_version(file, "credit", version("1.9"));
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(older.error().message, HasSubstr("version 1.10 of it was accepted here before"));
  EXPECT_TRUE(remember_version(file, "credit", version("1.10.0")));
  const auto bytes = base::read_file(file, kMaxMemoryBytes).value();
  EXPECT_EQ(base::as_text(bytes), "{\"versions\":{\"credit\":\"1.10\",\"fraud\":\"1\"}}\n");
}

TEST_F(TrustTest, AMemoryThatCannotBeReadIsNoEmptyOne) {
  for (const char* text : {"", "{}", "[]", R"({"versions":{"a":1}})", R"({"versions":{"a":"x"}})",
                           R"({"versions":{},"more":1})", R"({"versions":[]})"}) {
    write("seen.json", text);
    const auto refused = remember_version(folder_ / "seen.json", "credit", version("1"));
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kDataCorrupt);
    EXPECT_THAT(refused.error().message, HasSubstr("seen.json"));
  }
}

TEST_F(TrustTest, ManyAtOnceLeaveTheNewest) {
  const auto file = folder_ / "seen.json";
  std::vector<std::thread> threads;
  for (int i = 1; i <= 16; ++i) {
    threads.emplace_back(
        [&file, i] { (void)remember_version(file, "credit", version(std::to_string(i))).has_value(); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(remember_version(file, "credit", version("15")));
  EXPECT_TRUE(remember_version(file, "credit", version("16")));
}

}  // namespace
}  // namespace holdfast::trust
