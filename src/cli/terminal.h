#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::cli {

// What a command tells its caller. 1 is an answer ("no"), 2 is the lack of one.
enum class ExitCode {
  kDone = 0,
  kRefused = 1,     // a finding at or above the severity, a signature that is wrong, a gate that says no
  kCouldNotDo = 2,  // a file that can't be read, a full disk, a part that could not be looked at
  kUsage = 64,      // the command line itself (sysexits.h: EX_USAGE)
};

// The exit code that an error deserves: refusals apart from failures.
ExitCode exit_code_of(const base::Error& error);

// Results go to standard output, everything else to standard error. A write that fails (a full disk, a closed
// pipe) is reported by flush().
void print(std::string_view text);
void print_error(std::string_view text);  // "holdfast: <text>\n"
[[nodiscard]] base::Result<> flush();

// Colours only on a terminal, and not where NO_COLOR is set (https://no-color.org).
bool colour_output();

// Says how far a piece of work is, on standard error, if that is a terminal and the work takes over a second.
// One line, rewritten at most ten times a second, removed at the end.
class Progress {
 public:
  explicit Progress(std::string_view doing);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // `total_bytes` 0: not known.
  void update(std::uint64_t done_bytes, std::uint64_t total_bytes);
  void say(std::string_view what);
  // Whether there is a terminal to say it on.
  [[nodiscard]] bool visible() const { return enabled_; }

 private:
  bool due();
  std::string doing_;
  bool enabled_;
  bool shown_ = false;
  std::int64_t next_update_us_;
};

}  // namespace holdfast::cli
