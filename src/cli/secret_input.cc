#include "cli/secret_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/secret_file.h"

namespace holdfast::cli {
namespace {

using base::ErrorCode;
using base::Result;
using base::Secret;

// Hides what is typed until it goes, also where reading fails.
class Hidden {
 public:
  explicit Hidden(int terminal) : terminal_(terminal) {
    hidden_ = tcgetattr(terminal, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    hidden_ = hidden_ && tcsetattr(terminal, TCSAFLUSH, &silent) == 0;
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
  ~Hidden() {
    if (hidden_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  [[nodiscard]] bool hidden() const { return hidden_; }

 private:
  int terminal_;
  termios before_{};
  bool hidden_ = false;
};

Result<Secret> line_of(int terminal) {
  Secret buffer(kMaxSecretBytes);
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(terminal, buffer.writable().data() + size, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno("cannot read from the terminal", errno);
    if (got == 0 || buffer.reveal()[size] == '\n') return Secret::copy_of(buffer.reveal().first(size));
    ++size;
  }
  return base::fail(ErrorCode::kLimitExceeded,
                    fmt::format("what was typed is over {} bytes", kMaxSecretBytes - 1));
}

}  // namespace

Result<Secret> read_secret(const std::filesystem::path& file) {
  HF_TRY(const Secret all, base::read_secret_file(file, kMaxSecretBytes));
  auto text = all.reveal_text();
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty() || text.find('\n') != std::string_view::npos) {
    return base::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{} must hold the secret as its only line",
                                  file == "-" ? "standard input" : file.string()));
  }
  return Secret::copy_of(base::as_bytes(text));
}

Result<Secret> ask_secret(std::string_view prompt, std::string_view otherwise) {
  const base::UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.valid()) {
    return base::fail(ErrorCode::kUnsupported,
                      fmt::format("there is no terminal to ask at for the {}: give {}", prompt, otherwise));
  }
  const Hidden hidden(terminal.get());
  if (!hidden.hidden()) return base::fail_errno("cannot hide what is typed at the terminal", errno);
  HF_CHECK(base::write_full(terminal.get(), base::as_bytes(fmt::format("{}: ", prompt))));
  return line_of(terminal.get());
}

Result<Secret> secret_from(const std::optional<std::filesystem::path>& file, std::string_view prompt,
                           std::string_view otherwise) {
  return file ? read_secret(*file) : ask_secret(prompt, otherwise);
}

}  // namespace holdfast::cli
