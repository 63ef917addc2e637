#include <cstdlib>

#include "base/bytes.h"
#include "supply/bom.h"
#include "supply/installed.h"
#include "supply/lock_file.h"

namespace supply = holdfast::supply;

// The first byte chooses the format. What is read can be written as a bill, and the bill read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = holdfast::base::as_text({data + 1, size - 1});
  supply::Bom bom{.subject = {.name = "x", .version = {}}};
  const auto keep = [&bom](auto inventory) {
    if (inventory) bom.inventory = *std::move(inventory);
  };
  const int choice = data[0] % 16;
  if (choice < 12) {
    keep(supply::read_lock_file(static_cast<supply::LockFormat>(choice), text, "f"));
  } else if (choice == 12) {
    keep(supply::read_dpkg_status(text, supply::read_os_release(text), "f"));
  } else if (choice == 13) {
    if (auto component = supply::read_python_metadata(text, "f"))
      bom.inventory.components.push_back(*component);
  } else {
    keep(supply::read_cyclonedx(text, "f"));
  }
  if (!supply::read_cyclonedx(supply::to_cyclonedx(bom), "b")) std::abort();
  return 0;
}
