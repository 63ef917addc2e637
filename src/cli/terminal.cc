#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/time.h"

namespace holdfast::cli {
namespace {
constexpr std::int64_t kFirstUpdateAfterUs = 1'000'000;
constexpr std::int64_t kUpdateEveryUs = 100'000;
}  // namespace

ExitCode exit_code_of(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::kDataCorrupt:
    case base::ErrorCode::kPermissionDenied:
    case base::ErrorCode::kUnauthenticated:
      return ExitCode::kRefused;
    default:
      return ExitCode::kCouldNotDo;
  }
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_error(std::string_view text) {
  const auto line = fmt::format("holdfast: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

base::Result<> flush() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return base::fail_errno("cannot write the results", errno);
  }
  return {};
}

bool colour_output() { return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr; }

Progress::Progress(std::string_view doing)
    : doing_(doing),
      enabled_(isatty(STDERR_FILENO) == 1),
      next_update_us_(base::system_clock().now().microseconds() + kFirstUpdateAfterUs) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

bool Progress::due() {
  if (!enabled_) return false;
  const auto now = base::system_clock().now().microseconds();
  if (now < next_update_us_) return false;
  next_update_us_ = now + kUpdateEveryUs;
  shown_ = true;
  return true;
}

void Progress::update(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  if (!due()) return;
  const auto line = total_bytes > 0
                        ? fmt::format("\r\x1b[K{}: {} of {} MB", doing_, done_bytes >> 20, total_bytes >> 20)
                        : fmt::format("\r\x1b[K{}: {} MB", doing_, done_bytes >> 20);
  std::fputs(line.c_str(), stderr);
}

void Progress::say(std::string_view what) {
  if (!due()) return;
  std::string line = fmt::format("\r\x1b[K{}: ", doing_);
  for (const char c : what) line.push_back(static_cast<unsigned char>(c) < 0x20 ? '?' : c);
  std::fputs(line.c_str(), stderr);
}

}  // namespace holdfast::cli
