#include "intake/rule_wire.h"

#include <gtest/gtest.h>

namespace holdfast::intake {
namespace {

TEST(RuleWire, CarriesLists) {
  const inspect::RuleLists lists{{inspect::RuleList::kPickleAllow, "construct a b\n"},
                                 {inspect::RuleList::kKerasAllow, std::string(300'000, 'x')}};
  const auto frame = encode(lists);
  EXPECT_TRUE(is_rule_frame(frame));
  EXPECT_EQ(decode_rules(frame).value(), lists);
  EXPECT_FALSE(is_rule_frame(base::as_bytes("{\"path\":\"a\"}")));
}

TEST(RuleWire, RefusesWhatWasCut) {
  const auto frame = encode(inspect::RuleLists{{inspect::RuleList::kPickleAllow, "construct a b\n"}});
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const auto cut = base::ByteView(frame).first(size);
    EXPECT_EQ(decode_rules(cut).has_value(), size == 6) << size;
  }
  auto other = frame;
  other[6] = 0xFF;  // a list that is none
  EXPECT_FALSE(decode_rules(other));
}

}  // namespace
}  // namespace holdfast::intake
