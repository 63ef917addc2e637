#include "intake/rule_wire.h"

#include <string_view>

namespace holdfast::intake {
namespace {

constexpr std::string_view kMagic = "rules\n";  // a request begins with "{"

}  // namespace

base::Bytes encode(const inspect::RuleLists& lists) {
  base::Bytes frame;
  base::append(frame, kMagic);
  for (const auto& [list, text] : lists) {
    base::append_le(frame, static_cast<std::uint32_t>(list));
    base::append_le(frame, static_cast<std::uint32_t>(text.size()));
    base::append(frame, text);
  }
  return frame;
}

bool is_rule_frame(base::ByteView frame) { return base::as_text(frame).starts_with(kMagic); }

base::Result<inspect::RuleLists> decode_rules(base::ByteView frame) {
  constexpr std::size_t kHead = 8;
  const auto malformed = [] {
    return base::fail(base::ErrorCode::kDataCorrupt, "the worker was given rules that make no sense");
  };
  if (!is_rule_frame(frame)) return malformed();
  inspect::RuleLists lists;
  for (frame = frame.subspan(kMagic.size()); !frame.empty();) {
    if (frame.size() < kHead) return malformed();
    const auto list = base::load_le<std::uint32_t>(frame);
    const std::size_t size = base::load_le<std::uint32_t>(frame.subspan(4));
    frame = frame.subspan(kHead);
    if (list >= inspect::kRuleLists.size() || size > frame.size()) return malformed();
    lists[inspect::kRuleLists.at(list)] = std::string(base::as_text(frame.first(size)));
    frame = frame.subspan(size);
  }
  return lists;
}

}  // namespace holdfast::intake
