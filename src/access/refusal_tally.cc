#include "access/refusal_tally.h"

namespace holdfast::access {

using base::MutexLock;
using base::Timestamp;

RefusalTally::Verdict RefusalTally::take(std::string_view principal, int status, Timestamp now) {
  const MutexLock lock(mutex_);
  auto found = windows_.find(principal);
  if (found == windows_.end()) {
    if (windows_.size() >= limits_.max_callers) return {};
    found =
        windows_.emplace(std::string(principal), Window{.from = now, .refused = 0, .by_status = {}}).first;
  }
  Verdict verdict;
  Window& window = found->second;
  if (now >= end_of(window)) {
    verdict.ended = counted(found->first, window);
    window = {.from = now, .refused = 0, .by_status = {}};
  }
  verdict.in_full = ++window.refused <= limits_.in_full;
  if (!verdict.in_full) ++window.by_status[status];
  return verdict;
}

std::optional<RefusalTally::Counted> RefusalTally::counted(const std::string& principal,
                                                           const Window& window) const {
  if (window.by_status.empty()) return std::nullopt;
  return Counted{
      .principal = principal, .from = window.from, .until = end_of(window), .by_status = window.by_status};
}

std::vector<RefusalTally::Counted> RefusalTally::take_before(std::optional<Timestamp> now) {
  std::vector<Counted> all;
  const MutexLock lock(mutex_);
  for (auto one = windows_.begin(); one != windows_.end();) {
    if (now && *now < end_of(one->second)) {
      ++one;
      continue;
    }
    if (auto what = counted(one->first, one->second)) all.push_back(*std::move(what));
    one = windows_.erase(one);
  }
  return all;
}

std::vector<RefusalTally::Counted> RefusalTally::take_ended(Timestamp now) { return take_before(now); }
std::vector<RefusalTally::Counted> RefusalTally::take_all() { return take_before(std::nullopt); }

}  // namespace holdfast::access
