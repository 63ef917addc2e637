"""Writes the corpus of bench/scanners: files that would run something when loaded, and none that was ever run.

Dangerous are a pickle for each of many callables, and one callable hidden in many ways. Each would be loaded by some
framework's own loader as it lies there, except that nothing of it does harm: the command is `true`.
"""
import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib

CALLABLES = """
builtins eval|builtins exec|builtins compile|builtins __import__|builtins getattr|builtins open|__builtin__ eval
os system|os popen|os execv|os spawnl|os remove|os putenv|posix system|nt system|subprocess Popen|subprocess call
subprocess check_output|subprocess getoutput|subprocess run|_posixsubprocess fork_exec|pty spawn|shutil rmtree
shutil copyfile|runpy run_path|runpy _run_code|webbrowser open|socket create_connection|socket socket
urllib.request urlopen|urllib.request urlretrieve|http.client HTTPSConnection|ftplib FTP|smtplib SMTP|requests get
asyncio.subprocess create_subprocess_shell|timeit timeit|pdb run|bdb Bdb|code interact|code InteractiveInterpreter
codeop compile_command|cProfile runctx|profile run|trace Trace|doctest debug_script|pydoc pipepager
ctypes CDLL|importlib import_module|importlib.util spec_from_file_location|pkgutil resolve_name|zipimport zipimporter
pickle loads|_pickle loads|dill loads|cloudpickle loads|joblib load|marshal loads|types FunctionType|types CodeType
operator attrgetter|operator methodcaller|ensurepip _run_pip|pip main|venv create
multiprocessing.util spawnv_passfds|numpy.testing._private.utils runstring|numpy load|pandas read_pickle
torch load|torch.hub load|torch.jit load|torch.utils.collect_env run|torch._inductor.codecache compile_file
idlelib.pyshell ModifiedInterpreter|logging.config _resolve|test.support.script_helper assert_python_ok
sqlite3 connect|tempfile _TemporaryFileWrapper|signal signal|sys setprofile|site execsitecustomize
""".replace("\n", "|")


def reduce_global(module, name, argument=b"X\x04\x00\x00\x00true"):
    return b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\n" + argument + b"\x85R."


SYSTEM = reduce_global("os", "system")
HARMLESS = pickle.dumps({"weights": [0.5, 1.5]}, 2)


