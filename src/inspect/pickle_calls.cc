#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "inspect/pickle_machine.h"
#include "inspect/pickle_text.h"

// What a pickle names, calls and changes, held against the allow list.

namespace holdfast::inspect {
namespace {

// A pickle of protocol 0 to 2 names modules as Python 2 did (Unpickler.find_class).
constexpr std::uint64_t kFirstPython3Protocol = 3;

bool is_plain_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.front() != '_' && std::all_of(name.begin(), name.end(), letter);
}

struct StorageType {
  std::string_view name;
  std::uint64_t item_bytes;
};

// The classes of torch/__init__.py; numel counts items of these sizes.
constexpr StorageType kStorageTypes[] = {
    {"FloatStorage", 4},    {"DoubleStorage", 8},  {"HalfStorage", 2},         {"BFloat16Storage", 2},
    {"LongStorage", 8},     {"IntStorage", 4},     {"ShortStorage", 2},        {"CharStorage", 1},
    {"ByteStorage", 1},     {"BoolStorage", 1},    {"ComplexFloatStorage", 8}, {"ComplexDoubleStorage", 16},
    {"QInt8Storage", 1},    {"QUInt8Storage", 1},  {"QInt32Storage", 4},       {"QUInt4x2Storage", 1},
    {"QUInt2x4Storage", 1}, {"UntypedStorage", 1}, {"Float8_e5m2Storage", 1},  {"Float8_e4m3fnStorage", 1},
};

std::uint64_t item_bytes_of(std::string_view storage) {
  for (const StorageType& type : kStorageTypes) {
    if (type.name == storage) return type.item_bytes;
  }
  return 0;
}

}  // namespace

bool PickleMachine::global(std::uint64_t offset, std::string_view module, std::string_view name, bool cut) {
  if (cut) {
    job_.report("pickle.unresolvable", offset,
                fmt::format("A global's name is longer than {} bytes.", PickleReader::kMaxText));
    return push(PickleValue(PickleKind::kReported));
  }
  if (module.empty() || name.empty()) return finish(End::kMalformed, "a global has no name");
  const bool python2 = protocol_ < kFirstPython3Protocol;
  return push(PickleValue(PickleKind::kGlobal, job_.globals.resolve(module, name, python2, offset)));
}

bool PickleMachine::stack_global(std::uint64_t offset) {
  if (!need(2)) return false;
  const PickleValue name = stack_.back();
  const PickleValue module = stack_[stack_.size() - 2];
  stack_.resize(stack_.size() - 2);
  const auto could_be_text = [](PickleValue value) {
    return is_text(value) || value.is(PickleKind::kUnknown) || value.is(PickleKind::kReported);
  };
  if (!could_be_text(name) || !could_be_text(module)) {
    return finish(End::kMalformed, "STACK_GLOBAL finds something else than two strings");
  }
  job_.heap.pin(module);
  job_.heap.pin(name);
  const auto module_text = job_.heap.text_of(module);
  const auto name_text = job_.heap.text_of(name);
  if (module_text && name_text) return global(offset, *module_text, *name_text, /*cut=*/false);
  job_.report(
      "pickle.unresolvable", offset,
      fmt::format("A global is named by values that only running the pickle would make known{}.",
                  module_text ? fmt::format(", in module {}", printable(*module_text)) : std::string()));
  return push(PickleValue(PickleKind::kReported));
}

bool PickleMachine::extension(const PickleInstruction& instruction) {
  job_.report("pickle.extension-code", instruction.offset,
              fmt::format("Extension code {} stands for whatever the loading process registered under it.",
                          static_cast<std::int32_t>(instruction.number)));
  return push(PickleValue(PickleKind::kReported));
}

bool PickleMachine::reduce(std::uint64_t offset) {
  if (!need(2)) return false;
  const PickleValue arguments = stack_.back();
  stack_.pop_back();
  stack_.back() = call(offset, stack_.back(), arguments, Manner::kCall);
  return true;
}

bool PickleMachine::new_object(std::uint64_t offset, std::size_t operands) {
  if (!need(operands)) return false;
  const PickleValue callee = stack_[stack_.size() - operands];
  const PickleValue arguments = stack_[stack_.size() - operands + 1];
  stack_.resize(stack_.size() - operands);
  return push(call(offset, callee, arguments, Manner::kNew));
}

