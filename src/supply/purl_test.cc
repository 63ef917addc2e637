#include "supply/purl.h"

#include <gtest/gtest.h>

namespace holdfast::supply {
namespace {

// The examples of purl-spec's README and of its types.
TEST(Purl, IsReadAndWrittenCanonically) {
  struct Case {
    const char* given;
    const char* canonical;
  };
  for (const auto& [given, canonical] : {
           Case{"pkg:bitbucket/birkenfeld/pygments-main@244fd47e07d1014f0aed9c",
                "pkg:bitbucket/birkenfeld/pygments-main@244fd47e07d1014f0aed9c"},
           Case{"pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
                "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie"},
           Case{"pkg:golang/google.golang.org/genproto@abcdedf#/googleapis/./api/annotations/",
                "pkg:golang/google.golang.org/genproto@abcdedf#googleapis/api/annotations"},
           Case{"PKG://PYPI/Django_Package@1.11.1.dev1", "pkg:pypi/django-package@1.11.1.dev1"},
           Case{"pkg:npm/%40angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1"},
           Case{"pkg:npm/@angular/animation", "pkg:npm/%40angular/animation"},
           Case{"pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25",
                "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25"},
           Case{"pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=&b=2&a=1",
                "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?a=1&b=2"},
           Case{"pkg:huggingface/microsoft/deberta-v3-base@559062AD13D311B87B2C455E67DCD5F1C8F65111",
                "pkg:huggingface/microsoft/deberta-v3-base@559062ad13d311b87b2c455e67dcd5f1c8f65111"},
       }) {
    const auto purl = parse_purl(given);
    ASSERT_TRUE(purl) << given << ": " << purl.error().message;
    EXPECT_EQ(to_string(*purl), canonical);
    EXPECT_EQ(*parse_purl(canonical), *purl);
  }
  EXPECT_EQ(parse_purl("pkg:npm/%40angular/animation@12.3.1")->name_space, "@angular");
}

TEST(Purl, SaysWhatIsWrong) {
  for (const char* text : {"", "pkg", "http://pypi/django", "pkg:pypi", "pkg:/x", "pkg:py pi/x", "pkg:pypi/",
                           "pkg:pypi/%2", "pkg:pypi/%zz", "pkg:npm/a%2Fb/c", "pkg:pypi/x?1=2", "pkg:pypi/x?a",
                           "pkg:pypi/x?a=1&A=2", "pkg:pypi/@1.0"}) {
    EXPECT_FALSE(parse_purl(text)) << text;
  }
  EXPECT_EQ(parse_purl("pkg:pypi/" + std::string(PackageUrl::kMaxBytes, 'x')).error().code,
            base::ErrorCode::kLimitExceeded);
  EXPECT_EQ(parse_purl("x").error().message, "\"x\" is no package URL: it must begin with \"pkg:\"");
}

}  // namespace
}  // namespace holdfast::supply
