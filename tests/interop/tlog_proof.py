"""Verifies a C2SP tlog-proof@v1 with hashlib and cryptography alone, as anybody could:

    tlog_proof.py PROOF LOG-KEY BUNDLE      the proof, the log's vkey in a file, the signature's bundle

Prints the record and exits 0, or says what does not hold and exits 1.
"""
import base64
import hashlib
import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def open_note(note, vkey):
    """The text of a signed note, once the key has signed it (C2SP signed-note.md)."""
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1, "no Ed25519 key"
    assert sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "the key's id is not its own"
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if dash == "—" and signer == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
            return name, text
    raise AssertionError("the key has not signed the checkpoint")


def root_of(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    assert index < size, "the index lies beyond the log's end"
    fn, sn, r = index, size - 1, leaf
    for p in path:
        assert sn > 0, "the proof is too long"
        if fn & 1 or fn == sn:
            r = sha256(b"\x01", p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = sha256(b"\x01", r, p)
        fn >>= 1
        sn >>= 1
    assert sn == 0, "the proof is too short"
    return r


def main(proof_file, key_file, bundle_file):
    head, checkpoint = open(proof_file, encoding="utf-8").read().split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ") and lines[2].startswith("index ")
    extra = base64.b64decode(lines[1][6:], validate=True)
    index = int(lines[2][6:])
    path = [base64.b64decode(line, validate=True) for line in lines[3:]]

    name, text = open_note(checkpoint, open(key_file, encoding="utf-8").read().strip())
    origin, size, root = text.splitlines()[:3]
    assert origin == name, "the checkpoint is of another log"

    # What our leaf is made of: a commitment to salt and record, and the digest of the sealed record.
    sealed, plain = extra[:32], extra[32:]
    entry = sha256(b"holdfast audit record 1\n", plain) + sealed
    assert root_of(sha256(b"\x00", entry), index, int(size), path) == base64.b64decode(root), "it is not in the log"

    record = json.loads(plain[32:])
    bundle = "sha256:" + hashlib.sha256(open(bundle_file, "rb").read()).hexdigest()
    assert record["details"]["bundle"] == bundle, "the log has another signature there"
    print(record["action"], "by", record["actor"], "on", record["resource"], "is record", index, "of", size)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:  # pylint: disable=broad-except
        sys.exit(f"not proved: {error or type(error).__name__}")
