"""Writes the files that inspect.test looks at. The hostile ones would run `true`; nothing here loads them."""

import gzip
import io
import os
import pickle
import tarfile
import zipfile


class Hostile:
    def __reduce__(self):
        return os.system, ("true",)


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


hostile = pickle.dumps({"weights": [0.5, 1.5], "extra": Hostile()})
write("honest.pkl", pickle.dumps({"weights": [0.5, 1.5], "name": "mlp"}))
write("hostile.pkl", hostile)
write("truncated.pkl", hostile[:-4])

with zipfile.ZipFile("innocent.onnx", "w") as archive:
    archive.writestr("archive/data.pkl", hostile)
    archive.writestr("archive/version", "3\n")
    archive.writestr("archive/data/0", bytes(64))

tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as archive:
    member = tarfile.TarInfo("models/a.pkl")
    member.size = len(hostile)
    archive.addfile(member, io.BytesIO(hostile))
write("nested.tar.gz", gzip.compress(tar.getvalue()))
