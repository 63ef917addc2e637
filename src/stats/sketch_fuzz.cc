#include <cstdint>
#include <cstdlib>

#include "stats/frequent_items.h"
#include "stats/histogram.h"
#include "stats/hyperloglog.h"
#include "stats/moments.h"

namespace {

using holdfast::base::ByteView;

// What a reader accepts, it writes again byte for byte, and can use.
template <typename Sketch, typename Use>
void check(ByteView bytes, Use use) {
  auto sketch = Sketch::parse(bytes);
  if (!sketch) return;
  holdfast::base::Bytes again;
  sketch->append_to(again);
  if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) std::abort();
  use(*sketch);
  const Sketch copy = *sketch;
  sketch->merge(copy);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::stats;
  const ByteView bytes(data, size);
  check<Moments>(bytes, [](Moments& moments) {
    moments.add(1.5);
    static_cast<void>(moments.mean());
    static_cast<void>(moments.variance());
  });
  check<LogLinearHistogram>(bytes, [](LogLinearHistogram& histogram) {
    const auto median = histogram.quantile(.5);
    if (median && !(histogram.min() <= median->value && median->value <= histogram.max())) std::abort();
    histogram.add(-3);
    static_cast<void>(histogram.counts_between({}));
  });
  check<HyperLogLog>(bytes, [](HyperLogLog& sketch) {
    if (!(sketch.estimate() >= 0)) std::abort();
    sketch.add(2.0);
  });
  check<FrequentItems>(bytes, [](FrequentItems& sketch) {
    sketch.add("one more");
    if (sketch.items().size() > sketch.capacity()) std::abort();
  });
  return 0;
}
