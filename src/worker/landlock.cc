#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "base/file.h"
#include "worker/layers.h"

namespace holdfast::worker {

using base::fail_errno;
using base::Result;

namespace {

// linux/landlock.h of kernel 6.15 (ABI 7); Debian 12's ends at ABI 2. A kernel takes a longer structure than
// its own where the excess is zero.
struct Ruleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

constexpr unsigned kAskVersion = 1U << 0;

// What each ABI can forbid. Handled and never granted: nothing of it is left. ABI 7 added no rights, only
// flags of the audit log.
constexpr std::uint64_t kFs1 = (1ULL << 13) - 1;          // execute, read, write, list, remove, make
constexpr std::uint64_t kFs2 = kFs1 | 1ULL << 13;         // refer
constexpr std::uint64_t kFs3 = kFs2 | 1ULL << 14;         // truncate
constexpr std::uint64_t kFs5 = kFs3 | 1ULL << 15;         // ioctl on a device
constexpr std::uint64_t kNet4 = 1ULL << 0 | 1ULL << 1;    // bind and connect TCP
constexpr std::uint64_t kScope6 = 1ULL << 0 | 1ULL << 1;  // abstract Unix sockets, signals
constexpr std::array<Ruleset, 7> kRulesets{{{kFs1, 0, 0},
                                            {kFs2, 0, 0},
                                            {kFs3, 0, 0},
                                            {kFs3, kNet4, 0},
                                            {kFs5, kNet4, 0},
                                            {kFs5, kNet4, kScope6},
                                            {kFs5, kNet4, kScope6}}};

}  // namespace

Result<int> enter_landlock() {
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  if (abi < 1) return 0;
  const auto known = std::min(static_cast<std::size_t>(abi), kRulesets.size());
  const Ruleset& nothing = kRulesets[known - 1];
  const base::UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &nothing, sizeof(nothing), 0)));
  if (!ruleset.valid()) return fail_errno("cannot make Landlock's rules", errno);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return fail_errno("cannot enter Landlock", errno);
  }
  return static_cast<int>(known);
}

}  // namespace holdfast::worker
