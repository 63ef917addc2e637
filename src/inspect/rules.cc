#include <algorithm>
#include <vector>

#include "inspect/file_rules.h"
#include "inspect/finding.h"
#include "inspect/model_files.h"
#include "inspect/pickle.h"
#include "inspect/text_files.h"

namespace holdfast::inspect {
namespace {

std::vector<Rule> gather() {
  std::vector<Rule> rules;
  for (const auto part : {file_rules(), pickle_rules(), model_file_rules(), text_file_rules()})
    rules.insert(rules.end(), part.begin(), part.end());
  std::sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) { return a.id < b.id; });
  return rules;
}

}  // namespace

std::span<const Rule> all_rules() {
  static const std::vector<Rule> rules = gather();
  return rules;
}

const Rule* find_rule(std::string_view id) {
  const auto rules = all_rules();
  const auto found = std::lower_bound(rules.begin(), rules.end(), id,
                                      [](const Rule& a, std::string_view b) { return a.id < b; });
  return found == rules.end() || found->id != id ? nullptr : &*found;
}

}  // namespace holdfast::inspect
