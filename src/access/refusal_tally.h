#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"

namespace holdfast::access {

// Keeps a caller whose requests are refused over and over from filling the audit log: the first of each
// window of time are recorded in full, the rest of it are counted, and one record tells the counts. Callers
// are principals who signed in, so there are not more of them than somebody made. Thread-safe.
class RefusalTally {
 public:
  struct Limits {
    std::uint64_t in_full = 20;  // of one caller in one window
    std::chrono::seconds window{60};
    std::size_t max_callers = 10'000;  // counted at a time; those of others are recorded in full
  };
  // What was not recorded in full.
  struct Counted {
    std::string principal;
    base::Timestamp from;
    base::Timestamp until;
    std::map<int, std::uint64_t> by_status;
  };

  RefusalTally() = default;
  explicit RefusalTally(const Limits& limits) : limits_(limits) {}

  struct Verdict {
    bool in_full = true;
    std::optional<Counted> ended;  // of the caller's window before this one, to be recorded now
  };
  Verdict take(std::string_view principal, int status, base::Timestamp now);

  // The counts of every window that has ended by now, which are forgotten here.
  std::vector<Counted> take_ended(base::Timestamp now);
  // The counts of all windows, at the end.
  std::vector<Counted> take_all();

 private:
  struct Window {
    base::Timestamp from;
    std::uint64_t refused = 0;
    std::map<int, std::uint64_t> by_status;  // of those that were only counted
  };
  [[nodiscard]] base::Timestamp end_of(const Window& window) const { return window.from + limits_.window; }
  [[nodiscard]] std::optional<Counted> counted(const std::string& principal, const Window& window) const;
  std::vector<Counted> take_before(std::optional<base::Timestamp> now);

  Limits limits_;
  base::Mutex mutex_;
  std::map<std::string, Window, std::less<>> windows_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::access
