#include "inspect/metadata_secrets.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "inspect/artefact.h"

namespace holdfast::inspect {
namespace {

using base::Bytes;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

// Put together here, so that no scanner finds a key in this file.
const std::string kKey = std::string("AK") + "IAQ7RSTUVWX5YZ2345";

std::vector<Finding> look(const Bytes& bytes) {
  Findings findings;
  const formats::MemorySource source(bytes);
  const auto coverage = inspect_artefact(source, "f", findings);
  return findings.take();
}

Bytes safetensors(const std::string& value) {
  const std::string header = fmt::format(
      R"({{"__metadata__":{{"note":"{}"}},"w":{{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}})", value);
  Bytes bytes;
  base::append_le(bytes, std::uint64_t{header.size()});
  base::append(bytes, header);
  bytes.push_back(0);
  return bytes;
}

Bytes gguf(const std::string& value) {
  Bytes bytes;
  const auto text = [&](const std::string& what) {
    base::append_le(bytes, std::uint64_t{what.size()});
    base::append(bytes, what);
  };
  base::append(bytes, "GGUF");
  base::append_le(bytes, std::uint32_t{3});
  base::append_le(bytes, std::uint64_t{0});
  base::append_le(bytes, std::uint64_t{1});
  text("general.description");
  base::append_le(bytes, std::uint32_t{8});
  text(value);
  return bytes;
}

auto token(std::string_view place) {
  return AllOf(Field(&Finding::rule_id, "secret.token"), Field(&Finding::message, HasSubstr(place)));
}

TEST(MetadataSecrets, AreFoundInSafetensorsAndGguf) {
  EXPECT_THAT(look(safetensors("uploaded with " + kKey)), ElementsAre(token("in the metadata \"note\"")));
  EXPECT_THAT(look(safetensors("nothing to see")), IsEmpty());
  EXPECT_THAT(look(gguf("made by " + kKey)), Contains(token("in the metadata \"general.description\"")));
  EXPECT_THAT(look(gguf("made by hand")), IsEmpty());
}

TEST(MetadataSecrets, AreFoundInTheStringsOfAPickle) {
  for (const std::size_t padding : {0UL, 70'000UL}) {
    const std::string text = std::string(padding, 'x') + " " + kKey + " ";
    Bytes pickle{0x80, 3, 'X'};
    base::append_le(pickle, static_cast<std::uint32_t>(text.size()));
    base::append(pickle, text);
    pickle.push_back('.');
    EXPECT_THAT(look(pickle), ElementsAre(token("AWS"))) << padding;
  }
}

TEST(MetadataSecrets, NeverStandInTheFinding) {
  for (const auto& finding : look(safetensors("uploaded with " + kKey)))
    EXPECT_THAT(finding.message, Not(HasSubstr(kKey)));
}

}  // namespace
}  // namespace holdfast::inspect
