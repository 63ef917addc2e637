#!/usr/bin/env python3
"""Writes pickles that get round scanners in the known ways, for inspection to find with severity high or above.

    make_hostile_pickles.py FOLDER

They would do harm to nobody: what they run is `true`. Each file's name says its way. The bytes depend on nothing but this
script, so that the folder under src/inspect/testdata/pickle/hostile is its output.
"""
import pathlib
import pickle
import struct
import sys

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
TRUE = b"S'true'\n"
CASES = {}


def case(name, data):
    assert name not in CASES, name
    CASES[name] = data


def text(value):
    return b"\x8c" + bytes([len(value)]) + value.encode()


def global_(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def call(module, name, *arguments):
    return b"(" .join([global_(module, name), b"".join(arguments)]) + b"tR"


def frame(data):
    return b"\x95" + struct.pack("<Q", len(data)) + data


def bytes_(data):
    return b"B" + struct.pack("<I", len(data)) + data


SYSTEM = global_("os", "system") + b"(" + TRUE + b"tR"
PAYLOAD = SYSTEM + b"."
BENIGN = pickle.dumps({"weights": [1, 2, 3]}, 4)


def plain_calls():
    """Functions that deny lists know, and functions that they don't."""
    case("os-system", PAYLOAD)
    case("posix-system", call("posix", "system", TRUE) + b".")
    case("nt-system", call("nt", "system", TRUE) + b".")
    case("subprocess", call("subprocess", "check_output", TRUE) + b".")
    case("eval", call("builtins", "eval", b"S'1'\n") + b".")
    case("exec", call("builtins", "exec", b"S'pass'\n") + b".")
    case("import", call("builtins", "__import__", b"S'os'\n") + b".")
    case("runpy", call("runpy", "_run_code", b"S'pass'\n", b"}") + b".")
    case("pty", call("pty", "spawn", TRUE) + b".")
    case("socket", call("socket", "create_connection", b"(S'127.0.0.1'\nI1\nt") + b".")
    case("webbrowser", call("webbrowser", "open", b"S'about:blank'\n") + b".")
    case("pip", call("pip", "main", b"]") + b".")
    case("timeit", call("timeit", "timeit", b"S'pass'\n") + b".")
    case("bdb", call("bdb", "Bdb") + b".")
    case("ctypes", call("ctypes", "CDLL", b"N") + b".")
    case("importlib", call("importlib", "import_module", b"S'os'\n") + b".")
    case("shutil", call("shutil", "rmtree", b"S'/nonexistent'\n") + b".")
    case("numpy-runstring", call("numpy.testing._private.utils", "runstring", b"S'pass'\n", b"}") + b".")
    case("numpy-f2py", call("numpy.f2py.crackfortran", "getlincoef", b"S'1'\n", b"}") + b".")
    case("numpy-load", call("numpy", "load", b"S'x.npy'\n") + b".")
    case("pandas-eval", call("pandas", "eval", b"S'1'\n") + b".")
    case("pandas-read-pickle", call("pandas", "read_pickle", b"S'x'\n") + b".")
    case("joblib-load", call("joblib", "load", b"S'x'\n") + b".")
    case("torch-load", call("torch.serialization", "load", b"S'x'\n") + b".")
    case("torch-hub", call("torch.hub", "load", b"S'x'\n") + b".")
    case("torch-config", call("torch.utils._config_module", "load_config", b"S''\n") + b".")
    case("idlelib", call("idlelib.pyshell", "ModifiedInterpreter.runcode", b"N") + b".")
    case("linecache", call("linecache", "getline", b"S'/etc/hostname'\n") + b".")
    case("lib2to3", call("lib2to3.pgen2.grammar", "Grammar.loads", b"N") + b".")
    case("unlisted-module", call("some_package.loaders", "construct_anything", b"S'x'\n") + b".")
    case("main-class", b"\x80\x02c__main__\nModel\n)\x81}b.")
    case("reference-only", b"\x80\x02}U\x01fcos\nsystem\ns.")
    case("code-by-value", call("cloudpickle.cloudpickle", "_make_function") + b".")
    case("types-function", call("types", "FunctionType") + b".")


def ways_of_naming():
    case("python2-builtin", call("__builtin__", "eval", b"S'1'\n") + b".")
    case("python2-commands", call("commands", "getoutput", TRUE) + b".")
    case("stack-global", b"\x80\x04" + text("os") + text("system") + b"\x93(" + text("true") + b"tR.")
    case("stack-global-without-proto", text("os") + text("system") + b"\x93(" + TRUE + b"tR.")
    case("stack-global-from-memo", b"\x80\x04" + text("system") + b"\x94" + text("os") + b"\x94" + b"00h\x01h\x00\x93(" + TRUE + b"tR.")
    case("stack-global-after-overwrite", b"\x80\x04" + text("math") + b"q\x000" + text("os") + b"q\x000h\x00" + text("system") + b"\x93(" + TRUE + b"tR.")
    case("stack-global-from-string", b"\x80\x04S'\\x6f\\x73'\nV\\u0073ystem\n\x93(" + TRUE + b"tR.")
    case("stack-global-by-duplicate", b"\x80\x04" + text("os") + b"2" + text("system") + b"\x93(" + TRUE + b"tR.")
    case("stack-global-from-call", b"\x80\x04cbuiltins\nstr\n(" + text("os") + b"tR" + text("system") + b"\x93(" + TRUE + b"tR.")
    case("stack-global-from-decoded-bytes", b"\x80\x04c_codecs\ndecode\n(" + b"C\x02os" + text("ascii") + b"tR" + text("system") + b"\x93(" + TRUE + b"tR.")
    case("stack-global-long-name", b"\x80\x04" + b"X" + struct.pack("<I", 300) + b"a" * 300 + text("x") + b"\x93.")
    case("dotted-name", b"\x80\x04" + text("sklearn.base") + text("os.system") + b"\x93(" + TRUE + b"tR.")
    case("dotted-name-through-builtin", b"\x80\x04" + text("builtins") + text("dict.__class__.__base__.__subclasses__") + b"\x93)R.")
    case("dotted-name-in-allowed-module", b"\x80\x04" + text("collections") + text("abc.sys.modules") + b"\x93.")
    case("inst", b"(" + TRUE + b"ios\nsystem\n.")
    case("inst-without-mark", b"ios\nsystem\n.")
    case("obj", b"(" + global_("os", "system") + TRUE + b"o.")
    case("newobj", b"\x80\x02" + global_("subprocess", "Popen") + b"(" + TRUE + b"t\x81.")
    case("newobj-ex", b"\x80\x04" + global_("subprocess", "Popen") + b"(" + TRUE + b"t}\x92.")
    case("extension-1", b"\x80\x02\x82\x01)R.")
    case("extension-2", b"\x80\x02\x83\x01\x00)R.")
    case("extension-4", b"\x80\x02\x84\x01\x00\x00\x00)R.")


def reaching_further():
    case("getattr", call("builtins", "getattr", global_("builtins", "dict"), b"S'__class__'\n") + b".")
    case("getattr-of-module", call("builtins", "getattr", call("builtins", "__import__", b"S'os'\n"), b"S'system'\n") + b".")
    case("attrgetter", call("operator", "attrgetter", b"S'system'\n") + b"(" + b"NtR.")
    case("methodcaller", call("operator", "methodcaller", b"S'system'\n", TRUE) + b".")
    case("call-of-object", call("functools", "partial", global_("builtins", "int"), b"S'1'\n") + b")R.")
    case("call-of-persistent", b"\x80\x02U\x01xQ)R.")
    case("map", call("builtins", "list", call("builtins", "map", global_("os", "system"), b"(" + TRUE + b"l")) + b".")
    case("reduce-function", call("functools", "reduce", global_("os", "system"), b"(" + TRUE + b"l") + b".")
    case("partial", call("functools", "partial", global_("os", "system"), TRUE) + b".")
    case("defaultdict-factory", call("collections", "defaultdict", global_("os", "system")) + b".")
    case("reconstructor-of-function", call("copyreg", "_reconstructor", global_("os", "system"), global_("builtins", "object"), b"N") + b".")
    case("reconstructor-of-reference", call("copyreg", "_reconstructor", global_("builtins", "len"), global_("builtins", "object"), b"N") + b".")
    case("reconstructor-of-base", call("copyreg", "_reconstructor", global_("collections", "OrderedDict"), global_("sklearn.svm._classes", "SVC"), b"N") + b".")
    case("constructor-of-estimator", call("sklearn.pipeline", "Pipeline", b"]") + b".")
    case("constructor-of-arguments", call("transformers.training_args", "TrainingArguments", b"S'x'\n") + b".")
    case("reference-called", call("numpy", "log1p", b"I1\n") + b".")
    case("ufunc-by-name", call("numpy.core", "_ufunc_reconstruct", b"S'os'\n", b"S'system'\n") + b".")
    case("encode-with-codec", call("_codecs", "encode", b"S'x'\n", b"S'zip'\n") + b".")
    case("tensor-type-callable", call("torch._tensor", "_rebuild_from_type_v2", global_("torch.nn.modules.linear", "Linear"), global_("torch", "Tensor"), b")", b"N") + b".")
    case("constructor-of-bit-generator", call("numpy.random._pickle", "__generator_ctor", bytes_(PAYLOAD), global_("torch.storage", "_load_from_bytes")) + b".")
    case("conditional-function-held", call("functools", "partial", global_("torch.storage", "_load_from_bytes"), bytes_(b"x" * 40)) + b".")
    case("conditional-function-as-factory", call("collections", "defaultdict", global_("builtins", "getattr")) + b".")
    case("new-with-arguments", b"\x80\x02cnumpy\nmemmap\nU\x0d/nonexistent/\x85\x81.")
    memmap = global_("numpy", "memmap")
    case("newobj-function-with-arguments", call("copyreg", "__newobj__", memmap, b"S'/nonexistent/x'\n") + b".")
    case("new-index-of-another-class", call("pandas.core.indexes.datetimes", "_new_DatetimeIndex", memmap, b"}S'filename'\nS'/nonexistent/x'\ns") + b".")
    case("class-that-opens-files-held", call("functools", "partial", memmap, b"S'/nonexistent/x'\n") + b".")
    shaped = b"(" + memmap + b"(I0\ntS'b'\nt"
    case("class-that-opens-files-in-state", global_("functools", "partial") + b"(" + global_("builtins", "int") + b"tR"
         + global_("numpy.core.multiarray", "_reconstruct") + shaped + b"p1\n00g1\nb.")
    case("class-that-opens-files-as-arguments", global_("numpy.core.multiarray", "_reconstruct") + shaped + b"p1\n00"
         + global_("functools", "partial") + b"g1\nR.")
    case("inst-hands-on-getattr", b"(" + global_("builtins", "getattr") + b"S'x'\nS'upper'\nifunctools\npartial\n.")
    case("obj-hands-on-getattr", b"(" + global_("functools", "partial") + global_("builtins", "getattr") + b"S'x'\nS'upper'\no.")
    case("identity-of-class", call("torch.jit._pickle", "restore_type_tag", global_("sklearn.base", "BaseEstimator"), b"S''\n")
         + b"(N}S'__setstate__'\n" + global_("builtins", "len") + b"stb.")
    case("identity-of-name", call("torch.jit._pickle", "restore_type_tag", b"S'os'\n", b"S''\n") + b"S'system'\n\x93(" + TRUE + b"tR.")
    case("identity-of-scalar", call("numpy._core.multiarray", "scalar", call("numpy", "dtype", b"S'O8'\n"), b"S'os'\n")
         + b"S'system'\n\x93(" + TRUE + b"tR.")
    case("scipy-distribution", b"\x80\x02cscipy.stats._continuous_distns\nnorm_gen\n)\x81}U\x13_parse_arg_templateU\x04passsb.")
    case("build-on-module", b"\x80\x04" + text("torch.nn.modules") + text("linear") + b"\x93}" + text("Linear") + b"Nsb.")
    case("build-on-class", b"\x80\x02ccollections\nOrderedDict\n}U\x01aI1\nsb.")
    case("build-on-function", b"\x80\x02cnumpy\nmean\n}U\x08__code__Nsb.")
    case("setitem-on-class", b"\x80\x02cbuiltins\ndict\nU\x01aI1\ns.")
    case("append-on-class", b"\x80\x02cbuiltins\nlist\nI1\na.")
    case("hidden-in-container", b"\x80\x02}U\x07weights](I1\nI2\n" + SYSTEM + b"es.")
    case("popped-result", b"\x80\x02" + SYSTEM + b"0}.")
    case("popped-in-mark", b"\x80\x02(" + SYSTEM + b"1}.")


def nested():
    case("pickle-loads", call("pickle", "loads", bytes_(PAYLOAD)) + b".")
    case("nested-bytes", pickle.dumps({"blob": b"\x80\x02" + PAYLOAD}, 4))
    case("nested-bytes-without-proto", pickle.dumps({"blob": PAYLOAD}, 4))
    case("nested-bytearray", pickle.dumps({"blob": bytearray(PAYLOAD)}, 5))
    case("nested-large", pickle.dumps({"blob": b"\x80\x02]q\x00(" + b"K\x01" * 3000 + b"e0" + PAYLOAD}, 4))
    case("nested-twice", pickle.dumps([pickle.dumps([PAYLOAD + b" " * 80], 4) + b" " * 80], 4))
    case("nested-text", pickle.dumps({"blob": PAYLOAD.decode()}, 4))
    case("nested-latin1", pickle.dumps({"blob": b"\x80\x02" + PAYLOAD}, 2))
    case("nested-storage", call("torch.storage", "_load_from_bytes", bytes_(b"\x80\x02" + PAYLOAD)) + b".")
    case("nested-storage-unseen", call("torch.storage", "_load_from_bytes", bytes_(b"PK\x03\x04" + b"x" * 40)) + b".")
    case("nested-storage-unknown", call("torch.storage", "_load_from_bytes", bytes_(b"\x80\x02cunknown\nthing\n.")) + b".")


def streams():
    case("truncated-after-reduce", SYSTEM)
    case("truncated-in-argument", SYSTEM + b"X\xff\xff\xff\x7fabc")
    case("broken-after-reduce", SYSTEM + b"\xff\xff.")
    case("underflow-after-reduce", SYSTEM + b"000000.")
    case("unknown-memo-after-reduce", SYSTEM + b"h\x63.")
    case("second-pickle", BENIGN + PAYLOAD)
    case("third-pickle", BENIGN + BENIGN + PAYLOAD)
    case("second-pickle-truncated", BENIGN + SYSTEM)
    case("comment-before", b"V# a model card\n0" + PAYLOAD)
    case("every-protocol-switch", b"\x80\x05\x80\x00" + call("__builtin__", "eval", b"S'1'\n") + b".")
    inner = b"\x80\x04" + text("os") + text("system") + b"\x93(" + text("true") + b"tR."
    case("frame-too-short", b"\x80\x04\x95" + struct.pack("<Q", 5) + inner[2:])
    case("frame-too-long", b"\x80\x04\x95" + struct.pack("<Q", 5000) + inner[2:])
    case("frame-within-frame", b"\x80\x04" + frame(frame(b"N0")) + BENIGN[2:])
    case("frame-splits-instruction", b"\x80\x04\x95" + struct.pack("<Q", 4) + text("abcdef") + b"0N.")
    case("frame-hides-stop", b"\x80\x04\x95" + struct.pack("<Q", 12) + b"N." + SYSTEM + b".")
    case("memo-bomb", b"\x80\x02Nr\xff\xff\xff\x7f.")
    case("memo-bomb-text", b"Np99999999999\n.")
    case("memo-index-odd", b"(lp 1\ng+1\n.")
    case("recursive-state", b"\x80\x02}q\x00U\x01ah\x00sU\x01b" + SYSTEM + b"s.")


def magic():
    case("behind-torch-magic", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + b"\x80\x02" + PAYLOAD)
    case("behind-torch-storages", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)
         + pickle.dumps({}, 2) + pickle.dumps([], 2) + PAYLOAD)
    case("torch-storage-type", b"\x80\x02(U\x07storagecos\nsystem\nU\x010U\x03cpuK\x01tQ.")
    case("torch-module-source", b"\x80\x02(U\x06modulecos\nsystem\nU\x010U\x01xtQ.")


