#include "inspect/pickle_opcodes.h"

namespace holdfast::inspect {
namespace {

struct Row {
  PickleOp op;
  PickleOpInfo info;
};

using enum PickleOp;
using enum PickleTail;

constexpr Row kRows[] = {
    {kMark, {"MARK"}},
    {kStop, {"STOP", 0, kNothing, true}},
    {kPop, {"POP", 0, kNothing, true}},
    {kPopMark, {"POP_MARK", 0, kNothing, true}},
    {kDup, {"DUP", 0, kNothing, true}},
    {kFloat, {"FLOAT", 0, kLine}},
    {kInt, {"INT", 0, kLine}},
    {kBinInt, {"BININT", 4}},
    {kBinInt1, {"BININT1", 1}},
    {kLong, {"LONG", 0, kLine}},
    {kBinInt2, {"BININT2", 2}},
    {kNone, {"NONE"}},
    {kPersId, {"PERSID", 0, kLine}},
    {kBinPersId, {"BINPERSID", 0, kNothing, true}},
    {kReduce, {"REDUCE", 0, kNothing, true}},
    {kString, {"STRING", 0, kLine}},
    {kBinString, {"BINSTRING", 4, kPayload}},
    {kShortBinString, {"SHORT_BINSTRING", 1, kPayload}},
    {kUnicode, {"UNICODE", 0, kLine}},
    {kBinUnicode, {"BINUNICODE", 4, kPayload}},
    {kAppend, {"APPEND", 0, kNothing, true}},
    {kBuild, {"BUILD", 0, kNothing, true}},
    {kGlobal, {"GLOBAL", 0, kTwoLines}},
    {kDict, {"DICT", 0, kNothing, true}},
    {kEmptyDict, {"EMPTY_DICT"}},
    {kAppends, {"APPENDS", 0, kNothing, true}},
    {kGet, {"GET", 0, kLine, true}},
    {kBinGet, {"BINGET", 1, kNothing, true}},
    {kInst, {"INST", 0, kTwoLines}},
    {kLongBinGet, {"LONG_BINGET", 4, kNothing, true}},
    {kList, {"LIST", 0, kNothing, true}},
    {kEmptyList, {"EMPTY_LIST"}},
    {kObj, {"OBJ", 0, kNothing, true}},
    {kPut, {"PUT", 0, kLine, true}},
    {kBinPut, {"BINPUT", 1, kNothing, true}},
    {kLongBinPut, {"LONG_BINPUT", 4, kNothing, true}},
    {kSetItem, {"SETITEM", 0, kNothing, true}},
    {kTuple, {"TUPLE", 0, kNothing, true}},
    {kEmptyTuple, {"EMPTY_TUPLE"}},
    {kSetItems, {"SETITEMS", 0, kNothing, true}},
    {kBinFloat, {"BINFLOAT", 8}},
    {kProto, {"PROTO", 1}},
    {kNewObj, {"NEWOBJ", 0, kNothing, true}},
    {kExt1, {"EXT1", 1}},
    {kExt2, {"EXT2", 2}},
    {kExt4, {"EXT4", 4}},
    {kTuple1, {"TUPLE1", 0, kNothing, true}},
    {kTuple2, {"TUPLE2", 0, kNothing, true}},
    {kTuple3, {"TUPLE3", 0, kNothing, true}},
    {kNewTrue, {"NEWTRUE"}},
    {kNewFalse, {"NEWFALSE"}},
    {kLong1, {"LONG1", 1, kPayload}},
    {kLong4, {"LONG4", 4, kPayload}},
    {kBinBytes, {"BINBYTES", 4, kPayload}},
    {kShortBinBytes, {"SHORT_BINBYTES", 1, kPayload}},
    {kShortBinUnicode, {"SHORT_BINUNICODE", 1, kPayload}},
    {kBinUnicode8, {"BINUNICODE8", 8, kPayload}},
    {kBinBytes8, {"BINBYTES8", 8, kPayload}},
    {kEmptySet, {"EMPTY_SET"}},
    {kAddItems, {"ADDITEMS", 0, kNothing, true}},
    {kFrozenSet, {"FROZENSET", 0, kNothing, true}},
    {kNewObjEx, {"NEWOBJ_EX", 0, kNothing, true}},
    {kStackGlobal, {"STACK_GLOBAL", 0, kNothing, true}},
    {kMemoize, {"MEMOIZE", 0, kNothing, true}},
    {kFrame, {"FRAME", 8}},
    {kByteArray8, {"BYTEARRAY8", 8, kPayload}},
    {kNextBuffer, {"NEXT_BUFFER"}},
    {kReadOnlyBuffer, {"READONLY_BUFFER", 0, kNothing, true}},
};

constexpr std::array<PickleOpInfo, 256> make_table() {
  std::array<PickleOpInfo, 256> table{};
  for (const Row& row : kRows) table[static_cast<std::uint8_t>(row.op)] = row.info;
  return table;
}

constexpr std::array<PickleOpShape, 256> make_shapes() {
  std::array<PickleOpShape, 256> shapes{};
  for (const Row& row : kRows) {
    shapes[static_cast<std::uint8_t>(row.op)] = PickleOpShape(row.info);
  }
  return shapes;
}

}  // namespace

constexpr std::array<PickleOpInfo, 256> kPickleOps = make_table();
constexpr std::array<PickleOpShape, 256> kPickleShapes = make_shapes();

}  // namespace holdfast::inspect
