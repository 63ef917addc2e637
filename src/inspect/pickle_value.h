#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// What the pickle machine knows of a Python value, in eight bytes, and where the little that it keeps of
// strings, tuples and the memo lies. Everything here has a fixed upper size: what no longer fits is
// forgotten, and a forgotten value says so. Not thread-safe.

namespace holdfast::inspect {

enum class PickleKind : std::uint8_t {
  kAbsent,    // an empty slot of the memo
  kUnknown,   // forgotten, or never followed
  kReported,  // the result of something that there is a finding about already
  kNone,
  kBool,
  kInt,       // payload: the number, where it fits 55 bits
  kNumber,    // any other number
  kMagic,     // the number that begins a legacy PyTorch file
  kString,    // payload: a span of PickleHeap's text
  kText,      // a string whose content was not kept; payload as for kBytes
  kBytes,     // payload: 1 + an index of what was found nested in them, or 0
  kTuple,     // payload: a span of PickleHeap's items
  kSequence,  // a tuple whose items were not kept
  kList,
  kDict,  // payload: its serial number
  kSet,
  kGlobal,  // payload: an index of PickleGlobals
  kObject,  // payload: the index of the global that made it
  kDtype,   // payload: an index of PickleHeap's dtypes
  kArray,   // joblib's NumpyArrayWrapper; payload: the index of the global
  kShaped,  // (class, shape, type) for numpy's _reconstruct; payload: the index of the class, a kSubclass
};

class PickleValue {
 public:
  constexpr PickleValue() = default;
  constexpr explicit PickleValue(PickleKind kind, std::uint64_t payload = 0)
      : bits_(payload << 8 | static_cast<std::uint64_t>(kind)) {}
  static constexpr PickleValue integer(std::int64_t number) {
    constexpr std::int64_t kLimit = std::int64_t{1} << 54;
    if (number >= kLimit || number < -kLimit) return PickleValue(PickleKind::kNumber);
    return PickleValue(PickleKind::kInt, static_cast<std::uint64_t>(number));
  }

  [[nodiscard]] constexpr PickleKind kind() const { return static_cast<PickleKind>(bits_ & 0xFF); }
  [[nodiscard]] constexpr bool is(PickleKind kind) const { return this->kind() == kind; }
  [[nodiscard]] constexpr std::uint64_t payload() const { return bits_ >> 8; }
  [[nodiscard]] constexpr std::uint32_t index() const { return static_cast<std::uint32_t>(payload()); }
  [[nodiscard]] constexpr std::int64_t number() const { return static_cast<std::int64_t>(bits_) >> 8; }

  friend constexpr bool operator==(PickleValue, PickleValue) = default;

 private:
  std::uint64_t bits_ = 0;
};

constexpr bool is_text(PickleValue value) {
  return value.is(PickleKind::kString) || value.is(PickleKind::kText);
}

// A ring over `capacity` elements that are written in runs and named by where they began. A run is lost once
// `capacity` elements were written after it.
template <typename T>
class PickleRing {
 public:
  static constexpr std::size_t kMaxRun = 255;

  explicit PickleRing(std::size_t capacity) : capacity_(capacity) {}

  // Names the run: its start and length, in 56 bits. At most kMaxRun elements.
  std::uint64_t put(std::span<const T> run) {
    std::size_t at = static_cast<std::size_t>(head_ % capacity_);
    if (at + run.size() > capacity_) {
      head_ += capacity_ - at;
      at = 0;
    }
    if (at + run.size() > items_.size()) items_.resize(std::min(capacity_, 2 * (at + run.size()) + kMaxRun));
    std::copy(run.begin(), run.end(), items_.begin() + static_cast<std::ptrdiff_t>(at));
    const std::uint64_t name = head_ << 8 | run.size();
    head_ += run.size();
    return name;
  }

  // Valid until the next put().
  [[nodiscard]] std::optional<std::span<const T>> get(std::uint64_t name) const {
    const std::uint64_t start = name >> 8;
    if (head_ - start > capacity_) return std::nullopt;
    return std::span<const T>(items_).subspan(static_cast<std::size_t>(start % capacity_), name & 0xFF);
  }

