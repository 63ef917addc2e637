#include "supply/lock_file.h"

#include <gmock/gmock-more-matchers.h>
#include <gtest/gtest.h>

#include "supply/installed.h"

namespace holdfast::supply {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> purls(const Inventory& inventory) {
  std::vector<std::string> all;
  for (const auto& component : inventory.components) all.push_back(to_string(component.purl));
  return all;
}

Inventory read(std::string_view file_name, std::string_view text) {
  const auto format = lock_format_of(file_name);
  EXPECT_TRUE(format) << file_name;
  auto inventory = read_lock_file(*format, text, "here");
  EXPECT_TRUE(inventory) << file_name << ": " << inventory.error().message;
  return inventory ? *std::move(inventory) : Inventory();
}

TEST(LockFile, ReadsRequirementsWithHashesMarkersAndOptions) {
  const auto inventory = read("requirements.txt",
                              "# pinned\n"
                              "-r other.txt\n"
                              "--index-url https://example.org/simple\n"
                              "Django[argon2] == 4.2.1 ; python_version >= \"3.8\" \\\n"
                              "    --hash=sha256:AA11 \\\n"
                              "    --hash=sha256:bb22\n"
                              "ruamel.yaml===0.17.21 # the newest\r\n"
                              "numpy>=1.20\n"
                              "torch==2.*\n"
                              "thing @ https://example.org/thing.whl\n"
                              "./local\n"
                              "-e git+https://example.org/x.git#egg=x\n");
  EXPECT_THAT(purls(inventory), ElementsAre("pkg:pypi/django@4.2.1", "pkg:pypi/ruamel-yaml@0.17.21",
                                            "pkg:pypi/numpy", "pkg:pypi/torch"));
  EXPECT_THAT(inventory.components[0].hashes,
              ElementsAre(FileHash{"SHA-256", "aa11"}, FileHash{"SHA-256", "bb22"}));
  EXPECT_THAT(inventory.gaps,
              ElementsAre(HasSubstr("other.txt"), HasSubstr("numpy is not pinned"), HasSubstr("torch is not"),
                          HasSubstr("thing @"), HasSubstr("./local"), HasSubstr("git+https")));
}

TEST(LockFile, ReadsPythonLocks) {
  EXPECT_THAT(purls(read("Pipfile.lock", R"({"_meta":{},"default":{"Flask":{"version":"==2.0.1",
      "hashes":["sha256:ab"]}},"develop":{"pytest":{"version":"==7.0"}}})")),
              ElementsAre("pkg:pypi/flask@2.0.1", "pkg:pypi/pytest@7.0"));
  const auto poetry =
      read("poetry.lock",
           "[[package]]\nname = \"Jinja2\"\nversion = \"3.1.2\"\nfiles = [{file = \"a.whl\", hash = "
           "\"sha256:0f\"}]\n[package.dependencies]\nMarkupSafe = \">=2.0\"\n"
           "[metadata]\nlock-version = \"2.0\"\n");
  EXPECT_THAT(purls(poetry), ElementsAre("pkg:pypi/jinja2@3.1.2"));
  EXPECT_THAT(poetry.components[0].needs, ElementsAre("MarkupSafe"));
  EXPECT_THAT(poetry.components[0].hashes, ElementsAre(FileHash{"SHA-256", "0f"}));
  EXPECT_THAT(purls(read("pdm.lock",
                         "[[package]]\nname = \"idna\"\nversion = \"3.4\"\ndependencies = [\"x<2; "
                         "python_version > '3'\"]\n")),
              ElementsAre("pkg:pypi/idna@3.4"));
  const auto uv =
      read("uv.lock",
           "version = 1\n[[package]]\nname = \"mine\"\nversion = \"0.1\"\nsource = { editable = \".\" }\n"
           "[[package]]\nname = \"anyio\"\nversion = \"4.3.0\"\nsource = { registry = "
           "\"https://pypi.org/simple\" }\n"
           "dependencies = [{ name = \"idna\" }]\nsdist = { url = \"u\", hash = \"sha256:01\" }\n"
           "wheels = [{ url = \"w\", hash = \"sha256:02\" }]\n");
  EXPECT_THAT(purls(uv), ElementsAre("pkg:pypi/anyio@4.3.0"));
  EXPECT_EQ(uv.components[0].hashes.size(), 2U);
  EXPECT_THAT(purls(read("pylock.dev.toml",
                         "lock-version = \"1.0\"\n[[packages]]\nname = \"attrs\"\nversion = \"25.1.0\"\n"
                         "[[packages.wheels]]\nname = \"a.whl\"\nhashes = {sha256 = \"c7\"}\n")),
              ElementsAre("pkg:pypi/attrs@25.1.0"));
  const auto conda =
      read("environment.yml",
           "name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - numpy=1.26.4=py311h\n"
           "  - scipy>=1.10\n  - pip:\n    - torch==2.1.0\n  - zlib==1.2.13\n");
  EXPECT_THAT(purls(conda), ElementsAre("pkg:conda/python@3.11", "pkg:conda/numpy@1.26.4?build=py311h",
                                        "pkg:conda/scipy", "pkg:pypi/torch@2.1.0", "pkg:conda/zlib@1.2.13"));
}

