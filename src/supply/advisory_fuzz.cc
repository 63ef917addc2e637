#include "base/bytes.h"
#include "supply/advisory_index.h"
#include "supply/advisory_match.h"
#include "supply/cvss.h"
#include "supply/vex.h"

namespace supply = holdfast::supply;

// An advisory, or OpenVEX statements, or the bytes of an index, or a CVSS vector: whatever can be imported
// can be looked up again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = holdfast::base::as_text({data, size});
  static_cast<void>(supply::cvss_base_tenths(text));
  static_cast<void>(supply::read_openvex(text));
  static_cast<void>(supply::AdvisoryIndex::open(holdfast::base::Bytes(data, data + size)));
  supply::AdvisoryImport import;
  if (!import.add(text)) return 0;
  auto bytes = import.finish({});
  if (!bytes) return 0;
  const auto index = supply::AdvisoryIndex::open(*std::move(bytes));
  if (!index) return 0;
  supply::Inventory inventory;
  inventory.components.push_back({.purl = *supply::parse_purl("pkg:pypi/a@1.0")});
  static_cast<void>(supply::match_advisories(inventory, *index, {}));
  return 0;
}
