#include "inspect/pickle_value.h"

namespace holdfast::inspect {

PickleValue PickleHeap::string(std::string_view text) {
  if (text.size() > PickleRing<char>::kMaxRun) return PickleValue(PickleKind::kText);
  return PickleValue(PickleKind::kString, text_.put(text));
}

PickleValue PickleHeap::tuple(std::span<const PickleValue> items) {
  if (items.size() > kMaxTupleKept) return PickleValue(PickleKind::kSequence);
  return PickleValue(PickleKind::kTuple, items_.put(items));
}

std::optional<PickleValue> PickleHeap::dtype(const PickleDtype& dtype) {
  if (dtypes_.size() >= kMaxDtypes) return std::nullopt;
  dtypes_.push_back(dtype);
  return PickleValue(PickleKind::kDtype, dtypes_.size() - 1);
}

std::optional<std::string_view> PickleHeap::text_of(PickleValue value) const {
  if (!value.is(PickleKind::kString)) return std::nullopt;
  if (const auto run = text_.get(value.payload())) return std::string_view(run->data(), run->size());
  const auto pinned = pinned_.find(value.payload());
  if (pinned == pinned_.end()) return std::nullopt;
  return pinned->second;
}

std::optional<std::span<const PickleValue>> PickleHeap::items_of(PickleValue value) const {
  if (!value.is(PickleKind::kTuple)) return std::nullopt;
  return items_.get(value.payload());
}

PickleDtype* PickleHeap::dtype_of(PickleValue value) {
  return value.is(PickleKind::kDtype) ? &dtypes_[value.index()] : nullptr;
}

void PickleHeap::pin(PickleValue value) {
  if (pinned_.size() >= kMaxPinned || pinned_.contains(value.payload())) return;
  if (const auto text = text_of(value)) pinned_.emplace(value.payload(), *text);
}

PickleValue PickleMemo::get(std::uint64_t index) const {
  if (lost_) return PickleValue(PickleKind::kUnknown);
  const std::uint64_t page = index / kPageSlots;
  if (page < pages_.size() && pages_[page] != nullptr) {
    const PickleValue slot = pages_[page][index % kPageSlots];
    if (!slot.is(PickleKind::kAbsent)) return slot;
  }
  if (const auto late = late_.find(index); late != late_.end()) return late->second;
  if (index >= dropped_from_ && index < count_) return PickleValue(PickleKind::kUnknown);
  return under_ == nullptr ? PickleValue() : under_->get(index);
}

void PickleMemo::put_new_page(std::uint64_t index, PickleValue value) {
  if (lost_) return;
  const std::uint64_t page = index / kPageSlots;
  if (page < kMaxPage && pages_used_ < max_pages_) {
    if (page >= pages_.size()) pages_.resize(page + 1);
    pages_[page] = std::make_unique<PickleValue[]>(kPageSlots);
    ++pages_used_;
    put(index, value);
    return;
  }
  late_.erase(index);
  if (value.is(PickleKind::kGlobal) && late_.size() < kMaxLateGlobals) late_.emplace(index, value);
  if (index == count_) {
    dropped_from_ = std::min(dropped_from_, index);
    ++count_;
  } else if (index < dropped_from_ || index >= count_) {
    lost_ = true;
    pages_.clear();
    late_.clear();
  }
}

}  // namespace holdfast::inspect