TEST(LockFile, ReadsNpmLocksOfEveryVersion) {
  const auto newer = read("package-lock.json", R"({"lockfileVersion":3,"packages":{"":{"name":"mine"},
      "node_modules/@babel/core":{"version":"7.20.0","license":"MIT","integrity":"sha512-qg==","dependencies":{"ms":"^2"}},
      "node_modules/a/node_modules/ms":{"version":"2.1.2","dev":true},
      "node_modules/mine":{"resolved":"mine","link":true},
      "node_modules/from-git":{"version":"git+ssh://git@github.com/a/b.git#1"},
      "packages/mine":{"version":"1.0.0"}}})");
  EXPECT_THAT(purls(newer),
              ElementsAre("pkg:npm/%40babel/core@7.20.0", "pkg:npm/ms@2.1.2", "pkg:npm/from-git"));
  EXPECT_THAT(newer.components[0].hashes, ElementsAre(FileHash{"SHA-512", "aa"}));
  EXPECT_EQ(newer.components[0].license_expression, "MIT");
  EXPECT_TRUE(newer.components[1].development);
  EXPECT_EQ(newer.gaps.size(), 1U);
  EXPECT_THAT(purls(read("package-lock.json", R"({"lockfileVersion":1,"dependencies":{
      "a":{"version":"1.0.0","requires":{"b":"1"},"dependencies":{"b":{"version":"1.2.0"}}}}})")),
              ElementsAre("pkg:npm/a@1.0.0", "pkg:npm/b@1.2.0"));
}

