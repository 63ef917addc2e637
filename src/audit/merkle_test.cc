#include "audit/merkle.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace holdfast::audit {
namespace {

using base::Digest;

// The eight entries of Certificate Transparency's own test data (certificate-transparency/go/merkletree, also
// in transparency-dev/merkle), whose roots are published there.
const std::vector<std::string> kEntries{
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

// Keeps every leaf; subtrees are computed anew.
class Leaves final : public HashSource {
 public:
  explicit Leaves(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}
  base::Result<Digest> subtree(unsigned level, std::uint64_t index) const override {
    if (level == 0) return leaves_.at(index);
    return node_hash(subtree(level - 1, 2 * index).value(), subtree(level - 1, 2 * index + 1).value());
  }
  [[nodiscard]] const Digest& leaf(std::uint64_t index) const { return leaves_.at(index); }

 private:
  std::vector<Digest> leaves_;
};

Leaves published() {
  std::vector<Digest> leaves;
  for (const auto& entry : kEntries) leaves.push_back(leaf_hash(base::hex_decode(entry).value()));
  return Leaves(std::move(leaves));
}

Leaves numbered(std::uint64_t count) {
  std::vector<Digest> leaves;
  for (std::uint64_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(base::as_bytes(std::to_string(i))));
  return Leaves(std::move(leaves));
}

TEST(Merkle, AgreesWithThePublishedRoots) {
  const auto leaves = published();
  Frontier frontier;
  EXPECT_EQ(frontier.root(), tree_root(leaves, 0).value());
  EXPECT_EQ(frontier.root().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::uint64_t size = 1; size <= kRoots.size(); ++size) {
    EXPECT_EQ(tree_root(leaves, size)->hex(), kRoots[size - 1]) << size;
    frontier.add(leaves.leaf(size - 1));
    EXPECT_EQ(frontier.root().hex(), kRoots[size - 1]) << size;
  }
}

TEST(Merkle, EveryInclusionProofHoldsForItsEntryAlone) {
  constexpr std::uint64_t kMost = 40;
  const auto leaves = numbered(kMost);
  for (std::uint64_t size = 1; size <= kMost; ++size) {
    const auto root = tree_root(leaves, size).value();
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = inclusion_proof(leaves, index, size).value();
      EXPECT_TRUE(verify_inclusion(index, size, leaves.leaf(index), proof, root));
      EXPECT_FALSE(verify_inclusion(index, size, leaf_hash(base::as_bytes("other")), proof, root));
      if (size > 1) {
        EXPECT_FALSE(verify_inclusion((index + 1) % size, size, leaves.leaf(index), proof, root));
      }
      proof.push_back(root);
      EXPECT_FALSE(verify_inclusion(index, size, leaves.leaf(index), proof, root));
      proof.resize(proof.size() - 1);
      if (proof.empty()) continue;
      proof.pop_back();
      EXPECT_FALSE(verify_inclusion(index, size, leaves.leaf(index), proof, root));
    }
    EXPECT_FALSE(verify_inclusion(size, size, leaves.leaf(0), {}, root));
  }
}

TEST(Merkle, EveryConsistencyProofHoldsForItsSizesAlone) {
  constexpr std::uint64_t kMost = 40;
  const auto leaves = numbered(kMost);
  for (std::uint64_t new_size = 1; new_size <= kMost; ++new_size) {
    const auto new_root = tree_root(leaves, new_size).value();
    for (std::uint64_t old_size = 1; old_size <= new_size; ++old_size) {
      const auto old_root = tree_root(leaves, old_size).value();
      auto proof = consistency_proof(leaves, old_size, new_size).value();
      EXPECT_TRUE(verify_consistency(old_size, old_root, new_size, new_root, proof))
          << old_size << " " << new_size;
      EXPECT_FALSE(verify_consistency(old_size, leaf_hash({}), new_size, new_root, proof));
      EXPECT_FALSE(verify_consistency(old_size, old_root, new_size, leaf_hash({}), proof));
      proof.push_back(new_root);
      EXPECT_FALSE(verify_consistency(old_size, old_root, new_size, new_root, proof));
    }
  }
}

TEST(Merkle, ALogThatShrinksIsRefused) {
  const auto leaves = numbered(4);
  EXPECT_FALSE(verify_consistency(4, tree_root(leaves, 4).value(), 3, tree_root(leaves, 3).value(), {}));
  EXPECT_TRUE(verify_consistency(0, empty_root(), 3, tree_root(leaves, 3).value(), {}));
}

TEST(Merkle, ANodeIsNoLeaf) {
  const auto leaves = numbered(2);
  base::Bytes forged{1};
  base::append(forged, leaves.leaf(0).bytes());
  base::append(forged, leaves.leaf(1).bytes());
  EXPECT_NE(leaf_hash(forged), tree_root(leaves, 2).value());
}

}  // namespace
}  // namespace holdfast::audit
