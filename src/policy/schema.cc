#include "policy/schema.h"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::policy {
namespace {

constexpr std::size_t kMaxShown = 200;  // bytes of a type in a message

void write(const Type& type, std::string& out) {
  static constexpr std::array<std::string_view, 9> kNames{
      "true", "false", "Bool", "Long", "String", "decimal", "ipaddr", "datetime", "duration"};
  if (out.size() > kMaxShown) return;
  switch (type.kind) {
    case Type::Kind::kEntity:
      out += type.entity;
      return;
    case Type::Kind::kSet:
      out += "Set<";
      write(*type.element, out);
      out += '>';
      return;
    case Type::Kind::kRecord: {
      std::string_view between = "{";
      for (const auto& [name, attribute] : type.attributes) {
        out += between;
        out += is_identifier(name) ? name : quote(name);
        out += attribute.required ? ": " : "?: ";
        write(*attribute.type, out);
        between = ", ";
      }
      out += type.attributes.empty() ? "{}" : "}";
      return;
    }
    default:
      out += kNames.at(static_cast<std::size_t>(type.kind));
  }
}

Type::Kind kind_of(ExtensionOperand operand) {
  static constexpr std::array kKinds{Type::Kind::kString,  Type::Kind::kBool,      Type::Kind::kLong,
                                     Type::Kind::kDecimal, Type::Kind::kIpAddress, Type::Kind::kDatetime,
                                     Type::Kind::kDuration};
  return kKinds.at(static_cast<std::size_t>(operand));
}

bool same_attributes(const Attributes& a, const Attributes& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.required == y.second.required &&
           same_type(*x.second.type, *y.second.type);
  });
}

}  // namespace

TypeRef type_of(Type::Kind kind) {
  static const auto kTypes = [] {
    std::array<TypeRef, 9> types;
    for (std::size_t i = 0; i < types.size(); ++i) {
      types[i] = std::make_shared<const Type>(Type{.kind = static_cast<Type::Kind>(i)});
    }
    return types;
  }();
  return kTypes.at(static_cast<std::size_t>(kind));
}
TypeRef type_of(ExtensionOperand operand) { return type_of(kind_of(operand)); }

TypeRef entity_type(std::string name) {
  return std::make_shared<const Type>(Type{.kind = Type::Kind::kEntity, .entity = std::move(name)});
}

TypeRef set_type(TypeRef element) {
  return std::make_shared<const Type>(Type{.kind = Type::Kind::kSet, .element = std::move(element)});
}

TypeRef record_type(Attributes attributes) {
  return std::make_shared<const Type>(Type{.kind = Type::Kind::kRecord, .attributes = std::move(attributes)});
}

bool is_bool(const Type& type) {
  return type.kind == Type::Kind::kBool || type.kind == Type::Kind::kTrue || type.kind == Type::Kind::kFalse;
}

std::string to_string(const Type& type) {
  std::string out;
  write(type, out);
  if (out.size() > kMaxShown) out.replace(kMaxShown, std::string::npos, "...");
  return out;
}

bool same_type(const Type& a, const Type& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.entity != b.entity) return false;
  if (a.kind == Type::Kind::kSet) return same_type(*a.element, *b.element);
  return same_attributes(a.attributes, b.attributes);
}

const EntityType* Schema::find_entity_type(std::string_view name) const {
  const auto at = entity_types_.find(name);
  return at == entity_types_.end() ? nullptr : &at->second;
}

const ActionType* Schema::find_action(const EntityUid& uid) const {
  const auto at = actions_.find(uid);
  return at == actions_.end() ? nullptr : &at->second;
}

bool Schema::is_action_type(std::string_view name) const { return action_types_.contains(name); }

bool Schema::may_exist(const EntityUid& uid) const {
  const EntityType* type = find_entity_type(uid.type());
  if (type == nullptr) return actions_.contains(uid);
  return type->ids.empty() || type->ids.contains(uid.id());
}

bool Schema::may_be_in(std::string_view type, std::string_view ancestor) const {
  if (type == ancestor) return true;
  if (const EntityType* known = find_entity_type(type)) return known->ancestors.contains(ancestor);
  return std::any_of(actions_.begin(), actions_.end(), [&](const auto& action) {
    return action.first.type() == type &&
           std::any_of(action.second.ancestors.begin(), action.second.ancestors.end(),
                       [&](const EntityUid& above) { return above.type() == ancestor; });
  });
}

bool Schema::is_instance(const Value& value, const Type& type) const {
  switch (type.kind) {
    case Type::Kind::kTrue:
      return value.as_bool() != nullptr && *value.as_bool();
    case Type::Kind::kFalse:
      return value.as_bool() != nullptr && !*value.as_bool();
    case Type::Kind::kBool:
      return value.as_bool() != nullptr;
    case Type::Kind::kLong:
      return value.as_integer() != nullptr;
    case Type::Kind::kString:
      return value.as_text() != nullptr;
    case Type::Kind::kDecimal:
      return value.as<Decimal>() != nullptr;
    case Type::Kind::kIpAddress:
      return value.as<IpAddress>() != nullptr;
    case Type::Kind::kDatetime:
      return value.as<Datetime>() != nullptr;
    case Type::Kind::kDuration:
      return value.as<Duration>() != nullptr;
    case Type::Kind::kEntity: {
      const auto* uid = value.as<EntityUid>();
      return uid != nullptr && uid->type() == type.entity && may_exist(*uid);
    }
    case Type::Kind::kSet: {
      const auto* set = value.as<ValueSet>();
      return set != nullptr &&
             std::all_of(set->elements().begin(), set->elements().end(),
                         [&](const Value& element) { return is_instance(element, *type.element); });
    }
    case Type::Kind::kRecord:
      break;
  }
  const auto* record = value.as<Record>();
  if (record == nullptr) return false;
  const bool known = std::all_of(record->fields().begin(), record->fields().end(), [&](const Field& field) {
    const auto at = type.attributes.find(field.name);
    return at != type.attributes.end() && is_instance(field.value, *at->second.type);
  });
  return known && std::all_of(type.attributes.begin(), type.attributes.end(), [&](const auto& attribute) {
           return !attribute.second.required || record->find(attribute.first) != nullptr;
         });
}

}  // namespace holdfast::policy
