"""Writes two hostile models:  hostile.py FOLDER

model.pkl is a pickle that would run the command `id` when it is loaded; model.onnx is a PyTorch zip with the same
inside, under a name that promises something harmless. Nothing here, and nothing in Holdfast, ever loads them.
"""

import os
import pathlib
import pickle
import sys
import zipfile


class Hostile:
    def __reduce__(self):
        return os.system, ("id",)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    payload = pickle.dumps({"weights": [0.1, 0.2, 0.3], "extra": Hostile()}, protocol=2)
    (folder / "model.pkl").write_bytes(payload)
    with zipfile.ZipFile(folder / "model.onnx", "w") as archive:
        archive.writestr("archive/data.pkl", payload)
        archive.writestr("archive/data/0", bytes(12))
        archive.writestr("archive/version", "3\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
