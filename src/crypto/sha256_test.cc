#include "crypto/sha256.h"

#include <gtest/gtest.h>

namespace holdfast::crypto {
namespace {

TEST(Sha256, HashesTheExamplesOfTheStandard) {
  EXPECT_EQ(sha256({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(base::as_bytes("abc")).hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace holdfast::crypto