bool PickleMachine::persistent_line(const PickleInstruction& instruction) {
  job_.report("pickle.persistent-id", instruction.offset,
              fmt::format("The persistent id \"{}\" stands for an object that the loader supplies.",
                          printable(instruction.text)));
  return push(PickleValue(PickleKind::kUnknown));
}

bool PickleMachine::instantiate_named(const PickleInstruction& instruction) {
  // Before the mark is looked for, as pickle.py does: the import happens even where there is none.
  if (!global(instruction.offset, instruction.text, instruction.second, instruction.cut)) return false;
  const PickleValue callee = stack_.back();
  stack_.pop_back();
  return pop_mark() && instantiate(instruction.offset, callee, popped_);
}

bool PickleMachine::instantiate_first(std::uint64_t offset) {
  if (!pop_mark()) return false;
  if (stack_.size() == popped_) return finish(End::kMalformed, "OBJ has no class");
  return instantiate(offset, stack_[popped_], popped_ + 1);
}

// INST and OBJ make an instance without its constructor where there are no arguments and the callee is a
// class.
bool PickleMachine::instantiate(std::uint64_t offset, PickleValue callee, std::size_t first) {
  const std::size_t count = stack_.size() - first;
  const auto role = role_of(callee);
  const Manner manner = count == 0 && role && is_class(*role) ? Manner::kNew : Manner::kCall;
  check_items(first);
  const PickleValue arguments = job_.heap.tuple(std::span(stack_).last(count));
  stack_.resize(popped_);
  return push(call(offset, callee, arguments, manner));
}

bool PickleMachine::build(std::uint64_t offset) {
  if (!need(2)) return false;
  check_items(stack_.size() - 1);
  const PickleValue state = stack_.back();
  stack_.pop_back();
  const PickleValue target = stack_.back();
  if (target.is(PickleKind::kArray) && !within_) return read_array(offset, state);
  if (target.is(PickleKind::kDtype)) {
    set_dtype_state(target, state);
  } else {
    check_target(offset, target);
  }
  return true;
}

void PickleMachine::check_target(std::uint64_t offset, PickleValue target) {
  if (target.is(PickleKind::kGlobal)) {
    job_.report("pickle.changes-code", offset,
                fmt::format("{} itself is changed: a module, class or function, not an object of the pickle.",
                            job_.globals.dotted(target.index())));
  } else if (target.is(PickleKind::kUnknown)) {
    job_.report("pickle.changes-code", offset, "Something is changed that could not be followed.");
  }
}

void PickleMachine::check_item(std::uint32_t global) {
  const auto role = job_.globals.role(global);
  if (!role || *role <= PickleRole::kCallData || !job_.globals.mark_misused(global)) return;
  job_.report(
      "pickle.misused-global", reader_.position(),
      fmt::format("{} is allowed as \"{}\", but it is handed on as a value, which something else may call.",
                  job_.globals.dotted(global), to_string(*role)));
}

// torch/serialization.py: persistent_load.
bool PickleMachine::persistent_id(std::uint64_t offset) {
  if (!need(1)) return false;
  const PickleValue id = stack_.back();
  stack_.pop_back();
  const auto items = job_.heap.items_of(id);
  const auto kind = items && !items->empty() ? job_.heap.text_of(items->front()) : std::nullopt;
  if (kind == "storage" && items->size() >= 5) {
    const PickleValue made = storage(*items);
    if (!made.is(PickleKind::kUnknown)) return push(made);
  }
  // Old files name a module's class so, beside its source, which is compared and not run.
  if (kind == "module" && items->size() == 4 && (*items)[1].is(PickleKind::kGlobal)) return push((*items)[1]);
  job_.report("pickle.persistent-id", offset,
              "A persistent id that is no PyTorch storage stands for an object that the loader supplies.");
  return push(PickleValue(PickleKind::kUnknown));
}

// ("storage", type, key, location, number of items [, view]).
PickleValue PickleMachine::storage(std::span<const PickleValue> id) {
  const PickleValue type = id[1];
  const auto key = job_.heap.text_of(id[2]);
  if (!type.is(PickleKind::kGlobal) || !key || !id[4].is(PickleKind::kInt) || id[4].number() < 0) {
    return PickleValue(PickleKind::kUnknown);
  }
  const std::uint64_t item_bytes = item_bytes_of(job_.globals.global(type.index()).name);
  if (item_bytes == 0) return PickleValue(PickleKind::kUnknown);
  const bool room = job_.storages.size() < PickleJob::kMaxStorages;
  if (room && job_.storages.insert(std::hash<std::string_view>{}(*key)).second) {
    // The product fits: a number of items has at most 54 bits; so does the sum of 2^16 of them, or it wraps
    // to an amount that is not there.
    job_.storage_bytes += item_bytes * static_cast<std::uint64_t>(id[4].number());
  }
  return PickleValue(PickleKind::kObject, type.payload());
}

