#include "policy/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace holdfast::policy {
namespace {

bool is_identifier_start(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_identifier_part(char c) { return is_identifier_start(c) || (c >= '0' && c <= '9'); }

std::strong_ordering order(const std::string& a, const std::string& b) { return a.compare(b) <=> 0; }

template <typename T>
std::strong_ordering order(const std::vector<T>& a, const std::vector<T>& b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

// Writes values until the budget is spent: what is cut off costs nothing.
class Writer {
 public:
  explicit Writer(std::size_t budget) : budget_(budget) {}

  std::string take() {
    if (out_.size() > budget_) {
      std::size_t cut = budget_;
      while (cut > 0 && (static_cast<unsigned char>(out_[cut]) & 0xC0U) == 0x80U)
        --cut;  // not inside a code point
      out_.resize(cut);
      out_ += "…";
    }
    return std::move(out_);
  }

  void operator()(bool value) { out_ += value ? "true" : "false"; }
  void operator()(std::int64_t value) { out_ += fmt::format("{}", value); }
  void operator()(const Value::Text& value) { out_ += quote(std::string_view(*value).substr(0, budget_)); }
  void operator()(const EntityUid& value) { out_ += value.text(); }
  void operator()(Decimal value) { out_ += fmt::format("decimal(\"{}\")", value.text()); }
  void operator()(const IpAddress& value) { out_ += fmt::format("ip(\"{}\")", value.text()); }
  void operator()(Datetime value) { out_ += value.text(); }
  void operator()(Duration value) { out_ += fmt::format("duration(\"{}\")", value.text()); }

  void operator()(const ValueSet& set) {
    out_ += '[';
    bool first = true;
    for (const Value& element : set.elements()) {
      if (out_.size() > budget_) return;
      if (!std::exchange(first, false)) out_ += ", ";
      out_ += element.to_cedar(budget_);
    }
    out_ += ']';
  }

  void operator()(const Record& record) {
    out_ += '{';
    bool first = true;
    for (const auto& [name, value] : record.fields()) {
      if (out_.size() > budget_) return;
      if (!std::exchange(first, false)) out_ += ", ";
      out_ += is_identifier(name) ? name : quote(name);
      out_ += ": ";
      out_ += value.to_cedar(budget_);
    }
    out_ += '}';
  }

 private:
  std::string out_;
  std::size_t budget_;
};

}  // namespace

bool is_identifier(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kReserved{"true", "false", "if",   "then", "else",
                                                              "in",   "is",    "like", "has",  "__cedar"};
  return !name.empty() && is_identifier_start(name[0]) &&
         std::all_of(name.begin() + 1, name.end(), is_identifier_part) &&
         std::find(kReserved.begin(), kReserved.end(), name) == kReserved.end();
}

bool is_type_name(std::string_view name) {
  for (;;) {
    const std::size_t end = name.find("::");
    if (!is_identifier(name.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 2);
  }
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\0':
        out += "\\0";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
          out += c;
        }
    }
  }
  return out += '"';
}

EntityUid::EntityUid(std::string type, std::string id) {
  const std::size_t hash = std::hash<std::string>{}(type) * 31 + std::hash<std::string>{}(id);
  parts_ = std::make_shared<const Parts>(Parts{std::move(type), std::move(id), hash});
}

std::string EntityUid::text() const { return type() + "::" + quote(id()); }

bool operator==(const EntityUid& a, const EntityUid& b) {
  return a.parts_ == b.parts_ || (a.hash() == b.hash() && a.id() == b.id() && a.type() == b.type());
}

std::strong_ordering operator<=>(const EntityUid& a, const EntityUid& b) {
  if (a.parts_ == b.parts_) return std::strong_ordering::equal;
  const auto by_type = order(a.type(), b.type());
  return by_type != std::strong_ordering::equal ? by_type : order(a.id(), b.id());
}

Record::Record() {
  static const auto kNone = std::make_shared<const std::vector<Field>>();
  fields_ = kNone;
}

Record::Record(std::vector<Field> fields) {
  const auto by_name = [](const Field& a, const Field& b) { return a.name < b.name; };
  std::stable_sort(fields.begin(), fields.end(), by_name);
  // unique() keeps the first of equal ones, so from the back it keeps the last.
  const auto kept = std::unique(fields.rbegin(), fields.rend(),
                                [](const Field& a, const Field& b) { return a.name == b.name; });
  fields.erase(fields.begin(), kept.base());
  fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
}

const Value* Record::find(std::string_view name) const {
  const auto at =
      std::lower_bound(fields_->begin(), fields_->end(), name,
                       [](const Field& field, std::string_view wanted) { return field.name < wanted; });
  return at != fields_->end() && at->name == name ? &at->value : nullptr;
}

std::strong_ordering operator<=>(const Record& a, const Record& b) {
  if (a.fields_ == b.fields_) return std::strong_ordering::equal;
  return std::lexicographical_compare_three_way(
      a.fields_->begin(), a.fields_->end(), b.fields_->begin(), b.fields_->end(),
      [](const Field& x, const Field& y) {
        const auto by_name = order(x.name, y.name);
        return by_name != std::strong_ordering::equal ? by_name : x.value <=> y.value;
      });
}

ValueSet::ValueSet(std::vector<Value> elements) {
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  elements_ = std::make_shared<const std::vector<Value>>(std::move(elements));
}

bool ValueSet::contains(const Value& value) const {
  return std::binary_search(elements_->begin(), elements_->end(), value);
}

bool ValueSet::contains_all(const ValueSet& other) const {
  return std::includes(elements_->begin(), elements_->end(), other.elements_->begin(),
                       other.elements_->end());
}

bool ValueSet::contains_any(const ValueSet& other) const {
  const ValueSet& fewer = elements_->size() < other.elements_->size() ? *this : other;
  const ValueSet& more = &fewer == this ? other : *this;
  return std::any_of(fewer.elements_->begin(), fewer.elements_->end(),
                     [&more](const Value& value) { return more.contains(value); });
}

std::strong_ordering operator<=>(const ValueSet& a, const ValueSet& b) {
  if (a.elements_ == b.elements_) return std::strong_ordering::equal;
  return order(*a.elements_, *b.elements_);
}

std::string Value::type_name() const {
  static constexpr std::array<const char*, std::variant_size_v<Data>> kNames{
      "Bool", "Long", "String", "", "Set", "Record", "decimal", "ipaddr", "datetime", "duration"};
  const EntityUid* uid = as<EntityUid>();
  return uid == nullptr ? kNames[data_.index()] : uid->type();
}

std::string Value::to_cedar(std::size_t max_bytes) const {
  Writer writer(max_bytes);
  std::visit(writer, data_);
  return writer.take();
}

std::strong_ordering operator<=>(const Value& a, const Value& b) {
  if (a.data_.index() != b.data_.index()) return a.data_.index() <=> b.data_.index();
  if (const std::string* text = a.as_text()) return order(*text, *b.as_text());
  return std::visit(
      [&b](const auto& mine) -> std::strong_ordering {
        return mine <=> std::get<std::decay_t<decltype(mine)>>(b.data_);
      },
      a.data_);
}

}  // namespace holdfast::policy