def stored(members, damage=None):
    """A zip of stored members, perhaps with something wrong about it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    data = bytearray(out.getvalue())
    if damage:
        damage(data)
    return bytes(data)


def wrong_crc(data):
    central = data.find(b"PK\x01\x02")
    data[14] ^= 0xFF
    data[central + 16] ^= 0xFF


def says_encrypted(data):
    data[data.find(b"PK\x01\x02") + 8] |= 1


def another_local_name(data):
    at = data.find(b"model/data.pkl")
    data[at : at + 14] = b"model/data.txt"


def tarred(name, content, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def numpy_objects(program):
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + program


def gguf(template):
    def text(value):
        return struct.pack("<Q", len(value)) + value

    key = text(b"tokenizer.chat_template") + struct.pack("<I", 8) + text(template)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key


def keras(layer):
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}, "registered_name": None}
    return stored([("metadata.json", json.dumps({"keras_version": "3.5.0"})), ("config.json", json.dumps(config))])


def field(number, content):
    head = bytes([number << 3 | 2])
    size = len(content)
    while size >= 0x80:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + bytes([size]) + content


def saved_model(operation):
    node = field(1, b"load") + field(2, operation)
    graph = field(2, field(1, field(4, b"serve")) + field(2, field(1, node)))
    return b"\x08\x01" + graph


def hidden():
    """One command, where a scanner might not look. By file name."""
    torch = [("model/data.pkl", SYSTEM), ("model/version", b"3\n"), ("model/data/0", bytes(64))]
    memo = b"\x80\x04\x8c\x06system\x94\x8c\x02os\x94h\x01h\x00\x93\x8c\x04true\x85R."
    lambda_layer = {"module": "keras.layers", "class_name": "Lambda", "registered_name": None,
                    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wAA"}}}}
    module_layer = {"module": "subprocess", "class_name": "Popen", "registered_name": None, "config": {"args": "true"}}
    return {
        "text.pkl": b"cos\nsystem\n(S'true'\ntR.",
        "inst.pkl": b"(S'true'\nios\nsystem\n.",
        "obj.pkl": b"(cos\nsystem\nX\x04\x00\x00\x00trueo.",
        "newobj.pkl": b"\x80\x02csubprocess\nPopen\nX\x04\x00\x00\x00true\x85\x81.",
        "stack_global.pkl": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        "memo.pkl": memo,
        "dotted.pkl": b"\x80\x04\x8c\x08builtins\x8c\x13__import__.__call__\x93\x8c\x02os\x85R.",
        "bytes.pkl": b"\x80\x03C\x02osC\x06system\x93X\x04\x00\x00\x00true\x85R.",
        "cut_after_call.pkl": SYSTEM[:-1],
        "second.pkl": HARMLESS + SYSTEM,
        "nested_loads.pkl": b"\x80\x03c_pickle\nloads\nB" + struct.pack("<I", len(SYSTEM)) + SYSTEM + b"\x85R.",
        "persistent.pkl": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85RQ.",
        "unframed.pkl": b"\x80\x04\x95\xff\xff\xff\x7f\x00\x00\x00\x00" + SYSTEM[2:],
        "no_extension": SYSTEM,
        "weights.safetensors": SYSTEM,
        "notes.txt": SYSTEM,
        "model.onnx": stored(torch),
        "torch.pt": stored(torch),
        "torch_wrong_crc.pt": stored(torch, wrong_crc),
        "torch_says_encrypted.pt": stored(torch, says_encrypted),
        "torch_other_name.pt": stored(torch, another_local_name),
        "torch_data_pkl_twice.pt": stored([("model/data.pkl", HARMLESS), *torch]),
        "torch_odd_extension.ckpt": stored([("model/data.pkl", HARMLESS), ("model/extra.weights", SYSTEM)]),
        "torch_after_prefix.pt": b"#!/bin/sh\n" + stored(torch),
        "legacy.pth": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + SYSTEM,
        "nested.zip": stored([("inner.zip", stored([("a.pkl", SYSTEM)]))]),
        "packed.tar": tarred("a.pkl", SYSTEM),
        "packed.tar.gz": tarred("a.pkl", SYSTEM, "w:gz"),
        "packed.tar.xz": tarred("a.pkl", SYSTEM, "w:xz"),
        "joblib.gz": gzip.compress(SYSTEM),
        "joblib.z": zlib.compress(SYSTEM),
        "joblib.bz2": bz2.compress(SYSTEM),
        "joblib.xz": lzma.compress(SYSTEM),
        "joblib.lzma": lzma.compress(SYSTEM, lzma.FORMAT_ALONE),
        "objects.npy": numpy_objects(SYSTEM),
        "objects.npz": stored([("a.npy", numpy_objects(SYSTEM))]),
        "lambda.keras": keras(lambda_layer),
        "module.keras": keras(module_layer),
        "template.gguf": gguf(b"{{ ''.__class__.__mro__[1].__subclasses__() }}"),
        "template.jinja": b"{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "opens_a_file.pkl": b"\x80\x04ccopyreg\n__newobj__\n(cnumpy\nmemmap\nX\x0e\x00\x00\x00/nonexistent/xX\x02\x00\x00\x00u1"
                            b"X\x02\x00\x00\x00w+K\x00K\x01\x85tR.",
        "zip_behind_pickle.gz": gzip.compress(HARMLESS + bytes(300_000) + stored(torch)),
        "block_scalar.yaml": b"_target_: |-\n  os.system\ncommand: 'true'\n",
        "starts.pth": b"import os; os.system('true')\n",
        "saved_model.pb": saved_model(b"PyFunc"),
        "writes/saved_model.pb": saved_model(b"WriteFile"),
    }


def dangerous():
    """What each file is called, and its bytes."""
    files = {f"hidden/{name}": content for name, content in hidden().items()}
    for pair in filter(None, (one.strip() for one in CALLABLES.split("|"))):
        module, name = pair.split(" ")
        files[f"callable/{module}.{name}.pkl"] = reduce_global(module, name)
    return files
