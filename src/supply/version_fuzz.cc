#include <cstdlib>

#include "base/bytes.h"
#include "supply/purl.h"
#include "supply/version.h"

namespace supply = holdfast::supply;

// Two lines: versions whose comparison must be the same both ways, and the first a package URL that must come
// back.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = holdfast::base::as_text({data, size});
  const auto end = text.find('\n');
  const auto first = text.substr(0, end);
  const auto second = end == std::string_view::npos ? first : text.substr(end + 1);
  for (const auto order :
       {supply::VersionOrder::kPep440, supply::VersionOrder::kSemver, supply::VersionOrder::kDpkg,
        supply::VersionOrder::kRpm, supply::VersionOrder::kApk, supply::VersionOrder::kMaven}) {
    const auto a = supply::Version::parse(order, first);
    const auto b = supply::Version::parse(order, second);
    if (a && b && (*a < *b) != (*b > *a)) std::abort();
  }
  if (const auto purl = supply::parse_purl(first)) {
    const auto again = supply::parse_purl(supply::to_string(*purl));
    if (again && supply::to_string(*again) != supply::to_string(*purl)) std::abort();
  }
  return 0;
}
