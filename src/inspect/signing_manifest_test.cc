#include "inspect/signing_manifest.h"

#include <gmock/gmock-matchers.h>

#include <algorithm>
#include <functional>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "crypto/sha256.h"

namespace holdfast::inspect {
namespace {

using base::Bytes;
using base::ErrorCode;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

Bytes digest_of(std::string_view content) {
  const auto digest = crypto::sha256(base::as_bytes(content));
  return Bytes(digest.bytes().begin(), digest.bytes().end());
}

Manifest two_files() {
  return {.artefact = "m",
          .ignored = {".git"},
          .resources = {{.file = "a", .digest = digest_of("1")}, {.file = "b/c", .digest = digest_of("2")}}};
}

json statement() { return json::parse(write_manifest(two_files()).value()); }

// With the root digest made right again, so that only the change itself can be what is refused.
base::Result<Manifest> parse(json changed) {
  Bytes digests;
  for (const json& resource : changed["predicate"]["resources"]) {
    if (!resource.is_object() || !resource.contains("digest") || !resource["digest"].is_string()) continue;
    base::append(digests, base::hex_decode(resource["digest"].get<std::string>()).value_or(Bytes()));
  }
  changed["subject"][0]["digest"]["sha256"] = crypto::sha256(digests).hex();
  return parse_manifest(base::as_bytes(changed.dump()));
}

json with(const std::function<void(json&)>& change) {
  json changed = statement();
  change(changed);
  return changed;
}

json with_names(const std::vector<std::string>& names) {
  return with([&](json& value) {
    const json resource = value["predicate"]["resources"][0];
    value["predicate"]["resources"] = json::array();
    for (const std::string& name : names) {
      value["predicate"]["resources"].push_back(resource);
      value["predicate"]["resources"].back()["name"] = name;
    }
  });
}

json with_shards(const std::vector<std::string>& names, const json& size = 4) {
  json value = with_names(names);
  value["predicate"]["serialization"]["method"] = "shards";
  value["predicate"]["serialization"]["shard_size"] = size;
  for (json& resource : value["predicate"]["resources"]) resource["algorithm"] = "sha256-sharded-4";
  return value;
}

void expect_refused(const json& value, ErrorCode code = ErrorCode::kDataCorrupt) {
  const auto manifest = parse(value);
  ASSERT_FALSE(manifest.has_value()) << value;
  EXPECT_EQ(manifest.error().code, code) << manifest.error().message;
}

TEST(SigningManifest, ComesBackFromItsText) {
  const auto manifest = parse(statement());
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
  EXPECT_EQ(manifest->artefact, "m");
  EXPECT_EQ(manifest->hash, ManifestHash::kSha256);
  EXPECT_EQ(manifest->shard_size, 0U);
  EXPECT_FALSE(manifest->allow_symlinks);
  EXPECT_THAT(manifest->ignored, ElementsAre(".git"));
  ASSERT_EQ(manifest->resources.size(), 2U);
  EXPECT_EQ(manifest->resources[1].file, "b/c");
  EXPECT_EQ(manifest->resources[1].digest, digest_of("2"));
}

TEST(SigningManifest, TheRootIsOverTheDigestsInTheirOrder) {
  Bytes both = digest_of("1");
  base::append(both, digest_of("2"));
  EXPECT_EQ(two_files().root(), crypto::sha256(both));
  json swapped = statement();
  std::swap(swapped["predicate"]["resources"][0], swapped["predicate"]["resources"][1]);
  EXPECT_FALSE(parse_manifest(base::as_bytes(swapped.dump())));
  const auto kept = parse(swapped);  // another order with its own root is kept as it stands
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->resources[0].file, "b/c");
}

TEST(SigningManifest, RefusesNamesThatAreNotPlain) {
  for (const char* name : {"", "/a", "../a", "a/../b", "a/..", "..", "./a", "a/.", "a//b", "a/", "//", "/"}) {
    expect_refused(with_names({name}));
  }
  expect_refused(with_names({std::string("a\0b", 3)}));
  for (const char* name : {"a", "..a", "a..", "...", "a b", "a:b", "a\\b", "\u00fc", "."}) {
    EXPECT_TRUE(parse(with_names({name}))) << name;
  }
}

TEST(SigningManifest, RefusesNamesThatStandTwice) {
  expect_refused(with_names({"a", "b", "a"}));
  expect_refused(with_names({".", "."}));
  expect_refused(with_names({".", "a"}));
}

TEST(SigningManifest, RefusesOtherShapes) {
  for (const char* text : {"[]", "1", "null", "{}", ""})
    EXPECT_FALSE(parse_manifest(base::as_bytes(text))) << text;
  for (const char* pointer :
       {"/_type", "/predicateType", "/subject", "/predicate", "/subject/0/name", "/predicate/serialization",
        "/predicate/resources", "/predicate/serialization/method", "/predicate/serialization/hash_type",
        "/predicate/serialization/allow_symlinks", "/predicate/resources/0/name",
        "/predicate/resources/0/algorithm", "/predicate/resources/0/digest"}) {
    for (const json& wrong : {json(nullptr), json(1), json::array(), json::object()}) {
      const json value = with([&](json& changed) { changed[json::json_pointer(pointer)] = wrong; });
      EXPECT_FALSE(parse_manifest(base::as_bytes(value.dump()))) << pointer << " " << wrong;
    }
  }
  expect_refused(with([](json& value) { value["subject"].push_back(value["subject"][0]); }));
  expect_refused(with([](json& value) { value["predicate"]["resources"] = json::array(); }));
  expect_refused(with([](json& value) { value["predicate"]["resources"][0]["digest"] = "00"; }));
  expect_refused(
      with([](json& value) { value["predicate"]["resources"][0]["digest"] = std::string(64, 'g'); }));
  expect_refused(with([](json& value) { value["predicate"]["resources"][0]["algorithm"] = "blake2b"; }));
}

TEST(SigningManifest, EveryTruncationIsRefused) {
  const std::string text = statement().dump();
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_manifest(base::as_bytes(text).first(size)));
  }
}

