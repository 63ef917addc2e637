#include "updates/folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

namespace holdfast::updates {

base::Result<> make_private_folder(const std::filesystem::path& folder) {
  if (folder.empty() || ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  if (errno == ENOENT && folder.has_parent_path() && folder.parent_path() != folder) {
    HF_CHECK(make_private_folder(folder.parent_path()));
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
  }
  const int error = errno;
  return base::fail_errno(fmt::format("cannot make {}", folder.string()), error);
}

}  // namespace holdfast::updates
