#include "worker/stderr_tail.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace holdfast::worker {

void StderrTail::drain() {
  constexpr int kMaxReads = 16;  // of kKept: the 64 KiB that a pipe holds
  std::array<char, kKept> buffer;
  for (int reads = 0; reads < kMaxReads && pipe_.valid(); ++reads) {
    const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      pipe_.reset();
      return;
    }
    kept_.append(buffer.data(), static_cast<std::size_t>(got));
    if (kept_.size() > kKept) kept_.erase(0, kept_.size() - kKept);
  }
}

std::string StderrTail::text() const { return printable(kept_); }

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c != '\n' && (c < ' ' || c > '~'); }, '?');
  return out;
}

}  // namespace holdfast::worker