def array_wrapper(shape, dtype, after, alignment=b""):
    """What joblib writes for an array, from the wrapper to the bytes that follow its BUILD."""
    state = b"}(" + text("subclass") + b"cnumpy\nndarray\n" + text("shape") + shape + text("order") + text("C")
    state += text("dtype") + dtype + alignment + text("allow_mmap") + b"\x89u"
    return b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"b" + after


def joblib_streams():
    byte_type = b"cnumpy\ndtype\n(" + text("u1") + b"\x89\x88tR(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    object_type = b"cnumpy\ndtype\n(" + text("O8") + b"\x89\x88tR(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"
    aligned = text("numpy_array_alignment_bytes") + b"K\x10"
    size = lambda count: b"K" + bytes([count]) + b"\x85"
    case("joblib-data-is-program", array_wrapper(size(len(PAYLOAD)), byte_type, PAYLOAD + b"."))
    case("joblib-padding-is-program", array_wrapper(size(0), byte_type, b"(" + b"1" + PAYLOAD + b" " * 64, aligned))
    case("joblib-data-goes-on", array_wrapper(size(1), byte_type, b"N" + b"."))
    case("joblib-alignment-is-true", array_wrapper(size(2), byte_type, b"\x01\xff00" + PAYLOAD, text("numpy_array_alignment_bytes") + b"\x88"))
    case("joblib-key-from-call", array_wrapper(size(1), byte_type, b"\x00" + PAYLOAD, b"cbuiltins\nstr\n" + text("shape") + b"\x85R" + size(200)))
    case("joblib-shape-unknown", array_wrapper(b"N", byte_type, b"\x00."))
    case("joblib-shape-overflow", array_wrapper(b"(" + b"J\x00\x00\x00\x40" * 4 + b"t", byte_type, b"\x00."))
    case("joblib-object-array", array_wrapper(size(1), object_type, b"\x80\x02" + PAYLOAD + b"."))
    outer = b"\x80\x04" + text("os") + b"\x94" + text("system") + b"\x94" + b"00"
    swapped = b"\x80\x04" + text("builtins") + b"\x94" + text("int") + b"\x940" + b"0h\x00h\x01\x93)R."
    case("joblib-object-array-other-memo", outer + array_wrapper(size(1), object_type, swapped + b"."))
    case("joblib-object-array-open", array_wrapper(size(1), object_type, b"\x80\x020" + PAYLOAD))
    # What follows is a string to one who takes the array for unaligned, and padding and a program to joblib.
    hidden = b"\x8c" + bytes([139 + len(PAYLOAD)]) + b"a" * 139 + b"0" + PAYLOAD[:-1] + b"."
    wrapper = b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81"
    state = (b"(" + text("subclass") + b"cnumpy\nndarray\n" + text("shape") + size(0) + text("order") + text("C")
             + text("dtype") + byte_type + text("allow_mmap") + b"\x89u")
    case("joblib-state-noted-again", wrapper + b"}q\x05(" + aligned + b"u0}(" + text("order") + text("C") + b"u0h\x05" + state + b"b" + hidden)
    shared = b"ccollections\nUserDict\n)\x81}" + text("data") + b"h\x05sb" + aligned + b"s0b"
    case("joblib-state-shared", wrapper + b"}q\x05" + state + shared + hidden)
    case("joblib-state-duplicated", wrapper + b"}" + state + b"2q\x050" + shared + hidden)
    case("joblib-array-twice", wrapper + b"q\x06}" + state[:-1] + aligned + b"ub\x01\xff" + b"0h\x06}" + state + b"b" + hidden)
    case("joblib-method-in-state", wrapper + b"}" + state[:-1].replace(size(0), size(len(PAYLOAD))) + text("read") + b"cbuiltins\nException\nub"
         + b"0" + PAYLOAD[:-1] + b".")
    case("joblib-array-through-identity", call("torch.jit._pickle", "restore_type_tag", wrapper, b"S''\n") + b"}" + state + b"b.")
    old_type = object_type.replace(b"K\x03", b"K\x02").replace(b"K\x3f", b"K\x00")
    case("joblib-objects-of-old-state", array_wrapper(size(1), old_type, b"\x80\x04K\x00K\x00K\x00."))
    case("joblib-objects-without-flag", array_wrapper(size(1), object_type.replace(b"K\x3f", b"K\x00"), b"\x80\x04K\x00K\x00K\x00."))
    case("joblib-after-array", array_wrapper(size(1), byte_type, b"\x01\xff\x00" + b"0" + PAYLOAD, aligned))


for group in (plain_calls, ways_of_naming, reaching_further, nested, streams, magic, joblib_streams):
    group()
for name, data in CASES.items():
    (OUT / f"{name}.pkl").write_bytes(data)
print(f"{len(CASES)} files in {OUT}")