PickleValue PickleMachine::call(std::uint64_t offset, PickleValue callee, PickleValue arguments,
                                Manner manner) {
  if (arguments.is(PickleKind::kShaped)) return reconstruct(callee, arguments);
  if (callee.is(PickleKind::kGlobal)) {
    const std::uint32_t index = callee.index();
    job_.globals.count_call(index);
    const auto role = job_.globals.role(index);
    return role ? allowed_call(offset, index, *role, arguments, manner) : PickleValue(PickleKind::kReported);
  }
  if (!callee.is(PickleKind::kReported)) {
    const bool object = callee.is(PickleKind::kObject) || callee.is(PickleKind::kArray);
    job_.report("pickle.unresolvable", offset,
                object ? fmt::format("An object made by {} is called.", job_.globals.dotted(callee.index()))
                       : std::string("Something is called that could not be followed."));
  }
  return PickleValue(PickleKind::kReported);
}

// Whether the three values from `start` on are the arguments of numpy's _reconstruct, with a class that
// nothing else may have.
bool PickleMachine::is_shaped(std::size_t start) const {
  if (stack_.size() - start != 3 || start <= fence_) return false;
  return role_of(stack_[start]) == PickleRole::kSubclass &&
         role_of(stack_[start - 1]) == PickleRole::kCallClass;
}

PickleValue PickleMachine::reconstruct(PickleValue callee, PickleValue shaped) {
  const bool numpys =
      role_of(callee) == PickleRole::kCallClass && job_.globals.global(callee.index()).name == "_reconstruct";
  if (!numpys) {
    check_item(shaped.index());
    return PickleValue(PickleKind::kReported);
  }
  job_.globals.count_call(callee.index());
  return PickleValue(PickleKind::kObject, shaped.payload());
}

PickleValue PickleMachine::allowed_call(std::uint64_t offset, std::uint32_t index, PickleRole role,
                                        PickleValue arguments, Manner manner) {
  if (const std::string_view wrong = objection(role, manner, arguments); !wrong.empty()) {
    if (job_.globals.mark_misused(index)) {
      job_.report("pickle.misused-global", offset,
                  fmt::format("{} is allowed as \"{}\", but {}.", job_.globals.dotted(index), to_string(role),
                              wrong));
    }
    return PickleValue(PickleKind::kReported);
  }
  const auto items = job_.heap.items_of(arguments);
  switch (role) {
    case PickleRole::kDtype:
      return make_dtype(index, arguments);
    case PickleRole::kCallClass:
    case PickleRole::kCallConstruct:
      return instance_of((*items)[0].index());
    case PickleRole::kCallValues:
      return PickleValue(PickleKind::kUnknown);
    case PickleRole::kCallGetattr:
      return member_of(offset, index, (*items)[0].index(), *job_.heap.text_of((*items)[1]));
    case PickleRole::kCallEncode:
      if ((*items)[0].is(PickleKind::kText)) return PickleValue(PickleKind::kBytes, (*items)[0].payload());
      return PickleValue(PickleKind::kBytes);
    default:
      return instance_of(index);
  }
}

std::string_view PickleMachine::objection(PickleRole role, Manner manner, PickleValue arguments) const {
  const auto given = job_.heap.items_of(arguments);
  const auto unread = [](PickleValue value) { return value.is(PickleKind::kArray); };
  if (given && std::any_of(given->begin(), given->end(), unread)) {
    return "it is given an array that joblib is still to read";
  }
  switch (role) {
    case PickleRole::kReference:
    case PickleRole::kSubclass:
      return "it is called";
    case PickleRole::kNew:
    case PickleRole::kArray:
      return manner == Manner::kNew && given && given->empty()
                 ? ""
                 : "its constructor is called, or given arguments";
    case PickleRole::kConstruct:
    case PickleRole::kEnum:
    case PickleRole::kDtype:
      return "";
    default:
      break;
  }
  if (manner == Manner::kNew) return "it is used as a class";
  if (role == PickleRole::kCall) return "";
  if (!given) return "its arguments could not be followed";
  return objection_to_arguments(role, *given);
}

