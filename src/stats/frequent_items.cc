#include "stats/frequent_items.h"

#include <algorithm>
#include <functional>

#include "base/assert.h"
#include "stats/sketch_bytes.h"

namespace holdfast::stats {
namespace {

using base::Result;

constexpr std::uint64_t kMaxParsedTotal = 1ULL << 62;

bool more_frequent(const FrequentItems::Item& a, const FrequentItems::Item& b) {
  return a.count != b.count ? a.count > b.count : a.text < b.text;
}

}  // namespace

FrequentItems::FrequentItems(std::size_t capacity) : capacity_(capacity) {
  HF_ASSERT(capacity >= 1 && capacity <= kMaxCapacity);
}

// Takes `amount` from every count, and those that have no more away.
void FrequentItems::subtract(std::uint64_t amount) {
  error_ += amount;
  for (auto entry = counts_.begin(); entry != counts_.end();) {
    if (entry->second <= amount) {
      entry = counts_.erase(entry);
    } else {
      entry->second -= amount;
      ++entry;
    }
  }
}

void FrequentItems::add(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    ++too_long_;
    return;
  }
  ++total_;
  if (const auto found = counts_.find(text); found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < capacity_) {
    counts_.emplace(text, 1);
  } else {
    subtract(1);  // costs the capacity, but takes away as many counted texts: constant on average
  }
}

void FrequentItems::merge(const FrequentItems& other) {
  HF_ASSERT(capacity_ == other.capacity_);
  total_ += other.total_;
  too_long_ += other.too_long_;
  error_ += other.error_;
  for (const auto& [text, count] : other.counts_) counts_[text] += count;
  if (counts_.size() <= capacity_) return;
  std::vector<std::uint64_t> counts;
  for (const auto& [text, count] : counts_) counts.push_back(count);
  const auto first_over = counts.begin() + static_cast<std::ptrdiff_t>(capacity_);
  std::nth_element(counts.begin(), first_over, counts.end(), std::greater<>());
  subtract(*first_over);
}

std::vector<FrequentItems::Item> FrequentItems::items() const {
  std::vector<Item> items;
  items.reserve(counts_.size());
  for (const auto& [text, count] : counts_) items.push_back({.text = text, .count = count});
  std::sort(items.begin(), items.end(), more_frequent);
  return items;
}

void FrequentItems::append_to(base::Bytes& to) const {
  append_head(to, 'F');
  for (const std::uint64_t field : {std::uint64_t{capacity_}, total_, too_long_, error_, counts_.size()}) {
    append_varint(to, field);
  }
  for (const Item& item : items()) {
    append_varint(to, item.count);
    append_varint(to, item.text.size());
    base::append(to, item.text);
  }
}

Result<FrequentItems> FrequentItems::parse(base::ByteView bytes) {
  SketchReader reader(bytes, "table of frequent items");
  HF_CHECK(reader.head('F'));
  HF_TRY(const std::uint64_t capacity, reader.varint(kMaxCapacity));
  HF_CHECK(reader.require(capacity > 0, "its capacity is 0"));
  FrequentItems sketch(capacity);
  HF_TRY(sketch.total_, reader.varint(kMaxParsedTotal));
  HF_TRY(sketch.too_long_, reader.varint());
  HF_TRY(sketch.error_, reader.varint(sketch.total_ / (capacity + 1)));
  HF_TRY(const std::uint64_t kept, reader.varint(capacity));
  std::uint64_t left = sketch.total_ - sketch.error_ * (capacity + 1);  // what the counts may add up to
  Item last{.text = "", .count = left};
  for (std::uint64_t i = 0; i < kept; ++i) {
    Item item;
    HF_TRY(item.count, reader.varint(left));
    HF_TRY(const std::uint64_t size, reader.varint(kMaxTextBytes));
    HF_TRY(const base::ByteView text, reader.take(size));
    item.text = base::as_text(text);
    HF_CHECK(reader.require(item.count > 0 && (i == 0 || more_frequent(last, item)),
                            "its items are out of order"));
    HF_CHECK(reader.require(sketch.counts_.emplace(item.text, item.count).second, "an item stands twice"));
    left -= item.count;
    last = std::move(item);
  }
  HF_CHECK(reader.require(sketch.error_ > 0 || left == 0, "its counts do not add up"));
  HF_CHECK(reader.end());
  return sketch;
}

}  // namespace holdfast::stats
