#include "supply/image.h"

#include <fmt/format.h>
#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include <array>
#include <initializer_list>

#include "crypto/sha256.h"
#include "supply/rpm_database.h"

namespace holdfast::supply {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Member {
  std::string name;
  std::string text;
  char type = '0';
  std::string link = {};
};

// POSIX.1-2017, "ustar Interchange Format".
std::string tar(const std::vector<Member>& members) {
  std::string archive;
  for (const auto& [name, text, type, link] : members) {
    std::string header(512, '\0');
    header.replace(0, name.size(), name);
    header.replace(100, 8, std::string("0000644\0", 8));
    header.replace(124, 12, fmt::format("{:011o}", text.size()) + '\0');
    header.replace(136, 12, std::string("00000000000\0", 12));
    header.replace(148, 8, "        ");
    header[156] = type;
    header.replace(157, link.size(), link);
    header.replace(257, 8, std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    archive += header + text;
    archive.append((512 - (text.size() % 512)) % 512, '\0');
  }
  return archive + std::string(1024, '\0');
}

base::Result<std::optional<Inventory>> read(const std::string& archive) {
  return read_image(formats::MemorySource(base::as_bytes(archive)), "image.tar");
}

Inventory inventory_of(const std::string& archive) {
  auto inventory = read(archive);
  EXPECT_TRUE(inventory) << inventory.error().message;
  EXPECT_TRUE(inventory && *inventory);
  return inventory && *inventory ? **std::move(inventory) : Inventory();
}

ErrorCode error_of(const std::string& archive) {
  const auto inventory = read(archive);
  EXPECT_FALSE(inventory);
  return inventory ? ErrorCode::kInternal : inventory.error().code;
}

std::vector<std::string> purls(const Inventory& inventory) {
  std::vector<std::string> all;
  for (const auto& component : inventory.components) all.push_back(to_string(component.purl));
  return all;
}

// As `docker save` of Docker before 25 wrote it.
std::string saved(const std::vector<std::vector<Member>>& layers) {
  std::vector<Member> members;
  std::string names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    members.push_back({.name = fmt::format("{}/layer.tar", i), .text = tar(layers[i])});
    names += fmt::format("{}\"{}/layer.tar\"", i == 0 ? "" : ",", i);
  }
  members.push_back({.name = "manifest.json", .text = R"([{"Config":"c.json","Layers":[)" + names + "]}]"});
  return tar(members);
}

const Member kRelease{.name = "./etc/os-release", .text = "ID=alpine\nVERSION_ID=3.18.4\n"};
const Member kInstalled{.name = "lib/apk/db/installed",
                        .text =
                            "C:Q1abc=\nP:libcrypto3\nV:3.1.3-r0\nA:x86_64\nL:Apache-2.0\no:openssl\n"
                            "D:so:libc.musl-x86_64.so.1\np:so:libcrypto.so.3=3\nF:lib\nR:x\n\n"
                            "P:musl\nV:1.2.4-r1\nA:x86_64\nL:MIT\np:so:libc.musl-x86_64.so.1=1\n\n"};

Member distribution(const std::string& name, const std::string& version) {
  return {.name = fmt::format("app/{}.dist-info/METADATA", name),
          .text = fmt::format("Name: {}\nVersion: {}\n\n", name, version)};
}

TEST(Image, ReadsAlpinesPackagesOfASavedImage) {
  const auto inventory = inventory_of(saved({{kRelease}, {kInstalled}}));
  EXPECT_THAT(
      purls(inventory),
      ElementsAre("pkg:apk/alpine/libcrypto3@3.1.3-r0?arch=x86_64&distro=alpine-3.18.4&upstream=openssl",
                  "pkg:apk/alpine/musl@1.2.4-r1?arch=x86_64&distro=alpine-3.18.4"));
  EXPECT_THAT(inventory.components[0].needs, ElementsAre("musl"));
  EXPECT_EQ(inventory.components[0].found_in, "image.tar:lib/apk/db/installed");
  EXPECT_THAT(inventory.gaps, IsEmpty());
}

TEST(Image, ReadsTheFlatTarOfAContainer) {
  EXPECT_EQ(inventory_of(tar({kRelease, kInstalled})).components.size(), 2U);
}

TEST(Image, PutsLayersOnOneAnother) {
  const Member x1 = distribution("x", "1");
  const Member y1 = distribution("y", "1");
  const Member x2 = distribution("x", "2");
  EXPECT_THAT(purls(inventory_of(saved({{x1, y1}, {x2}}))), ElementsAre("pkg:pypi/x@2", "pkg:pypi/y@1"));
  EXPECT_THAT(purls(inventory_of(saved({{x1, y1}, {{.name = "app/.wh.x.dist-info", .text = {}}}}))),
              ElementsAre("pkg:pypi/y@1"));
  // What an opaque folder hides lies below its layer, wherever in the layer that is said.
  EXPECT_THAT(purls(inventory_of(saved({{x1, y1}, {x2, {.name = "app/.wh..wh..opq", .text = {}}}}))),
              ElementsAre("pkg:pypi/x@2"));
  // A link where a folder was, and a link where a file was, hide both.
  EXPECT_THAT(purls(inventory_of(saved({{x1}, {{.name = "app", .text = {}, .type = '2', .link = "y"}}}))),
              IsEmpty());
}

TEST(Image, TellsWhatItDoesNotLookAt) {
  const auto inventory =
      inventory_of(saved({{{.name = "srv/model.onnx", .text = "x"},
                           {.name = "app/requirements.txt", .text = {}, .type = '1', .link = "app/elsewhere"},
                           {.name = "var/lib/rpm/Packages",
                            .text = std::string(12, '\0') + "\x61\x15\x06" + std::string(9, '\0')}}}));
  EXPECT_THAT(inventory.components, IsEmpty());
  EXPECT_THAT(inventory.gaps, testing::UnorderedElementsAre(HasSubstr("model.onnx"), HasSubstr("elsewhere"),
                                                            HasSubstr("Berkeley DB")));
}

TEST(Image, LeavesOtherFilesToOthers) {
  for (const auto& other : {std::string(), std::string(600, 'x'), tar({{.name = "weights", .text = "1"}}),
                            tar({{.name = "weights", .text = "1"}}).substr(0, 512)}) {
    const auto inventory = read(other);
    ASSERT_TRUE(inventory) << inventory.error().message;
    EXPECT_FALSE(*inventory);
  }
}

TEST(Image, RefusesWhatContradictsItself) {
  const auto blob = [](std::string_view text) {
    return "blobs/sha256/" + crypto::sha256(base::as_bytes(text)).hex();
  };
  const auto index = [](std::string_view digest) {
    return Member{.name = "index.json",
                  .text = fmt::format(R"({{"manifests":[{{"digest":"sha256:{}"}}]}})", digest)};
  };
  const std::string manifest = R"({"layers":[]})";
  const auto name = blob(manifest);
  EXPECT_TRUE(read(tar({index(name.substr(13)), {.name = name, .text = manifest}})));
  EXPECT_EQ(error_of(tar({index(name.substr(13)), {.name = name, .text = R"({"layers":{}})"}})),
            ErrorCode::kDataCorrupt);
  EXPECT_EQ(error_of(tar({index("../../etc/passwd")})), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of(saved({{{.name = "../etc/os-release", .text = "ID=x"}}})), ErrorCode::kDataCorrupt);
  const Member missing{.name = "manifest.json", .text = R"([{"Layers":["gone.tar"]}])"};
  EXPECT_EQ(error_of(tar({missing})), ErrorCode::kDataCorrupt);
  EXPECT_EQ(error_of(tar({missing, missing})), ErrorCode::kDataCorrupt);
  EXPECT_EQ(error_of(tar({{.name = "manifest.json", .text = "[{"}})), ErrorCode::kDataCorrupt);
  EXPECT_EQ(error_of(tar({{.name = "manifest.json", .text = R"([{"Layers":["a"]}])"},
                          {.name = "a", .text = std::string(700, 'x')}})),
            ErrorCode::kUnsupported);
  // An index that names itself would need a digest of its own text; one that is nested too deep is refused.
  std::string nested = R"({"manifests":[]})";
  std::vector<Member> members;
  for (int i = 0; i < 8; ++i) {
    const auto text = nested;
    members.push_back({.name = blob(text), .text = text});
    nested = index(blob(text).substr(13)).text;
  }
  members.push_back({.name = "index.json", .text = nested});
  EXPECT_EQ(error_of(tar(members)), ErrorCode::kLimitExceeded);
}

std::string file_of(const std::string& name) {
  const auto bytes = base::read_file(std::string(HOLDFAST_TESTDATA "/") + name, 1UL << 20);
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes ? std::string(base::as_text(*bytes)) : std::string();
}

TEST(RpmDatabase, TellsWhatRpmTells) {
  const auto inventory = inventory_of(file_of("rpm_image.tar"));
  EXPECT_THAT(purls(inventory),
              ElementsAre("pkg:rpm/rocky/holdfast-beta@3.0~rc1-1.el9?arch=x86_64&distro=rocky-9.3&upstream="
                          "holdfast-beta-3.0~rc1-1.el9.src.rpm",
                          "pkg:rpm/rocky/holdfast-alpha@1.2.3-4.el9?arch=noarch&distro=rocky-9.3&epoch=2&"
                          "upstream=holdfast-alpha-1.2.3-4.el9.src.rpm"));
  ASSERT_EQ(inventory.components.size(), 2U);
  EXPECT_THAT(inventory.components[0].licenses, ElementsAre("Apache-2.0 OR MIT"));
  EXPECT_THAT(inventory.components[1].needs, ElementsAre("holdfast-beta"));
  EXPECT_THAT(inventory.gaps, IsEmpty());
}

// A database whose schema names its own page as the table's root, and one cut short.
TEST(RpmDatabase, RefusesADamagedDatabase) {
  std::string file(1024, '\0');
  file.replace(0, 16, std::string("SQLite format 3\0", 16));
  file[16] = 2;  // pages of 512 bytes
  EXPECT_FALSE(read_rpm_database(base::as_bytes(file), {}, "f"));
  file[100] = 0x0D;
  EXPECT_EQ(read_rpm_database(base::as_bytes(file), {}, "f").error().code, ErrorCode::kNotFound);
  file[104] = 1;
  file.replace(108, 2, std::string("\x01\x00", 2));
  const std::string schema(
      "\x14\x01\x05\x17\x1d\x17\x01"
      "tablePackagesPackag\x01",
      27);
  file.replace(256, schema.size(), schema);
  const auto itself = read_rpm_database(base::as_bytes(file), {}, "f");
  ASSERT_FALSE(itself);
  EXPECT_EQ(itself.error().code, ErrorCode::kDataCorrupt);
  EXPECT_FALSE(read_rpm_database(base::as_bytes(file.substr(0, 200)), {}, "f"));
  EXPECT_FALSE(read_rpm_database(base::as_bytes("nothing"), {}, "f"));
  EXPECT_EQ(read_rpm_database(base::as_bytes("RpmP" + std::string(60, '\0')), {}, "f").error().code,
            ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace holdfast::supply
