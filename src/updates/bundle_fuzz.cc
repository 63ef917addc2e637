// A bundle whose signature is right, whatever the rest of it: the fuzzer's bytes are the tar archive, or,
// behind an "L", a file of a rule set.
#include <cstddef>
#include <cstdint>

#include "inspect/rule_set.h"
#include "updates/rules.h"

namespace {

const holdfast::crypto::PublicKey& key() {
  static const auto key = [] {
    const holdfast::base::Bytes seed(32, 7);
    return holdfast::crypto::PrivateKey::from_ed25519_seed(seed).value().public_key();
  }();
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace inspect = holdfast::inspect;
  const holdfast::base::ByteView bytes(data, size);
  if (size > 2 && data[0] == 'L') {
    const auto text = holdfast::base::as_text(bytes.subspan(2));
    const std::size_t list = data[1] % (inspect::kRuleLists.size() + 1);
    if (list == inspect::kRuleLists.size()) {
      static_cast<void>(inspect::parse_rule_changes(text).has_value());
    } else {
      static_cast<void>(inspect::check_rule_list(inspect::kRuleLists.at(list), text).has_value());
    }
    return 0;
  }
  const holdfast::formats::MemorySource source(bytes);
  const holdfast::crypto::PublicKey keys[] = {key()};
  static_cast<void>(holdfast::updates::open_rules(source, keys).has_value());
  return 0;
}
