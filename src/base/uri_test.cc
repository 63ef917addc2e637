#include "base/uri.h"

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

TEST(Uri, OfAPathEncodesWhatIsReserved) {
  EXPECT_EQ(uri_of_path("models/a b%\xC3\xA9.pkl"), "models/a%20b%25%C3%A9.pkl");
  EXPECT_EQ(uri_of_path("/srv/a:b"), "file:///srv/a%3Ab");
  EXPECT_EQ(uri_of_path(""), "");
}

}  // namespace
}  // namespace holdfast::base
