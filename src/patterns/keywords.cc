#include "patterns/keywords.h"

#include "base/assert.h"

namespace holdfast::patterns {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

KeywordSet::KeywordSet(std::span<const std::string_view> keywords) {
  HF_ASSERT(!keywords.empty());
  classify(keywords);
  add_state();
  for (std::size_t i = 0; i < keywords.size(); ++i) {
    HF_ASSERT(!keywords[i].empty());
    State at = kStart;
    for (const char c : keywords[i]) at = child(at, c);
    if (keyword_[at] == kNone) keyword_[at] = static_cast<std::uint32_t>(i);
  }
  link();
}

void KeywordSet::classify(std::span<const std::string_view> keywords) {
  for (const auto keyword : keywords) {
    for (const char c : keyword) {
      auto& own = class_of_[static_cast<unsigned char>(lower(c))];
      if (own == 0) own = static_cast<std::uint8_t>(classes_++);
    }
  }
  for (unsigned char c = 'A'; c <= 'Z'; ++c)
    class_of_[c] = class_of_[static_cast<unsigned char>(lower(static_cast<char>(c)))];
}

KeywordSet::State KeywordSet::add_state() {
  const std::size_t state = keyword_.size();
  HF_ASSERT(state < kMaxStates);
  next_.resize(next_.size() + classes_, kStart);
  fail_.push_back(kStart);
  first_end_.push_back(kStart);
  keyword_.push_back(kNone);
  return static_cast<State>(state);
}

KeywordSet::State KeywordSet::child(State state, char c) {
  const std::size_t at = state * classes_ + class_of_[static_cast<unsigned char>(c)];
  if (next_[at] == kStart) {
    const State added = add_state();
    next_[at] = added;
  }
  return next_[at];
}

// Breadth first: a state's suffixes are shorter and therefore complete before it.
void KeywordSet::link() {
  std::vector<State> queue;
  for (std::size_t c = 0; c < classes_; ++c) {
    if (next_[c] != kStart) queue.push_back(next_[c]);
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const State state = queue[i];
    first_end_[state] = keyword_[state] != kNone ? state : first_end_[fail_[state]];
    for (std::size_t c = 0; c < classes_; ++c) {
      State& to = next_[state * classes_ + c];
      const State after_suffix = next_[fail_[state] * classes_ + c];
      if (to == kStart) {
        to = after_suffix;
      } else {
        fail_[to] = after_suffix;
        queue.push_back(to);
      }
    }
  }
}

}  // namespace holdfast::patterns