 private:
  std::size_t capacity_;
  std::uint64_t head_ = 0;
  std::vector<T> items_;
};

// As far as reading raw array data needs it.
struct PickleDtype {
  std::uint64_t item_bytes = 0;
  bool has_objects = false;
  bool known = false;
  bool sized = false;  // its kind leaves the size free: bytes, text, records
};

// What values refer to, shared by the machines over one file.
class PickleHeap {
 public:
  static constexpr std::size_t kTextBytes = 8UL << 20;
  static constexpr std::size_t kTupleItems = 256UL << 10;
  static constexpr std::size_t kMaxTupleKept = 32;
  static constexpr std::size_t kMaxDtypes = 64UL << 10;
  static constexpr std::size_t kMaxPinned = 8192;

  // `share` divides the sizes, for a file within a file.
  explicit PickleHeap(std::size_t share = 1) : text_(kTextBytes / share), items_(kTupleItems / share) {}

  PickleValue string(std::string_view text);
  PickleValue tuple(std::span<const PickleValue> items);
  PickleValue dict() { return PickleValue(PickleKind::kDict, ++dicts_); }
  // Nothing past kMaxDtypes.
  std::optional<PickleValue> dtype(const PickleDtype& dtype);

  // Nothing where the value is no such thing, or its content was forgotten. Valid until the next string or
  // tuple.
  [[nodiscard]] std::optional<std::string_view> text_of(PickleValue value) const;
  [[nodiscard]] std::optional<std::span<const PickleValue>> items_of(PickleValue value) const;
  PickleDtype* dtype_of(PickleValue value);

  // Keeps a string for good: what was a name once will be again.
  void pin(PickleValue value);

 private:
  PickleRing<char> text_;
  PickleRing<PickleValue> items_;
  std::uint64_t dicts_ = 0;
  std::vector<PickleDtype> dtypes_;
  std::unordered_map<std::uint64_t, std::string> pinned_;
};

// The memo: slots that grow with use. Past its bound only globals are kept; where the number of slots in use
// can't be known any more, everything is forgotten, since MEMOIZE may then write anywhere.
class PickleMemo {
 public:
  static constexpr std::size_t kPageSlots = 4096;
  static constexpr std::size_t kMaxPages = 768;          // three million slots, 24 MiB
  static constexpr std::uint64_t kMaxPage = 64UL << 10;  // no slot beyond it is kept
  static constexpr std::size_t kMaxLateGlobals = 16UL << 10;

  // `under`, which must outlive this one, answers for what this memo does not hold.
  explicit PickleMemo(std::size_t share = 1, const PickleMemo* under = nullptr)
      : max_pages_(kMaxPages / share),
        under_(under),
        count_(under == nullptr ? 0 : under->count_),
        lost_(under != nullptr && under->lost_) {}

  // Number of slots in use, as Python counts them; the slot that MEMOIZE takes.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  void put(std::uint64_t index, PickleValue value) {
    const std::uint64_t page = index / kPageSlots;
    if (page < pages_.size() && pages_[page] != nullptr) {
      PickleValue& slot = pages_[page][index % kPageSlots];
      if (slot.is(PickleKind::kAbsent) && !below(index)) ++count_;
      slot = value;
    } else {
      put_new_page(index, value);
    }
  }
  // kAbsent for a slot that nothing was put into, kUnknown for one that was forgotten.
  [[nodiscard]] PickleValue get(std::uint64_t index) const;

 private:
  [[nodiscard]] bool below(std::uint64_t index) const {
    return under_ != nullptr && !under_->get(index).is(PickleKind::kAbsent);
  }
  void put_new_page(std::uint64_t index, PickleValue value);

  std::size_t max_pages_;
  const PickleMemo* under_;
  std::uint64_t count_;
  bool lost_;
  std::size_t pages_used_ = 0;
  // Slots [dropped_from_, count_) were put one after the other and not kept.
  std::uint64_t dropped_from_ = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::unique_ptr<PickleValue[]>> pages_;
  std::unordered_map<std::uint64_t, PickleValue> late_;
};

}  // namespace holdfast::inspect
