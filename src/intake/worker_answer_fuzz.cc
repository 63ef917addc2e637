#include <cstdlib>

#include "intake/inspect_wire.h"
#include "intake/model_wire.h"
#include "intake/rule_wire.h"

namespace base = holdfast::base;
namespace intake = holdfast::intake;

namespace {

void request(base::ByteView frame) {
  const auto read = intake::decode_request(frame);
  if (!read) return;
  const std::string again = intake::encode(*read);
  if (!intake::decode_request(base::as_bytes(again))) std::abort();
}

// What is believed is about the file that was asked about, and could have been said by the worker.
void answer(base::ByteView frame) {
  const auto read = intake::decode_answer(frame, "f");
  if (!read) return;
  if (const auto* finding = std::get_if<holdfast::inspect::Finding>(&*read)) {
    if (finding->path != "f" && !finding->path.starts_with("f!")) std::abort();
  }
  const std::string again = std::visit([](const auto& one) { return intake::encode(one); }, *read);
  if (!intake::decode_answer(base::as_bytes(again), "f")) std::abort();
}

void description(base::ByteView frame) {
  const auto read = intake::decode_description(frame);
  if (!read) return;
  const auto again = intake::decode_description(base::as_bytes(intake::encode(read)));
  if (!again || *again != *read) std::abort();
}

void rules(base::ByteView frame) {
  if (!intake::is_rule_frame(frame)) return;
  const auto read = intake::decode_rules(frame);
  if (!read) return;
  if (!intake::decode_rules(intake::encode(*read))) std::abort();
}

}  // namespace

// The first byte says what comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*kReaders[])(base::ByteView) = {request, answer, description, rules};
  kReaders[data[0] % std::size(kReaders)]({data + 1, size - 1});
  return 0;
}
