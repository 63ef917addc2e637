#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "policy/extension_datetime.h"
#include "policy/extension_decimal.h"
#include "policy/extension_ipaddr.h"

// The values of Cedar (docs.cedarpolicy.com, "Data types"). All are immutable, cheap to copy (the larger ones
// share their contents) and safe to read from any thread.

namespace holdfast::policy {

// The name of an entity: User::"alice" has the type "User" and the id "alice". A type is one or more
// identifiers joined by "::"; text from outside is checked by is_type_name().
class EntityUid {
 public:
  EntityUid(std::string type, std::string id);

  [[nodiscard]] const std::string& type() const { return parts_->type; }
  [[nodiscard]] const std::string& id() const { return parts_->id; }
  [[nodiscard]] std::size_t hash() const { return parts_->hash; }
  [[nodiscard]] std::string text() const;  // as Cedar writes it: User::"alice"

  friend bool operator==(const EntityUid& a, const EntityUid& b);
  friend std::strong_ordering operator<=>(const EntityUid& a, const EntityUid& b);

 private:
  struct Parts {
    std::string type;
    std::string id;
    std::size_t hash;
  };
  std::shared_ptr<const Parts> parts_;
};

// Whether `name` is a path of identifiers that Cedar lets a policy write as an entity type.
bool is_type_name(std::string_view name);
// Whether `name` is an identifier that is not reserved.
bool is_identifier(std::string_view name);
// "text" with Cedar's escapes.
std::string quote(std::string_view text);

class Value;
struct Field;

// Attributes by name, in the order of their names. The names are unique: of equal ones the last is kept.
class Record {
 public:
  Record();
  explicit Record(std::vector<Field> fields);

  [[nodiscard]] const Value* find(std::string_view name) const;  // null when there is none
  [[nodiscard]] const std::vector<Field>& fields() const { return *fields_; }

  friend std::strong_ordering operator<=>(const Record& a, const Record& b);
  friend bool operator==(const Record& a, const Record& b) {
    return (a <=> b) == std::strong_ordering::equal;
  }

 private:
  std::shared_ptr<const std::vector<Field>> fields_;
};

// Distinct values, in the order of values.
class ValueSet {
 public:
  explicit ValueSet(std::vector<Value> elements);

  [[nodiscard]] const std::vector<Value>& elements() const { return *elements_; }
  [[nodiscard]] bool contains(const Value& value) const;
  [[nodiscard]] bool contains_all(const ValueSet& other) const;
  [[nodiscard]] bool contains_any(const ValueSet& other) const;

  friend std::strong_ordering operator<=>(const ValueSet& a, const ValueSet& b);
  friend bool operator==(const ValueSet& a, const ValueSet& b) {
    return (a <=> b) == std::strong_ordering::equal;
  }

 private:
  std::shared_ptr<const std::vector<Value>> elements_;
};

// Values of different kinds are never equal; the order between values is only for sets and says nothing in
// Cedar.
class Value {
 public:
  using Text = std::shared_ptr<const std::string>;

  static Value boolean(bool value) { return Value(Data(value)); }
  static Value integer(std::int64_t value) { return Value(Data(value)); }
  static Value text(std::string value) {
    return Value(Data(std::make_shared<const std::string>(std::move(value))));
  }
  static Value set(std::vector<Value> elements) { return Value(Data(ValueSet(std::move(elements)))); }
  explicit Value(EntityUid uid) : data_(std::move(uid)) {}
  explicit Value(ValueSet set) : data_(std::move(set)) {}
  explicit Value(Record record) : data_(std::move(record)) {}
  explicit Value(Decimal value) : data_(value) {}
  explicit Value(IpAddress value) : data_(value) {}
  explicit Value(Datetime value) : data_(value) {}
  explicit Value(Duration value) : data_(value) {}

  // The contents where the value is of that kind, or null.
  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&data_); }
  [[nodiscard]] const std::string* as_text() const {
    const Text* text = std::get_if<Text>(&data_);
    return text == nullptr ? nullptr : text->get();
  }
  // EntityUid, ValueSet, Record, Decimal, IpAddress, Datetime or Duration.
  template <typename T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&data_);
  }

  // "Bool", "Long", "String", "Set", "Record", "decimal", ..., or the type of an entity.
  [[nodiscard]] std::string type_name() const;
  // As Cedar would write it. Longer than max_bytes: cut there, with an ellipsis at the end.
  [[nodiscard]] std::string to_cedar(std::size_t max_bytes = static_cast<std::size_t>(-1)) const;

  friend std::strong_ordering operator<=>(const Value& a, const Value& b);
  friend bool operator==(const Value& a, const Value& b) { return (a <=> b) == std::strong_ordering::equal; }

 private:
  using Data = std::variant<bool, std::int64_t, Text, EntityUid, ValueSet, Record, Decimal, IpAddress,
                            Datetime, Duration>;
  explicit Value(Data data) : data_(std::move(data)) {}
  Data data_;
};

struct Field {
  std::string name;
  Value value;
};

}  // namespace holdfast::policy

template <>
struct std::hash<holdfast::policy::EntityUid> {
  std::size_t operator()(const holdfast::policy::EntityUid& uid) const noexcept { return uid.hash(); }
};
