#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "inspect/pickle_machine.h"

// joblib/numpy_pickle.py writes each array as a NumpyArrayWrapper with its shape and type, and right behind
// the BUILD of that object the array's bytes, in the middle of the pickle. A loader that knows nothing of
// joblib takes them for instructions, so both readings are followed wherever the second can go anywhere.

namespace holdfast::inspect {
namespace {

// The lowest instruction is MARK, "(": a plain loader stops at any padding count below.
constexpr std::uint8_t kLowestInstruction = '(';
// Bit of PyArray_Descr.flags (numpy/ndarraytypes.h, NPY_ITEM_HASOBJECT).
constexpr std::int64_t kHasObjects = 1;
constexpr std::uint64_t kMaxItemBytes = 1UL << 31;

// Where numpy.dtype.__reduce__ puts things in the state of version 3 and 4 (arraydescr_reduce).
constexpr std::size_t kStateItemBytes = 5;
constexpr std::size_t kStateFlags = 7;
// Of states before, arraydescr_setstate makes the flags anew.
constexpr std::int64_t kFirstStateWithFlags = 3;

// NumpyArrayWrapper.__init__; any other key may stand for one of its methods.
bool is_wrapper_key(std::string_view key) {
  constexpr std::string_view kKeys[] = {"subclass", "shape",      "order",
                                        "dtype",    "allow_mmap", "numpy_array_alignment_bytes"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

// numpy.dtype's own name of a type, "f8": its kind and its size.
PickleDtype parse_dtype(std::string_view name) {
  if (!name.empty() && std::string_view("<>=|").find(name.front()) != std::string_view::npos)
    name.remove_prefix(1);
  if (name.empty()) return {};
  const char kind = name.front();
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), count);
  const bool whole = error == std::errc{} && end == name.data() + name.size();
  if (!whole || count > kMaxItemBytes || std::string_view("biufcmMOSUV").find(kind) == std::string_view::npos)
    return {};
  return {.item_bytes = kind == 'U' ? 4 * count : count,
          .has_objects = kind == 'O',
          .known = true,
          .sized = std::string_view("SUV").find(kind) != std::string_view::npos};
}

}  // namespace

PickleValue PickleMachine::make_dtype(std::uint32_t global, PickleValue arguments) {
  PickleDtype dtype;
  if (const auto items = job_.heap.items_of(arguments); items && !items->empty()) {
    if (const auto name = job_.heap.text_of(items->front())) dtype = parse_dtype(*name);
  }
  return job_.heap.dtype(dtype).value_or(PickleValue(PickleKind::kObject, global));
}

// (version, byte order, subarray, names, fields, item size, alignment, flags [, metadata]);
// arraydescr_setstate heeds the size only for the kinds whose size is free.
void PickleMachine::set_dtype_state(PickleValue value, PickleValue state) {
  PickleDtype& dtype = *job_.heap.dtype_of(value);
  const auto items = job_.heap.items_of(state);
  if (!items || items->size() <= kStateFlags || !(*items)[0].is(PickleKind::kInt) ||
      !(*items)[kStateItemBytes].is(PickleKind::kInt) || !(*items)[kStateFlags].is(PickleKind::kInt) ||
      (*items)[0].number() < kFirstStateWithFlags) {
    dtype.known = false;
    return;
  }
  const bool has_objects = ((*items)[kStateFlags].number() & kHasObjects) != 0;
  // numpy heeds neither for its own types, those without a size among them.
  const bool own = dtype.sized ? dtype.item_bytes == 0 : dtype.has_objects != has_objects;
  const std::int64_t item_bytes = (*items)[kStateItemBytes].number();
  if (own) dtype.known = false;
  if (dtype.sized && item_bytes >= 0) dtype.item_bytes = static_cast<std::uint64_t>(item_bytes);
  dtype.has_objects = has_objects;
}

void PickleMachine::note_array_state(std::uint64_t dict, std::span<const PickleValue> items) {
  if (dict != array_.dict) {
    array_ = {.dict = dict, .followed = dict > array_.dict, .shape = {}, .dtype = {}, .alignment = {}};
  }
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    const auto key = job_.heap.text_of(items[i]);
    array_.followed = array_.followed && key && is_wrapper_key(*key);
    if (key == "shape") array_.shape = items[i + 1];
    if (key == "dtype") array_.dtype = items[i + 1];
    if (key == "numpy_array_alignment_bytes") array_.alignment = items[i + 1];
  }
}

