#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace holdfast::worker {

// Keeps the last kKept bytes of what a worker prints to its standard error, for a person to read. What a
// worker prints is untrusted: never act on it. Not thread-safe.
class StderrTail {
 public:
  static constexpr std::size_t kKept = 4096;

  // The reading end of the pipe, in non-blocking mode.
  explicit StderrTail(base::UniqueFd pipe) : pipe_(std::move(pipe)) {}

  // For poll(2); -1 once the worker's end is closed.
  [[nodiscard]] int descriptor() const { return pipe_.get(); }
  // Takes what is there, without waiting, at most one pipe's capacity at a time.
  void drain();
  // One line breaks into the next with '\n'; every other character that is not printable ASCII is given as
  // '?', so that a worker can't steer a terminal or forge a log.
  [[nodiscard]] std::string text() const;

 private:
  base::UniqueFd pipe_;
  std::string kept_;
};

// `text` as StderrTail::text gives it.
std::string printable(std::string_view text);

}  // namespace holdfast::worker
