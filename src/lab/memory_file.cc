#include "lab/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

namespace holdfast::lab {

base::Result<base::UniqueFd> sealed_file(std::span<const base::ByteView> parts) {
  base::UniqueFd file(::memfd_create("holdfast-lab", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) return base::fail_errno("cannot make a file in memory", errno);
  for (const base::ByteView part : parts) HF_CHECK(base::write_full(file.get(), part));
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    return base::fail_errno("cannot seal a file in memory", errno);
  }
  return file;
}

}  // namespace holdfast::lab
