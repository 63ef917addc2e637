#include "supply/bom.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crypto/sha256.h"
#include "supply/lock_file.h"

namespace holdfast::supply {
namespace {

using testing::ElementsAre;

ModelCard sample_card() {
  ModelCard card;
  card.task = "tabular-classification";
  card.architecture_family = "feed-forward network";
  card.datasets = {{"credit-2026", std::nullopt, ""},
                   {"test rows", crypto::sha256(base::as_bytes("rows")), "evaluation"}};
  card.base_models = {{"foundation", crypto::sha256(base::as_bytes("base"))}};
  card.metrics = {{"accuracy", "sex = female", "0.8", "0.7", "0.9", "Wilson"},
                  {"accuracy", "", "0.81", "", "", "Wilson"}};
  card.limitations = {"No group below 100 rows is told"};
  card.fairness = {{"sex", "demographic parity difference 0.1", ""}};
  card.risks = {{"evasion", "hardened"}};
  return card;
}

Bom sample() {
  Bom bom{.subject = {.name = "credit", .version = "1"},
          .tool_version = "0.0.0",
          .made_at = *base::Timestamp::parse("2026-11-23T12:00:00Z")};
  bom.inventory = *read_lock_file(LockFormat::kPoetryLock,
                                  "[[package]]\nname = \"jinja2\"\nversion = \"3.1.2\"\n"
                                  "files = [{hash = \"md5:00000000000000000000000000000000\"}, {hash = "
                                  "\"md5:01010101010101010101010101010101\"}]\n"
                                  "[package.dependencies]\nMarkupSafe = \"*\"\nabsent = \"*\"\n"
                                  "[[package]]\nname = \"markupsafe\"\nversion = \"2.1\"\nfiles = [{hash = "
                                  "\"sha256:aa\"}, {hash = \"md5:02020202020202020202020202020202\"}]\n",
                                  "poetry.lock");
  bom.inventory.add(
      *read_lock_file(LockFormat::kRequirements, "markupsafe==2.1\nflask\n", "requirements.txt"));
  bom.models.push_back({.name = "m.onnx",
                        .version = "2",
                        .digest = crypto::sha256(base::as_bytes("m")),
                        .size_bytes = 1,
                        .says = {.format = "ONNX",
                                 .producer = "pytorch 2.1",
                                 .inputs = {{"x", "tensor(float) [batch, 20]"}},
                                 .outputs = {},
                                 .tensors = {{"w", "float [20, 1]"}},
                                 .tensors_in_all = 1,
                                 .parameters = 20},
                        .card = sample_card()});
  return bom;
}

TEST(Bom, TellsEachPackageOnceWithWhatIsKnownOfIt) {
  const auto bom = nlohmann::json::parse(to_cyclonedx(sample()));
  EXPECT_EQ(bom["specVersion"], "1.6");
  ASSERT_EQ(bom["components"].size(), 5U);
  const auto& safe = bom["components"][2];
  EXPECT_EQ(safe["purl"], "pkg:pypi/markupsafe@2.1");
  EXPECT_EQ(safe["hashes"][0]["content"], "02020202020202020202020202020202")
      << "and not the one that is no digest";
  EXPECT_EQ(safe["hashes"].size(), 1U);
  EXPECT_EQ(safe["properties"].size(), 2U) << "found in two files";
  EXPECT_EQ(bom["components"][1]["externalReferences"][0]["hashes"].size(), 2U);
  EXPECT_EQ(bom["dependencies"], nlohmann::json::parse(R"([{"ref":"pkg:pypi/jinja2@3.1.2",
      "dependsOn":["pkg:pypi/markupsafe@2.1"]}])"));
  const auto& card = bom["components"][3]["modelCard"];
  EXPECT_EQ(card["modelParameters"]["task"], "tabular-classification");
  EXPECT_EQ(card["modelParameters"]["datasets"][0]["name"], "credit-2026");
  EXPECT_EQ(card["modelParameters"]["datasets"][1]["ref"], bom["components"][4]["bom-ref"]);
  EXPECT_EQ(bom["components"][4]["type"], "data");
  EXPECT_EQ(card["quantitativeAnalysis"]["performanceMetrics"][0],
            nlohmann::json::parse(R"({"type":"accuracy","value":"0.8","slice":"sex = female",
                "confidenceInterval":{"lowerBound":"0.7","upperBound":"0.9"}})"));
  EXPECT_FALSE(card["quantitativeAnalysis"]["performanceMetrics"][1].contains("confidenceInterval"));
  EXPECT_EQ(card["considerations"]["fairnessAssessments"][0]["groupAtRisk"], "sex");
  EXPECT_EQ(bom["components"][3]["pedigree"]["ancestors"][0]["name"], "foundation");
  EXPECT_EQ(bom["metadata"]["properties"][0]["name"], "holdfast:not-told");
}

TEST(Bom, IsTheSameForTheSameContent) {
  EXPECT_EQ(to_cyclonedx(sample()), to_cyclonedx(sample()));
  auto other = sample();
  other.models.clear();
  EXPECT_NE(nlohmann::json::parse(to_cyclonedx(other))["serialNumber"],
            nlohmann::json::parse(to_cyclonedx(sample()))["serialNumber"]);
}

TEST(Bom, IsReadBackByItsPackageUrls) {
  const auto text = to_cyclonedx(sample());
  EXPECT_TRUE(looks_like_cyclonedx(text));
  const auto inventory = read_cyclonedx(text, "bom.json");
  ASSERT_TRUE(inventory);
  std::vector<std::string> purls;
  for (const auto& component : inventory->components) purls.push_back(to_string(component.purl));
  EXPECT_THAT(purls, ElementsAre("pkg:pypi/flask", "pkg:pypi/jinja2@3.1.2", "pkg:pypi/markupsafe@2.1"));
}

TEST(Bom, OfOthersMayNestAndLackUrls) {
  const auto inventory = read_cyclonedx(R"({"bomFormat":"CycloneDX","components":[
      {"type":"application","name":"a","components":[{"type":"library","name":"b","purl":"pkg:npm/b@1"},
      {"type":"library","name":"c"},{"type":"file","name":"d"}]}]})",
                                        "bom.json");
  ASSERT_TRUE(inventory);
  EXPECT_EQ(inventory->components.size(), 1U);
  EXPECT_EQ(inventory->gaps.size(), 1U);
  for (const auto* bad : {"", "[]", "{}", R"({"bomFormat":"SPDX"})"})
    EXPECT_FALSE(read_cyclonedx(bad, "x")) << bad;
}

}  // namespace
}  // namespace holdfast::supply
