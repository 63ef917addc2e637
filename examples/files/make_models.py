"""Writes the two models of this example: model/, an honest one, and hostile.bin, which is not.

hostile.bin has the layout of a PyTorch checkpoint under an innocent name; its pickle would run a command (`true`) when
it is loaded. Nothing here loads it.
"""

import json
import os
import pathlib
import pickle
import random
import struct
import sys
import zipfile


class Hostile:
    def __reduce__(self):
        return os.system, ("true",)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


folder = pathlib.Path(sys.argv[1])
model = folder / "model"
model.mkdir()
draw = random.Random(1)
write_safetensors(model / "weights.safetensors", {"coefficients": [draw.gauss(0, 1) for _ in range(4096)]})
(model / "config.json").write_text(json.dumps({"architecture": "logistic-regression", "features": 4096}))
with zipfile.ZipFile(folder / "hostile.bin", "w") as archive:
    archive.writestr("archive/data.pkl", pickle.dumps({"weights": [0.5], "extra": Hostile()}, 2))
    archive.writestr("archive/version", "3\n")
