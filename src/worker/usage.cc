#include "worker/usage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

#include "base/file.h"

namespace holdfast::worker {

using base::ErrorCode;
using base::Result;

namespace {

constexpr std::size_t kMaxStatBytes = 4096;
constexpr std::int64_t kMillisecondsInSecond = 1000;

// The fields behind the program's name, which alone may hold blanks: the first here is proc(5)'s third.
constexpr std::size_t kFirstField = 3;
constexpr std::size_t kParent = 4 - kFirstField;
constexpr std::size_t kUserTime = 14 - kFirstField;    // in clock ticks
constexpr std::size_t kSystemTime = 15 - kFirstField;  // likewise
constexpr std::size_t kResident = 24 - kFirstField;    // in pages
using Fields = std::array<std::int64_t, kResident + 1>;

tl::unexpected<base::Error> unreadable(pid_t child) {
  return base::fail(ErrorCode::kDataCorrupt,
                    fmt::format("/proc/{}/stat is not as proc(5) describes it", child));
}

Result<Fields> parse(std::string_view stat, pid_t child) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return unreadable(child);
  std::string_view rest = stat.substr(name_end + 1);
  Fields fields{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t start = rest.find_first_not_of(' ');
    if (start == std::string_view::npos) return unreadable(child);
    rest.remove_prefix(start);
    const std::string_view word = rest.substr(0, rest.find(' '));
    const auto read = std::from_chars(word.data(), word.data() + word.size(), fields.at(i));
    const bool is_state = i == 0;  // a letter
    if (!is_state && (read.ec != std::errc() || fields.at(i) < 0) && (i <= kParent || i >= kUserTime)) {
      return unreadable(child);
    }
    rest.remove_prefix(word.size());
  }
  return fields;
}

}  // namespace

Result<Usage> usage_of(pid_t child) {
  HF_TRY(const auto file, base::open_regular_file(fmt::format("/proc/{}/stat", child)));
  base::Bytes bytes(kMaxStatBytes);
  HF_TRY(const std::size_t size, base::read_full(file.get(), bytes));
  HF_TRY(const Fields fields, parse(base::as_text(base::ByteView(bytes).first(size)), child));
  if (fields.at(kParent) != ::getpid()) {
    return base::fail(ErrorCode::kNotFound, fmt::format("process {} is no worker of this one", child));
  }
  const std::int64_t ticks = ::sysconf(_SC_CLK_TCK);
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  if (ticks <= 0 || page <= 0) return unreadable(child);
  const std::int64_t used = fields.at(kUserTime) + fields.at(kSystemTime);
  return Usage{.processor = std::chrono::milliseconds(used * kMillisecondsInSecond / ticks),
               .resident_bytes = static_cast<std::uint64_t>(fields.at(kResident) * page)};
}

}  // namespace holdfast::worker
