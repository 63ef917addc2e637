"""Reads statements as the in-toto framework's own Python library does: the envelope verified by securesystemslib, the
statement and its predicate parsed by in-toto-attestation's protobuf definitions, unknown members refused.

    statements.py PUBLIC.pem FILE...
"""
import json
import sys

from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1 import statement_pb2
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

PREDICATES = {
    "https://slsa.dev/verification_summary/v1": vsa_pb2.VerificationSummary,
    "https://slsa.dev/provenance/v1": provenance_pb2.Provenance,
}


def main(key_file, *files):
    pem = open(key_file, "rb").read()
    for name in files:
        envelope = Envelope.from_dict(json.load(open(name, encoding="utf-8")))
        # The library finds the key by the id that the envelope names.
        key = SSlibKey.from_crypto(load_pem_public_key(pem), keyid=next(iter(envelope.signatures)))
        envelope.verify([key], 1)
        assert envelope.payload_type == "application/vnd.in-toto+json"
        value = json.loads(envelope.payload)
        statement = json_format.ParseDict(value, statement_pb2.Statement())
        Statement.copy_from_pb(statement).validate()
        kind = PREDICATES[statement.predicate_type]
        predicate = dict(value["predicate"])
        if kind is vsa_pb2.VerificationSummary:
            # The library's definitions lack the verifier's version, which SLSA 1.1 added, and have one level where
            # the specification has a list.
            predicate["verifier"] = {"id": predicate["verifier"]["id"]}
            levels = predicate.pop("verifiedLevels")
            assert levels and all(isinstance(level, str) for level in levels), "verifiedLevels is no list of texts"
        json_format.ParseDict(predicate, kind())
        print(f"{name}: {statement.predicate_type} about {len(statement.subject)} file(s)")


if __name__ == "__main__":
    main(*sys.argv[1:])
