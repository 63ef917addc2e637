#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

// Finds many keywords in one pass over a text that comes in pieces, whatever the case of its ASCII letters
// (A. V. Aho and M. J. Corasick, "Efficient string matching", CACM 18, 1975). Immutable; thread-safe.

namespace holdfast::patterns {

class KeywordSet {
 public:
  static constexpr std::size_t kMaxStates = 60'000;

  // At least one keyword, none of them empty.
  explicit KeywordSet(std::span<const std::string_view> keywords);

  // Where a pass stands between two pieces of the text.
  using State = std::uint16_t;
  static constexpr State kStart = 0;

  // Calls on_hit(index of the keyword, position in `piece` just behind it) for each occurrence that ends in
  // `piece`, by their ends; those with one end from the longest to the shortest.
  template <typename OnHit>
  void scan(State& state, std::string_view piece, OnHit&& on_hit) const {
    State at = state;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      at = next_[at * classes_ + class_of_[static_cast<unsigned char>(piece[i])]];
      for (State end = first_end_[at]; end != kStart; end = first_end_[fail_[end]]) {
        on_hit(keyword_[end], i + 1);
      }
    }
    state = at;
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  void classify(std::span<const std::string_view> keywords);
  State child(State state, char c);
  State add_state();
  void link();

  std::array<std::uint8_t, 256> class_of_{};  // bytes that no keyword holds share the class 0
  std::size_t classes_ = 1;
  std::vector<State> next_;             // state and class to state
  std::vector<State> fail_;             // the longest proper suffix that is a state too
  std::vector<State> first_end_;        // the state itself or its longest suffix at which a keyword ends
  std::vector<std::uint32_t> keyword_;  // that ends at a state
};

}  // namespace holdfast::patterns