// As check_items, but that joblib makes only empty arrays of the subclass.
void PickleMachine::check_state_items(std::size_t start) {
  for (std::size_t i = start; i < stack_.size(); ++i) {
    const bool value = (i - start) % 2 == 1;
    const bool subclass = value && job_.heap.text_of(stack_[i - 1]) == "subclass";
    if (subclass && role_of(stack_[i]) == PickleRole::kSubclass) continue;
    if (stack_[i].is(PickleKind::kGlobal) || stack_[i].is(PickleKind::kShaped)) check_item(stack_[i].index());
  }
}

// NumpyArrayWrapper.read_array.
bool PickleMachine::read_array(std::uint64_t offset, PickleValue state) {
  const PickleDtype* dtype = job_.heap.dtype_of(array_.dtype);
  const bool stated = state.is(PickleKind::kDict) && state.payload() == array_.dict && array_.followed &&
                      state.payload() > newest_shared_dict_ && !array_.alignment.is(PickleKind::kUnknown) &&
                      !array_.alignment.is(PickleKind::kReported);
  if (!stated || dtype == nullptr || !dtype->known) {
    job_.report("pickle.array-unreadable", offset,
                "An array's type can't be told, so neither can where the instructions go on; they were not "
                "followed.");
    return finish(End::kRefused, {});
  }
  reader_.expect_no_frame();
  if (dtype->has_objects) return read_object_array(offset);
  const auto bytes = array_bytes(*dtype);
  if (!bytes) {
    job_.report("pickle.array-unreadable", offset,
                "An array's shape can't be told, so neither can where the instructions go on; they were not "
                "followed.");
    return finish(End::kRefused, {});
  }
  if (job_.explainer != nullptr) job_.explainer->note(fmt::format("{} bytes of array data", *bytes));
  return skip_padding(offset) && skip_array_data(offset, *bytes);
}

std::optional<std::uint64_t> PickleMachine::array_bytes(const PickleDtype& dtype) const {
  const auto shape = job_.heap.items_of(array_.shape);
  if (!shape) return std::nullopt;
  std::uint64_t bytes = dtype.item_bytes;
  for (const PickleValue& size : *shape) {
    if (!size.is(PickleKind::kInt) || size.number() < 0) return std::nullopt;
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size.number()), &bytes)) return std::nullopt;
  }
  return bytes;
}

// With an alignment: one byte that counts the padding, and the padding.
bool PickleMachine::skip_padding(std::uint64_t offset) {
  if (!array_.aligned()) return true;
  const base::ByteView count = reader_.peek(1);
  if (count.empty()) return finish(End::kTruncated, "it ends within an array");
  if (count[0] >= kLowestInstruction && job_.options.container != PickleContainer::kJoblib) {
    job_.report(
        "pickle.reads-two-ways", offset,
        "The padding before an array is one that joblib never writes, and a loader other than joblib's would "
        "run the array's bytes as instructions.");
  }
  return reader_.skip(1U + count[0]) || finish(End::kTruncated, "it ends within an array");
}

bool PickleMachine::skip_array_data(std::uint64_t offset, std::uint64_t bytes) {
  reader_.begin_payload(bytes);
  if (!array_.aligned() && bytes > 0 && job_.options.container != PickleContainer::kJoblib &&
      could_be_pickle(reader_.peek(1))) {
    follow_array_data(offset);
  }
  if (!reader_.skip_payload()) return finish(End::kTruncated, "it ends within an array");
  stack_.back() = PickleValue(PickleKind::kObject, stack_.back().payload());
  return true;
}

// pickle.load of the same stream. A loader other than joblib's goes on with the outer stack and memo: what
// differs in that reading is a finding, and so is anything but a whole pickle, at which the two would part.
bool PickleMachine::read_object_array(std::uint64_t offset) {
  const base::ByteView first = reader_.peek(1);
  const bool has_protocol = !first.empty() && first[0] == static_cast<std::uint8_t>(PickleOp::kProto);
  PickleMachine within(*this, reader_, Part::kObjects);
  const End end = within.run();
  if (end == End::kTruncated || end == End::kNothing)
    return finish(End::kTruncated, "it ends within an array");
  if (end == End::kRefused) return finish(end, {});
  if (end == End::kMalformed || !has_protocol) {
    job_.report(
        "pickle.reads-two-ways", offset,
        fmt::format(
            "An object array within joblib's stream is no pickle by itself{}{}, and a loader other than "
            "joblib's may read it otherwise; what follows was not looked at.",
            within.why().empty() ? "" : ": ", within.why()));
    return finish(End::kRefused, {});
  }
  reader_.expect_no_frame();
  stack_.back() = PickleValue(PickleKind::kObject, stack_.back().payload());
  return true;
}

}  // namespace holdfast::inspect