TEST(LockFile, ReadsTheLocksOfCompiledLanguages) {
  const auto cargo =
      read("Cargo.lock",
           "version = 3\n[[package]]\nname = \"mine\"\nversion = \"0.1.0\"\n"
           "[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\n"
           "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"dd\"\n"
           "dependencies = [\"serde_derive 1.0.200\"]\n");
  EXPECT_THAT(purls(cargo), ElementsAre("pkg:cargo/serde@1.0.200"));
  EXPECT_THAT(cargo.components[0].needs, ElementsAre("serde_derive"));
  EXPECT_THAT(purls(read("go.sum",
                         "golang.org/x/text v0.3.7 h1:a=\ngolang.org/x/text v0.3.7/go.mod h1:b=\n"
                         "golang.org/x/net v0.1.0/go.mod h1:c=\n")),
              ElementsAre("pkg:golang/golang.org/x/text@v0.3.7"));
  EXPECT_THAT(
      purls(read("conan.lock",
                 R"({"version":"0.5","requires":["zlib/1.2.11#ab%16"],"build_requires":["cmake/3.2"]})")),
      ElementsAre("pkg:conan/zlib@1.2.11", "pkg:conan/cmake@3.2"));
  EXPECT_THAT(
      purls(read(
          "conan.lock",
          R"({"graph_lock":{"nodes":{"0":{"ref":"me/1"},"1":{"ref":"fmt/9.0.0@u/c#1"}}},"version":"0.4"})")),
      ElementsAre("pkg:conan/fmt@9.0.0"));
  const auto vcpkg =
      read("vcpkg.json",
           R"({"dependencies":["fmt",{"name":"zlib"}],"overrides":[{"name":"zlib","version":"1.2.13"}]})");
  EXPECT_THAT(purls(vcpkg), ElementsAre("pkg:vcpkg/zlib@1.2.13", "pkg:vcpkg/fmt"));
  EXPECT_THAT(vcpkg.gaps, ElementsAre(HasSubstr("fmt is not pinned")));
}

TEST(LockFile, SaysWhatIsWrongAndWhere) {
  for (const auto* name : {"Pipfile.lock", "poetry.lock", "pylock.toml", "environment.yml",
                           "package-lock.json", "Cargo.lock", "go.sum", "conan.lock", "vcpkg.json"}) {
    for (const auto* text : {"{", "[]", "[[", "\xff\xfe", "x = ", "one"}) {
      const auto inventory = read_lock_file(*lock_format_of(name), text, "dir/it");
      ASSERT_FALSE(inventory) << name << " of " << text;
      EXPECT_EQ(inventory.error().code, base::ErrorCode::kDataCorrupt)
          << name << ": " << inventory.error().message;
      EXPECT_THAT(inventory.error().message, HasSubstr("dir/it: "));
    }
  }
  const auto nested = std::string(100, '[');
  EXPECT_FALSE(read_lock_file(LockFormat::kNpmLock, R"({"a":)" + nested, "deep"));
  EXPECT_EQ(read_lock_file(LockFormat::kGoSum, std::string(kMaxLockFileBytes + 1, '\n'), "big").error().code,
            base::ErrorCode::kLimitExceeded);
  EXPECT_FALSE(lock_format_of("setup.py"));
}

TEST(Installed, ReadsAPythonDistribution) {
  const auto component = read_python_metadata(
      "Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0.1\nLicense: MIT\n"
      "Classifier: License :: OSI Approved :: MIT License\nRequires-Dist: numpy (>=1.2) ; python_version > "
      "'3'\n"
      "Requires-Dist: pytest ; extra == 'test'\n\nName: not this\n",
      "METADATA");
  ASSERT_TRUE(component);
  EXPECT_EQ(to_string(component->purl), "pkg:pypi/pyyaml@6.0.1");
  EXPECT_THAT(component->licenses, ElementsAre("MIT License"));
  EXPECT_THAT(component->needs, ElementsAre("numpy"));
  EXPECT_FALSE(read_python_metadata("Name: x\n", "METADATA"));
}

TEST(Installed, ReadsDebiansPackagesWithTheirSources) {
  const auto on = read_os_release("PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n");
  const std::string status =
      "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl (3.0.11-1)\n"
      "Version: 3.0.11-1+b1\nDepends: libc6 (>= 2.34), debconf (>= 0.5) | debconf-2.0\nDescription: x\n "
      "more\n\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n";
  const auto inventory = read_dpkg_status(status, on, "status");
  ASSERT_TRUE(inventory);
  EXPECT_THAT(
      purls(*inventory),
      ElementsAre(
          "pkg:deb/debian/libssl3@3.0.11-1%2Bb1?arch=amd64&distro=debian-12&upstream=openssl%403.0.11-1"));
  EXPECT_THAT(inventory->components[0].needs, ElementsAre("libc6", "debconf"));
  EXPECT_THAT(inventory->gaps, IsEmpty());
  EXPECT_EQ(read_dpkg_status(status, {}, "status")->gaps.size(), 1U);
  EXPECT_FALSE(read_dpkg_status("Package: x\n", on, "status"));
}

}  // namespace
}  // namespace holdfast::supply
