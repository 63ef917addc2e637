#include "worker/handshake.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace holdfast::worker {
namespace {

using base::ErrorCode;

const JailReport kReport{
    .namespaces = true,
    .landlock_abi = 7,
    .executable_memory = false,
    .limits = {.memory_bytes = 1UL << 40, .cpu = std::nullopt, .descriptors = 8, .threads = 3},
    .weaknesses = {"One.", "Two."}};
constexpr std::string_view kReportJson =
    R"({"cpu_seconds":null,"descriptors":8,"executable_memory":false,"landlock_abi":7,"memory_bytes":1099511627776,)"
    R"("namespaces":true,"threads":3,"weaknesses":["One.","Two."]})";

TEST(JailReport, IsCanonicalJsonForEvidence) {
  EXPECT_EQ(kReport.json(), kReportJson);
  EXPECT_EQ(JailReport::parse(kReportJson).value(), kReport);
}

TEST(JailReport, IsRefusedWhenItIsNotWhole) {
  for (std::size_t size = 0; size < kReportJson.size(); ++size) {
    EXPECT_EQ(JailReport::parse(kReportJson.substr(0, size)).error().code, ErrorCode::kDataCorrupt) << size;
  }
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

TEST(Orders, NeverTurnALimitIntoNone) {
  const Orders none_left{.jail = {.limits = {.cpu = std::chrono::seconds(0)}}};
  EXPECT_EQ(decode_orders(encode_orders(none_left)).value().jail.limits.cpu, std::chrono::seconds(0));
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

// A greeting with kReport in which `from` is `to` instead.
std::string greeting_with(std::string_view from, std::string_view to) {
  std::string text = fmt::format(R"({{"jail":{}}})", kReportJson);
  return text.replace(text.find(from), from.size(), to);
}

TEST(Greeting, IsRefusedUnlessItIsExactlyOne) {
  ASSERT_TRUE(decode_greeting(base::as_bytes(greeting_with("", ""))).has_value());
  const std::vector<std::string> wrong{
      "",
      "{}",
      "[]",
      "null",
      R"({"refused":1})",
      R"({"refused":"x","jail":{}})",
      R"({"jail":{}})",
      R"({"jail":[]})",
      greeting_with(R"("threads":3)", R"("threads":3,"more":1)"),
      greeting_with(R"("threads":3,)", ""),
      greeting_with(R"("descriptors":8)", R"("descriptors":-8)"),
      greeting_with(R"("descriptors":8)", R"("descriptors":8.0)"),
      greeting_with(R"("descriptors":8)", R"("descriptors":4294967296)"),
      greeting_with(R"("landlock_abi":7)", R"("landlock_abi":2147483648)"),
      greeting_with("true", "1"),
      greeting_with(R"(["One.","Two."])", "[1]"),
      greeting_with(R"(["One.","Two."])", R"(["1","2","3","4","5","6","7","8","9"])"),
      std::string(kMaxGreetingBytes + 1, ' '),
  };
  for (const auto& text : wrong) {
    EXPECT_EQ(decode_greeting(base::as_bytes(text)).error().code, ErrorCode::kDataCorrupt)
        << text.substr(0, 200);
  }
}

}  // namespace
}  // namespace holdfast::worker
