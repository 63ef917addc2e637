#include "updates/state.h"

#include <gmock/gmock-matchers.h>

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "crypto/x509_authority.h"
#include "supply/advisory_index.h"
#include "updates/components.h"
#include "updates/rules.h"
#include "updates/testing.h"

namespace holdfast::updates {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;

class StateTest : public testing::Test {
 protected:
  UpdateState read(base::Timestamp now) {
    auto state = read_update_state({.state = folder_.path(),
                                    .master_key = folder_ / "master.key",
                                    .rule_keys = {(folder_ / "key.pub").string()},
                                    .root = folder_ / "root"},
                                   {}, "1.2.3", now);
    EXPECT_TRUE(state) << (state ? "" : state.error().message);
    return *state;
  }
  UpdateItem item(base::Timestamp now, std::string_view kind) {
    for (auto& one : read(now).items) {
      if (one.kind == kind) return one;
    }
    ADD_FAILURE() << "no " << kind;
    return {};
  }

  TemporaryFolder folder_;
  base::Timestamp now_ = base::system_clock().now();
};

base::Timestamp later(base::Timestamp moment, int days) {
  return moment + std::chrono::microseconds(std::chrono::days(days));
}

TEST_F(StateTest, ANewFolderHasRulesAndLibrariesAlone) {
  const auto state = read(day("2026-11-24"));
  EXPECT_EQ(state.items[0].version, "1.2.3");
  EXPECT_EQ(state.items[1].told, "the program's own");
  EXPECT_FALSE(state.items[2].since);
  EXPECT_THAT(state.items, Contains(Field(&UpdateItem::name, "OpenSSL")));
  EXPECT_THAT(state.items, testing::Not(Contains(Field(&UpdateItem::kind, "key"))));
  EXPECT_THAT(to_text(state), HasSubstr(" of "));
}

TEST_F(StateTest, EachAgeHasItsDeadline) {
  write_text(folder_ / "master.key", "x");
  write_text(folder_ / "keys" / "default" / "models" / "signing.key", "x");
  write_text(folder_ / "keys" / "default" / "models" / "other.key", "x");
  const auto young = read(later(now_, 729));
  const auto old = read(later(now_, 731));
  std::size_t keys = 0;
  for (std::size_t i = 0; i < old.items.size(); ++i) {
    if (old.items[i].kind != "key") continue;
    ++keys;
    EXPECT_TRUE(old.items[i].overdue) << old.items[i].name;
    EXPECT_FALSE(young.items[i].overdue) << old.items[i].name;
  }
  EXPECT_EQ(keys, 2U);
  EXPECT_TRUE(item(later(program_day(), 365), "program").overdue);
  EXPECT_FALSE(item(later(program_day(), 364), "program").overdue);
  EXPECT_TRUE(item(later(day("2026-11-23"), 180), "rules").overdue);
  EXPECT_FALSE(item(later(day("2026-11-23"), 179), "rules").overdue);
}

TEST_F(StateTest, WhatIsDamagedIsOverdue) {
  write_text(rules_path(folder_.path()), "no bundle");
  write_text(folder_ / "advisories.index", "no index");
  write_text(folder_ / "ca.pem", "no certificate");
  for (const auto* kind : {"rules", "advisories", "certificate"}) {
    const auto one = item(now_, kind);
    EXPECT_TRUE(one.overdue) << kind;
    EXPECT_NE(one.told, "") << kind;
  }
  EXPECT_GE(read(now_).overdue(), 3U);
}

TEST_F(StateTest, ALibraryWithAnAdvisoryIsOverdueOnceItIsOld) {
  write_text(folder_ / "root" / "etc" / "os-release", "ID=debian\nVERSION_ID=\"12\"\n");
  const auto components = linked_components("/").value();
  const auto& ssl = *std::ranges::find(components, "OpenSSL", &LinkedComponent::name);
  if (ssl.purl.type != "deb") GTEST_SKIP() << "this machine has no packages of Debian";
  write_text(
      folder_ / "root" / "var" / "lib" / "dpkg" / "status",
      "Package: " + ssl.purl.name +
          "\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.1-1\nArchitecture: amd64\n\n");
  supply::AdvisoryImport import;
  ASSERT_TRUE(import.add(R"({"schema_version":"1.6.0","id":"DSA-1","modified":"2026-10-02T00:00:00Z",
"published":"2026-10-01T00:00:00Z","summary":"wrong","affected":[{"package":{"ecosystem":"Debian:12",
"name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.2-1"}]}]}]})"));
  const auto bytes = import.finish(day("2026-10-02")).value();
  write_text(folder_ / "advisories.index", base::as_text(bytes));
  const auto find = [&](base::Timestamp now) {
    const auto items = read(now).items;
    return *std::ranges::find(items, "OpenSSL", &UpdateItem::name);
  };
  const auto young = find(day("2026-10-05"));
  EXPECT_EQ(young.version, "3.0.1-1");
  EXPECT_THAT(young.told, HasSubstr("DSA-1"));
  EXPECT_THAT(young.told, HasSubstr("3.0.2-1"));
  EXPECT_FALSE(young.overdue);
  EXPECT_TRUE(find(day("2026-11-05")).overdue);
  EXPECT_FALSE(item(day("2026-10-05"), "advisories").overdue);
  EXPECT_TRUE(item(day("2026-10-09"), "advisories").overdue);
}

TEST_F(StateTest, JsonSaysTheSame) {
  const auto state = read(day("2026-11-24"));
  const auto json = state.json();
  EXPECT_EQ(json["overdue"], state.overdue());
  EXPECT_EQ(json["items"].size(), state.items.size());
  EXPECT_EQ(json["items"][1]["kind"], "rules");
  EXPECT_TRUE(json["items"][2]["since"].is_null());
}

TEST(Components, AreNamedWithTheirPackages) {
  const auto components = linked_components("/nowhere").value();
  EXPECT_GT(components.size(), 15U);
  const auto inventory = inventory_of(components);
  EXPECT_EQ(inventory.components.size() + inventory.gaps.size(), components.size());
  const auto& onnx = *std::ranges::find(components, "ONNX Runtime", &LinkedComponent::name);
  EXPECT_TRUE(supply::to_string(onnx.purl).starts_with("pkg:npm/onnxruntime-node@1."));
  const auto& ssl = *std::ranges::find(components, "OpenSSL", &LinkedComponent::name);
  EXPECT_TRUE(ssl.loaded_version.starts_with("3.")) << ssl.loaded_version;
}

}  // namespace
}  // namespace holdfast::updates