std::string_view PickleMachine::objection_to_arguments(PickleRole role,
                                                       std::span<const PickleValue> arguments) const {
  const auto role_at = [&](std::size_t i) {
    return i < arguments.size() ? role_of(arguments[i]) : std::optional<PickleRole>();
  };
  const auto text_at = [&](std::size_t i) {
    return i < arguments.size() ? job_.heap.text_of(arguments[i]) : std::optional<std::string_view>();
  };
  const auto class_at = [&](std::size_t i) { return role_at(i) && is_class(*role_at(i)); };
  const auto data_at = [&](std::size_t i) {
    return !arguments[i].is(PickleKind::kGlobal) || (class_at(i) && *role_at(i) != PickleRole::kNew);
  };
  switch (role) {
    case PickleRole::kCallValues:
      for (const PickleValue& argument : arguments) {
        const bool plain = !argument.is(PickleKind::kGlobal) && !argument.is(PickleKind::kUnknown);
        if (!plain) return "it is given a global, or what could not be followed, and may give it back";
      }
      return "";
    case PickleRole::kCallConstruct:
      if (!class_at(0)) return "its first argument is no allowed class";
      for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (!data_at(0)) return "it is given arguments for the constructor of a class that may not have any";
        if (!data_at(i)) return "one of its arguments is a global that may not be constructed";
      }
      return "";
    case PickleRole::kCallData:
      for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (!data_at(i) && role_at(i) != PickleRole::kCallData) return "it is given something else to call";
      }
      return "";
    case PickleRole::kCallClass:
      if (!class_at(0)) return "its first argument is no allowed class";
      for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (!data_at(i)) return "one of its arguments is a global that may not be constructed";
      }
      return "";
    case PickleRole::kCallCallable:
      return role_at(0) == PickleRole::kCall && class_at(1) ? "" : "it is given something else to call";
    case PickleRole::kCallEncode: {
      constexpr std::array<std::string_view, 4> kLatin1{"latin1", "latin-1", "iso-8859-1", "ISO-8859-1"};
      const auto encoding = text_at(1);
      const bool latin1 = encoding && std::find(kLatin1.begin(), kLatin1.end(), *encoding) != kLatin1.end();
      return arguments.size() == 2 && is_text(arguments[0]) && latin1
                 ? ""
                 : "it is given another encoding than Latin-1";
    }
    case PickleRole::kCallNested: {
      const bool seen =
          arguments.size() == 1 && arguments[0].is(PickleKind::kBytes) && arguments[0].payload() != 0;
      if (!seen) return "the bytes that it loads are no PyTorch file that could be inspected";
      return job_.nested[arguments[0].index() - 1].clean_torch ? "" : "the bytes that it loads are not clean";
    }
    default: {
      const auto name = text_at(1);
      const bool member =
          arguments.size() == 2 && role_at(0) && name && is_member(arguments[0].index(), *name);
      return member ? "" : "it reaches for something else than the member of a known enumeration or class";
    }
  }
}

// getattr(class, name), which protocols below 4 write for what later ones name "class.name".
bool PickleMachine::is_member(std::uint32_t owner, std::string_view name) const {
  if (job_.globals.role(owner) == PickleRole::kEnum) return is_plain_name(name);
  return job_.globals.allows_member(owner, name);
}

// As a later protocol would have named it, "class.member", where that is on the list.
PickleValue PickleMachine::member_of(std::uint64_t offset, std::uint32_t getattr, std::uint32_t owner,
                                     std::string_view name) {
  if (!job_.globals.allows_member(owner, name)) return instance_of(getattr);
  const std::string module = job_.globals.global(owner).module;
  const std::string member = fmt::format("{}.{}", job_.globals.global(owner).name, name);
  return PickleValue(PickleKind::kGlobal, job_.globals.resolve(module, member, /*python2=*/false, offset));
}

std::optional<PickleRole> PickleMachine::role_of(PickleValue value) const {
  if (!value.is(PickleKind::kGlobal)) return std::nullopt;
  return job_.globals.role(value.index());
}

PickleValue PickleMachine::instance_of(std::uint32_t global) const {
  const auto role = job_.globals.role(global);
  if (role == PickleRole::kArray) return PickleValue(PickleKind::kArray, global);
  if (role == PickleRole::kDtype) return PickleValue(PickleKind::kUnknown);
  // The one class whose instances may name a global.
  if (job_.globals.global(global).name == "str") return PickleValue(PickleKind::kText);
  return PickleValue(PickleKind::kObject, global);
}

}  // namespace holdfast::inspect
