#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::stats {

// The most frequent texts of a stream in bounded memory: the summary of Misra and Gries 1982, which holds
// what Space-Saving with one counter more holds, and merges without losing its bound (Agarwal et al. 2013,
// "Mergeable summaries", theorem 1 and section 2.2). Each count is at most error() too low, and a text that
// is not kept occurs at most error() <= total() / (capacity() + 1) times, after any sequence of additions and
// merges. While a stream has no more than `capacity` different texts, all is exact and shards merge to what
// one pass gives.
//
// A value of at most `capacity` texts of kMaxTextBytes each. Not thread-safe.
class FrequentItems {
 public:
  static constexpr std::size_t kMaxCapacity = 1 << 16;
  static constexpr std::size_t kMaxTextBytes = 256;

  // Capacity from 1 to kMaxCapacity, asserted.
  explicit FrequentItems(std::size_t capacity);

  // A text over kMaxTextBytes is counted in too_long() and is otherwise left out.
  void add(std::string_view text);
  // Of the same capacity, asserted.
  void merge(const FrequentItems& other);

  struct Item {
    std::string text;
    std::uint64_t count;  // the true count lies in [count, count + error()]
    friend bool operator==(const Item&, const Item&) = default;
  };
  // Those kept, most frequent first, equals by text.
  [[nodiscard]] std::vector<Item> items() const;

  [[nodiscard]] std::uint64_t total() const { return total_; }  // texts counted, without those too long
  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }
  [[nodiscard]] std::uint64_t error() const { return error_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // Canonical: 'F' 1, then varints: capacity, total, too_long, error, the number of items, and for each in
  // the order of items() its count, its length, and its bytes.
  void append_to(base::Bytes& to) const;
  // kDataCorrupt for what append_to would not have written, or where the bound on the error does not hold.
  static base::Result<FrequentItems> parse(base::ByteView bytes);

  friend bool operator==(const FrequentItems&, const FrequentItems&) = default;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void subtract(std::uint64_t amount);

  std::size_t capacity_;
  std::uint64_t total_ = 0;
  std::uint64_t too_long_ = 0;
  std::uint64_t error_ = 0;
  std::unordered_map<std::string, std::uint64_t, TextHash, std::equal_to<>> counts_;
};

}  // namespace holdfast::stats
