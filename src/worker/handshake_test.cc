#include "worker/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::worker {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

const JailReport kReport{
    .namespaces = true,
    .landlock_abi = 7,
    .executable_memory = false,
    .limits = {.memory_bytes = 1UL << 40, .cpu = std::nullopt, .descriptors = 8, .threads = 3},
    .weaknesses = {"One.", "Two."}};
constexpr std::string_view kReportJson =
    R"({"cpu_seconds":0,"descriptors":8,"executable_memory":false,"landlock_abi":7,"memory_bytes":1099511627776,)"
    R"("namespaces":true,"threads":3,"weaknesses":["One.","Two."]})";

TEST(JailReport, IsCanonicalJsonForEvidence) {
  EXPECT_EQ(kReport.json(), kReportJson);
  EXPECT_EQ(JailReport::parse(kReportJson).value(), kReport);
}

TEST(JailReport, IsOneLineForAPerson) {
  EXPECT_EQ(
      kReport.text(),
      "namespaces: user, network, IPC, UTS, mount, cgroup; Landlock: no rights (ABI 7); system calls: allow "
      "list; capabilities: none; memory: 1048576 MiB; processor time: unlimited; descriptors: 8; threads: 3; "
      "weaker: One.; weaker: Two.");
}

TEST(Orders, ComeThroughTheEnvironmentWhole) {
  const Orders orders{
      .parent = 4711,
      .jail = {.limits = {.memory_bytes = 5, .cpu = std::chrono::seconds(9), .descriptors = 7},
               .executable_memory = true,
               .weakest = JailStrength::kWithoutNamespaces}};
  EXPECT_EQ(decode_orders(encode_orders(orders)).value(), orders);
  EXPECT_EQ(decode_orders(encode_orders({})).value(), Orders{});
}

TEST(Orders, AreRefusedWhenTheyAreNotWhole) {
  const std::string whole = encode_orders({});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(decode_orders(whole.substr(0, size)).error().code, ErrorCode::kInvalidArgument) << size;
  }
}

TEST(Greeting, CarriesTheReport) { EXPECT_EQ(decode_greeting(encode_greeting(kReport)).value(), kReport); }

TEST(Greeting, CarriesTheReasonOfARefusal) {
  const auto refusal = decode_greeting(encode_greeting(base::fail(ErrorCode::kIo, "no jail to be had\x1b")));
  EXPECT_EQ(refusal.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(refusal.error().message, "no jail to be had?");
}

TEST(Greeting, IsRefusedUnlessItIsExactlyOne) {
  const std::vector<std::string> wrong{
      "",
      "{}",
      "[]",
      "null",
      "{\"refused\":1}",
      "{\"refused\":\"x\",\"jail\":{}}",
      "{\"jail\":{}}",
      "{\"jail\":[]}",
      R"({"jail":{"cpu_seconds":0,"descriptors":8,"executable_memory":false,"landlock_abi":7,"memory_bytes":1,)"
      R"("namespaces":true,"threads":3,"weaknesses":[],"more":1}})",
      R"({"jail":{"cpu_seconds":0,"descriptors":-8,"executable_memory":false,"landlock_abi":7,"memory_bytes":1,)"
      R"("namespaces":true,"threads":3,"weaknesses":[]}})",
      R"({"jail":{"cpu_seconds":0,"descriptors":4294967296,"executable_memory":false,"landlock_abi":7,)"
      R"("memory_bytes":1,"namespaces":true,"threads":3,"weaknesses":[]}})",
      R"({"jail":{"cpu_seconds":0,"descriptors":8,"executable_memory":false,"landlock_abi":7,"memory_bytes":1,)"
      R"("namespaces":1,"threads":3,"weaknesses":[]}})",
      R"({"jail":{"cpu_seconds":0,"descriptors":8,"executable_memory":false,"landlock_abi":7,"memory_bytes":1,)"
      R"("namespaces":true,"threads":3,"weaknesses":[1]}})",
      R"({"jail":{"cpu_seconds":0,"descriptors":8,"executable_memory":false,"landlock_abi":7,"memory_bytes":1,)"
      R"("namespaces":true,"threads":3,"weaknesses":["","","","","","","","",""]}})",
      std::string(kMaxGreetingBytes + 1, ' '),
  };
  for (const auto& text : wrong) {
    EXPECT_EQ(decode_greeting(base::as_bytes(text)).error().code, ErrorCode::kDataCorrupt)
        << text.substr(0, 200);
  }
}

}  // namespace
}  // namespace holdfast::worker