TEST(SigningManifest, PassesOverMembersOfLaterVersions) {
  EXPECT_TRUE(parse(with([](json& value) { value["predicate"]["model_card"] = json::object(); })));
}

TEST(SigningManifest, NamesWhatItDoesNotSupport) {
  expect_refused(with([](json& value) { value["predicateType"] = "https://model_signing/Digests/v0.1"; }),
                 ErrorCode::kUnsupported);
  expect_refused(with([](json& value) { value["predicate"]["serialization"]["hash_type"] = "blake3"; }),
                 ErrorCode::kUnsupported);
  expect_refused(with([](json& value) { value["predicate"]["serialization"]["method"] = "tensors"; }),
                 ErrorCode::kUnsupported);
}

TEST(SigningManifest, ShardsCoverAFileWithoutGapOrOverlap) {
  const auto manifest = parse(with_shards({"a:0:4", "a:4:8", "a:8:9", "b/c:0:1"}));
  ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
  EXPECT_EQ(manifest->shard_size, 4U);
  EXPECT_EQ(manifest->resources[2].offset, 8U);
  EXPECT_EQ(manifest->resources[2].size, 1U);
  EXPECT_TRUE(parse(with_shards({".:0:3"})));
  EXPECT_TRUE(parse(with_shards({"a:0:4"}, 4.0)));
  for (const std::vector<std::string>& names : {std::vector<std::string>{"a:4:8"},
                                                {"a:0:4", "a:8:9"},
                                                {"a:0:4", "a:0:4"},
                                                {"a:0:4", "a:4:8", "a:4:8"},
                                                {"a:0:3", "a:3:4"},
                                                {"a:0:5"},
                                                {"a:0:0"},
                                                {"a:4:0"},
                                                {"a:4:8", "a:0:4"}}) {
    expect_refused(with_shards(names));
  }
}

TEST(SigningManifest, RefusesMalformedShards) {
  for (const char* name : {"a", "a:0", ":0:4", "a:0:", "a::4", "a:0:4:", "a:b:0:4", "a:-1:4", "a:0:+4",
                           "a:00:4", "a: 0:4", "a:0:99999999999999999999", "../a:0:4", "0:4"}) {
    expect_refused(with_shards({name}));
  }
  for (const json& size : {json(0), json(-4), json(4.5), json("4"), json(nullptr), json(1e300)}) {
    expect_refused(with_shards({"a:0:4"}, size));
  }
}

TEST(SigningManifest, RefusesToIgnoreWhatItSigns) {
  const auto ignoring = [](const json& paths) {
    return with([&](json& value) { value["predicate"]["serialization"]["ignore_paths"] = paths; });
  };
  for (const char* path : {"", ".", "a", "b", "b/c"}) expect_refused(ignoring({path}));
  expect_refused(ignoring("x"));
  expect_refused(ignoring({1}));
  expect_refused(ignoring(json(std::vector<std::string>(1001, "x"))));
  const auto odd = parse(ignoring({"/etc", "../x", "b/d", "aa", "b/c/d"}));
  ASSERT_TRUE(odd.has_value()) << odd.error().message;
  EXPECT_THAT(odd->ignored, ElementsAre("b/d", "aa", "b/c/d"));
}

TEST(SigningManifest, OlderReleasesIgnoreGitUnlessTheySignedIt) {
  const auto unsaid = [](json value) {
    value["predicate"]["serialization"].erase("ignore_paths");
    return parse(value);
  };
  EXPECT_THAT(unsaid(statement())->ignored, ElementsAre(".git", ".gitattributes", ".github", ".gitignore"));
  EXPECT_THAT(unsaid(with_names({".git/x", ".gitignore"}))->ignored,
              ElementsAre(".gitattributes", ".github"));
}

TEST(SigningManifest, IgnoresByWholeComponents) {
  const std::vector<std::string> ignored{".git", "a/b"};
  for (const char* name : {".git", ".git/x", ".git/x/y", "a/b", "a/b/c"})
    EXPECT_TRUE(is_ignored(name, ignored));
  for (const char* name : {".gitx", "x/.git", "a", "a/bc", "b"})
    EXPECT_FALSE(is_ignored(name, ignored)) << name;
}

TEST(SigningManifest, SortsByComponents) {
  std::vector<std::string> names{"sub.txt", "sub-x", "sub/b", "a", "sub/a/z", "\u00fc", "sub!"};
  std::sort(names.begin(), names.end(), component_less);
  EXPECT_THAT(names, ElementsAre("a", "sub/a/z", "sub/b", "sub!", "sub-x", "sub.txt", "\u00fc"));
}

TEST(SigningManifest, WritesOnlyUtf8Names) {
  Manifest manifest = two_files();
  manifest.resources[1].file = "b/\xff";
  const auto refused = write_manifest(manifest);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("\"b/\uFFFD\""));
}

}  // namespace
}  // namespace holdfast::inspect
