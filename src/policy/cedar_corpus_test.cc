#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "policy/authorizer.h"
#include "policy/entity_json.h"
#include "policy/parser.h"
#include "policy/schema.h"
#include "policy/validator.h"

// Cedar's own integration tests, github.com/cedar-policy/cedar-integration-tests: a folder that holds its
// `tests` and `sample-data` and the unpacked `corpus-tests`, named by HOLDFAST_CEDAR_CORPUS.

namespace holdfast::policy {
namespace {

using nlohmann::json;

std::string read(const std::filesystem::path& path) {
  const auto bytes = base::read_file(path, 64UL << 20);
  EXPECT_TRUE(bytes.has_value()) << path;
  return bytes ? std::string(base::as_text(*bytes)) : std::string();
}

class CorpusCase {
 public:
  CorpusCase(const std::filesystem::path& root, const std::filesystem::path& file)
      : root_(root), name_(file.stem()) {
    auto parsed = base::parse_json(read(file));
    EXPECT_TRUE(parsed.has_value()) << file;
    if (parsed) test_ = *std::move(parsed);
  }

  [[nodiscard]] bool is_one() const { return test_.is_object() && test_.contains("shouldValidate"); }

  // The number of requests decided.
  int run() {
    auto policies = parse_policies(read(root_ / test_["policies"].get<std::string>()));
    auto schema = Schema::parse(read(root_ / test_["schema"].get<std::string>()));
    if (!policies || !schema) {
      ADD_FAILURE() << name_ << ": " << (policies ? schema.error().message : policies.error().message);
      return 0;
    }
    auto entities = parse_entities(read(root_ / test_["entities"].get<std::string>()), &*schema);
    if (!entities) {
      ADD_FAILURE() << name_ << ": " << entities.error().message;
      return 0;
    }
    EXPECT_EQ(validate_policies(*policies, *schema).errors.empty(), test_["shouldValidate"].get<bool>())
        << name_;
    const auto valid = validate_entities(*entities, *schema);
    EXPECT_TRUE(valid.has_value()) << name_ << ": " << valid.error().message;
    const Authorizer authorizer(*std::move(policies));
    int count = 0;
    for (const json& expected : test_["requests"]) {
      decide(authorizer, *schema, *entities, expected);
      ++count;
    }
    return count;
  }

 private:
  void decide(const Authorizer& authorizer, const Schema& schema, const Entities& entities,
              const json& expected) {
    const json asked{{"principal", expected["principal"]},
                     {"action", expected["action"]},
                     {"resource", expected["resource"]},
                     {"context", expected["context"]}};
    const auto request = parse_request(asked.dump(), &schema);
    ASSERT_TRUE(request.has_value()) << name_ << ": " << request.error().message;
    if (expected.value("validateRequest", true)) {
      const auto valid = validate_request(*request, schema);
      EXPECT_TRUE(valid.has_value()) << name_ << ": " << valid.error().message;
    }
    const Decision decision = authorizer.decide(*request, entities);
    const auto where = name_ + ", " + expected["description"].get<std::string>();
    EXPECT_EQ(decision.verdict == Verdict::kAllow ? "allow" : "deny", expected["decision"]) << where;
    std::set<std::string> errors;
    for (const PolicyError& error : decision.errors) errors.insert(error.policy);
    EXPECT_EQ(std::set(decision.determining.begin(), decision.determining.end()),
              expected["reason"].get<std::set<std::string>>())
        << where;
    EXPECT_EQ(errors, expected["errors"].get<std::set<std::string>>()) << where;
  }

  std::filesystem::path root_;
  std::string name_;
  json test_;
};

TEST(CedarCorpus, IsDecidedAndValidatedAsCedarDoes) {
  const char* root = std::getenv("HOLDFAST_CEDAR_CORPUS");
  if (root == nullptr) {
    GTEST_SKIP() << "set HOLDFAST_CEDAR_CORPUS to a checkout of cedar-policy/cedar-integration-tests with "
                    "corpus-tests.tar.gz unpacked in it";
  }
  int cases = 0;
  int requests = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".json") || name.find(".entities") != std::string::npos) continue;
    CorpusCase test(root, entry.path());
    if (!test.is_one()) continue;
    requests += test.run();
    ++cases;
  }
  EXPECT_GT(cases, 0);
  RecordProperty("cases", cases);
  RecordProperty("requests", requests);
  std::printf("%d cases, %d requests\n", cases, requests);
}

}  // namespace
}  // namespace holdfast::policy
