#include <cstdlib>

#include "lab/wire.h"

namespace lab = holdfast::lab;

// What either side accepts is what the other gives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto request = lab::decode_request({data, size})) {
    const auto again = lab::decode_request(holdfast::base::as_bytes(lab::encode(*request)));
    if (!again || *again != *request) std::abort();
  }
  if (const auto answer = lab::decode_answer({data, size})) {
    if (!lab::decode_answer(holdfast::base::as_bytes(lab::encode(*answer)))) std::abort();
  }
  return 0;
}
