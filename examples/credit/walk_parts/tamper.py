"""What happens to somebody who changes one byte: shown on copies of the state folder, never on the folder itself."""

import base64
import json
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile

AGE = b"age-encryption.org/v1\n"
DATABASE = "holdfast.db"


class Unnoticed(OSError):
    """Something was changed, and nobody said so."""


def blobs(state):
    return [path for path in (pathlib.Path(state) / "blobs").rglob("*") if path.is_file()]


def blobs_are_ciphertext(state):
    """Whether there are blobs, and each is an age file."""
    found = blobs(state)
    return bool(found) and all(path.open("rb").read(len(AGE)) == AGE for path in found)


def flip(path):
    """Changes one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def pae(kind, body):
    """What a DSSE signature is over (github.com/secure-systems-lab/dsse, protocol.md)."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


def verify_with_openssl(bundle, key, digest):
    """The model's signature, by OpenSSL alone, and that it is over this digest."""
    if shutil.which("openssl") is None:
        return "openssl is not installed: the signature was not verified by an outside tool"
    envelope = json.loads(pathlib.Path(bundle).read_text())["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    if digest.removeprefix("sha256:") not in payload.decode():
        raise Unnoticed(f"the signature is not over {digest}")
    with tempfile.TemporaryDirectory() as folder:
        signature = pathlib.Path(folder) / "signature"
        signed = pathlib.Path(folder) / "signed"
        signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        signed.write_bytes(pae(envelope["payloadType"].encode(), payload))
        command = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature), str(signed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unnoticed(f"openssl does not verify the model's signature: {done.stdout}{done.stderr}")
    return "openssl verifies the model's signature, by the key that was handed out"


class Copy:
    """A copy of the state folder, without what belongs to the running server."""

    def __init__(self, walk):
        self.walk = walk
        self.folder = tempfile.TemporaryDirectory(prefix="holdfast-copy-")
        self.state = pathlib.Path(self.folder.name) / "state"
        shutil.copytree(walk.state, self.state, ignore=shutil.ignore_patterns("*.sock", "*-shm"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


def practice(posture, wanted):
    return next(one for one in posture["practices"] if one["id"] == wanted)


def changed_model(walk):
    sizes = [version["size_bytes"] for version in walk.versions()]
    with Copy(walk) as copy:
        _, before = walk.ask("posture", state=copy.state)
        # An age file of one small model is a little longer than the model.
        stored = [path for path in blobs(copy.state) if any(0 < path.stat().st_size - size < 1024 for size in sizes)]
        if not stored:
            raise Unnoticed("no stored model was found to change")
        for path in stored:
            flip(path)
        _, after = walk.ask("posture", state=copy.state)
    was, now = practice(before, "P05"), practice(after, "P05")
    if was["why"] == now["why"] or now["state"] == "holds":
        raise Unnoticed("a changed byte of a stored model was not noticed")
    found = now["why"].partition("(")[2].partition("); ")[0]
    return f"one byte of a stored model changed: {found}"


def changed_log(walk):
    with Copy(walk) as copy:
        log = copy.state / "log"
        files = [path for path in log.rglob("*") if path.is_file() and "tile" in path.relative_to(log).parts]
        flip(max(files or [path for path in log.rglob("*") if path.is_file()], key=lambda path: path.stat().st_size))
        _, report = walk.ask("audit", "verify", state=copy.state, expect=(1,))
    fault = report["fault"]
    place = fault["file"] if fault["record"] is None else f"{fault['file']}, record {fault['record']}"
    return f"one byte of the log changed: {place}: {fault['message']}"


def changed_release(walk):
    with Copy(walk) as copy:
        untouched = walk.call("endpoint", "list", state=copy.state, expect=None)
        if untouched.returncode != 0:
            raise Unnoticed(f"an untouched copy does not open: {untouched.stderr}")
        with sqlite3.connect(copy.state / DATABASE) as database:
            newest = "(SELECT max(serial) FROM releases)"
            other = "(SELECT min(version) FROM model_versions)"
            changed = database.execute(
                f"UPDATE releases SET model_version = {other} + 100 WHERE serial = {newest}"
            )
            if changed.rowcount < 1:
                raise Unnoticed("there was no release to change")
        database.close()
        refused = walk.call("endpoint", "list", state=copy.state, expect=None)
    if refused.returncode == 0 or "releases" not in refused.stderr:
        raise Unnoticed(f"a changed release was not noticed: {refused.stdout}{refused.stderr}")
    return f"the database's record of a release changed: {refused.stderr.strip().splitlines()[-1]}"


def demonstrate(walk):
    yield changed_model(walk)
    yield changed_log(walk)
    yield changed_release(walk)
