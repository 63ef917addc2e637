"""Sends traffic to the endpoint, as a client of the Open Inference Protocol, and asserts what comes back.

  traffic.py normal N         rows as they are: each must be answered
  traffic.py shifted N        a population in trouble: payments two months late, bills three times as high
  traffic.py malformed        wrong shapes and types, NaN, deep and huge JSON: each must be refused, and named
  traffic.py out-of-range     a credit limit nobody had must be flagged, an unknown code refused
  traffic.py unauthenticated  without a token, and with a false one: 401
  traffic.py denied           with the token of somebody who may not: 403
  traffic.py channels         without TLS, and with TLS 1.2: no connection

Only the standard library is used. The last line of the output is JSON: what was sent and what came back.
"""

import argparse
import collections
import contextlib
import csv
import hashlib
import hmac
import http.client
import io
import json
import pathlib
import socket
import ssl
import struct
import sys
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
TEST_FROM = 8_500  # of 10 000: where the test part begins, as src/data/split.h has it
CLOSED = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)  # by the server, before it had read all
TIMEOUT = 30  # seconds, of any one answer
MAX_WAITS = 100  # for one request, where the server says that there are too many
DEEP = 10_000
HUGE_BYTES = 8 << 20


class Wrong(Exception):
    """Something came back that must not."""


def is_held_out(digest, index):
    """Whether a row of the data set with this SHA-256 is in the part that no model is trained on."""
    code = hmac.new(digest, b"holdfast split v1" + struct.pack("<Q", index), hashlib.sha256).digest()
    return struct.unpack("<Q", code[:8])[0] * 10_000 >> 64 >= TEST_FROM


class Rows:
    """The features of the task, in its order, of the rows that are held out."""

    def __init__(self):
        with open(HERE / "credit.toml", "rb") as file:
            self.names = tomllib.load(file)["task"]["features"]
        content = (HERE / "credit.csv").read_bytes()
        digest = hashlib.sha256(content).digest()
        table = csv.DictReader(io.StringIO(content.decode(), newline=""))
        self.rows = [
            [float(row[name]) for name in self.names]
            for index, row in enumerate(table)
            if is_held_out(digest, index)
        ]

    def at(self, index):
        return list(self.rows[index % len(self.rows)])

    def shifted(self, index):
        """What a recession could look like: everybody two months late, and bills three times as high."""
        row = self.at(index)
        for column, name in enumerate(self.names):
            if name.startswith("PAY_") and not name.startswith("PAY_AMT"):
                row[column] = 2.0
            elif name.startswith("BILL_AMT"):
                row[column] = float(round(3 * row[column]))
        return row

    def with_value(self, index, name, value):
        row = self.at(index)
        row[self.names.index(name)] = value
        return row


class Client:
    """One connection that is kept alive, to one endpoint."""

    def __init__(self, options):
        self.options = options
        self.path = f"/v2/models/{options.endpoint}/infer"
        self.context = ssl.create_default_context(cafile=options.ca)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.connection = None

    def connect(self):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                self.options.host, self.options.port, context=self.context, timeout=TIMEOUT
            )
        return self.connection

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def post(self, body, token):
        """Status, headers and parsed body. Status 0 where the server closed the connection instead."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        connection = self.connect()
        # The server may refuse a body before it has read all of it: its answer is there to be read.
        with contextlib.suppress(*CLOSED):
            connection.request("POST", self.path, body, headers)
        try:
            response = connection.getresponse()
            content = response.read()
        except (*CLOSED, http.client.RemoteDisconnected, http.client.ResponseNotReady):
            self.close()
            return 0, {}, {}
        if response.will_close:
            self.close()
        try:
            parsed = json.loads(content)
        except ValueError:
            raise Wrong(f"an answer with status {response.status} is no JSON: {content[:200]!r}") from None
        return response.status, response.headers, parsed

    def infer(self, rows, token):
        """As post(), with rows, waiting where the server asks for it."""
        body = json.dumps(request_of(rows, len(rows[0])))
        for _ in range(MAX_WAITS):
            status, headers, answer = self.post(body, token)
            if status != 429:
                return status, headers, answer
            time.sleep(min(float(headers.get("Retry-After", "1")), 5))
        raise Wrong(f"still too many requests after {MAX_WAITS} waits")


def request_of(rows, columns):
    data = [value for row in rows for value in row]
    return {"inputs": [{"name": "input", "shape": [len(rows), columns], "datatype": "FP32", "data": data}]}


def expect(condition, message):
    if not condition:
        raise Wrong(message)


def check_answer(answer, rows):
    """One pair of probabilities for each row."""
    outputs = {output["name"]: output for output in answer["outputs"]}
    expect("probabilities" in outputs, f"no probabilities in {sorted(outputs)}")
    output = outputs["probabilities"]
    expect(output["shape"] == [rows, 2], f"probabilities of shape {output['shape']} for {rows} rows")
    expect(all(0 <= value <= 1 for value in output["data"]), "a probability outside of 0 to 1")
    expect(answer["parameters"]["prediction_id"], "an answer without a prediction id")


def send_rows(client, token, options, row_at):
    """Up to `options.count` rows, some in each request, until the file appears that says to stop."""
    seen = {"sent": 0, "rows": 0, "flagged": 0, "versions": collections.Counter()}
    index = options.start
    while seen["rows"] < options.count and not (options.until and options.until.exists()):
        size = min(options.rows_per_request, options.count - seen["rows"])
        status, _, answer = client.infer([row_at(index + i) for i in range(size)], token)
        expect(status == 200, f"row {index}: expected an answer, got status {status}: {answer}")
        check_answer(answer, size)
        index += size
        seen["sent"] += 1
        seen["rows"] += size
        seen["flagged"] += "flags" in answer["parameters"]
        seen["versions"][str(answer["model_version"])] += 1
        if options.ready and seen["sent"] == 1:
            options.ready.touch()
    expect(seen["rows"] > 0, "no row was sent")
    return seen


def malformed_bodies(rows):
    """What is wrong, the body, and the statuses that may answer it."""
    row = rows.at(0)
    good = request_of([row], len(row))
    renamed = json.loads(json.dumps(good))
    renamed["inputs"][0]["name"] = "imput"
    typed = json.loads(json.dumps(good))
    typed["inputs"][0]["datatype"] = "BYTES"
    text = json.dumps(good)
    return [
        ("no JSON", "inputs: none", (400,)),
        ("cut short", text[:-3], (400,)),
        ("a row of 19 columns", json.dumps(request_of([row[:-1]], len(row) - 1)), (400, 422)),
        ("a shape that its data do not fit", json.dumps(request_of([row], len(row) + 1)), (400,)),
        ("a negative shape", text.replace("[1, ", "[-1, ", 1), (400,)),
        ("another input's name", json.dumps(renamed), (400,)),
        ("another type", json.dumps(typed), (400,)),
        ("a text for a number", text.replace(str(row[0]), '"many"', 1), (400,)),
        ("NaN", text.replace(str(row[0]), "NaN", 1), (400,)),
        ("a missing value", text.replace(str(row[0]), "null", 1), (400, 422)),
        ("a number that is not finite", text.replace(str(row[0]), "1e999", 1), (400, 422)),
        ("lists nested ten thousand deep", '{"inputs":' + "[" * DEEP + "]" * DEEP + "}", (400,)),
        ("eight megabytes", '{"inputs":[' + " " * HUGE_BYTES + "]}", (413, 0)),
        ("one member twice", '{"inputs":[],' + text[1:], (400,)),
    ]


def send_malformed(client, token, rows):
    refused = {}
    for what, body, statuses in malformed_bodies(rows):
        status, _, answer = client.post(body, token)
        expect(status in statuses, f"{what}: expected {statuses}, got {status}: {answer}")
        expect(status == 0 or answer.get("error"), f"{what}: refused without a reason")
        refused[what] = status
    status, _, answer = client.infer([rows.at(0)], token)
    expect(status == 200, f"after all that a good request got {status}: {answer}")
    return {"refused": refused}


def send_out_of_range(client, token, rows):
    status, _, answer = client.infer([rows.with_value(0, "LIMIT_BAL", 1e9)], token)
    flagged = status == 200 and "LIMIT_BAL" in answer["parameters"].get("flags", "")
    refused = status == 422 and "LIMIT_BAL" in answer.get("error", "")
    expect(flagged or refused, f"a limit of a billion was not seen: {status} {answer}")
    seen = {"a limit of a billion": "flagged" if flagged else "refused"}
    status, _, answer = client.infer([rows.with_value(0, "EDUCATION", 99.0)], token)
    named = "EDUCATION" in answer.get("error", "") or (
        status == 200 and "EDUCATION" in answer["parameters"].get("flags", "")
    )
    expect(status in (200, 422) and named, f"an unknown education was not seen: {status} {answer}")
    seen["an unknown education"] = "flagged" if status == 200 else "refused"
    return seen


def send_without_identity(client, rows):
    for token in ("", "hft_" + "A" * 43):
        status, headers, answer = client.infer([rows.at(0)], token)
        expect(status == 401, f"expected 401, got {status}: {answer}")
        expect("Bearer" in headers.get("WWW-Authenticate", ""), "a 401 that does not say how to sign in")
    return {"refused": 2}


def send_denied(client, token, rows):
    status, _, answer = client.infer([rows.at(0)], token)
    expect(status == 403, f"expected 403, got {status}: {answer}")
    return {"refused": 1, "reason": answer.get("error", "")}


def try_plaintext(options):
    """Whether the server gives anything but an end of the connection to a request without TLS."""
    with socket.create_connection((options.host, options.port), timeout=TIMEOUT) as raw:
        try:
            raw.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = raw.recv(4096)
        except ConnectionResetError:
            answer = b""
    return answer.startswith(b"HTTP/") and b" 200 " in answer.split(b"\r\n")[0]


def try_old_tls(options):
    context = ssl.create_default_context(cafile=options.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection((options.host, options.port), timeout=TIMEOUT) as raw:
        try:
            with context.wrap_socket(raw, server_hostname=options.host):
                return True
        except (ssl.SSLError, ConnectionResetError):
            return False


def try_channels(options):
    expect(not try_plaintext(options), "the server answered without TLS")
    expect(not try_old_tls(options), "the server took TLS 1.2")
    return {"plaintext": "refused", "TLS 1.2": "refused"}


def run(options):
    if options.mode == "channels":
        return try_channels(options)
    rows = Rows()
    client = Client(options)
    token = options.token_file.read_text().strip() if options.token_file else ""
    try:
        if options.mode in ("normal", "shifted"):
            return send_rows(client, token, options, rows.at if options.mode == "normal" else rows.shifted)
        if options.mode == "malformed":
            return send_malformed(client, token, rows)
        if options.mode == "out-of-range":
            return send_out_of_range(client, token, rows)
        if options.mode == "unauthenticated":
            return send_without_identity(client, rows)
        return send_denied(client, token, rows)
    finally:
        client.close()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    modes = ["normal", "shifted", "malformed", "out-of-range", "unauthenticated", "denied", "channels"]
    parser.add_argument("mode", choices=modes)
    parser.add_argument("count", type=int, nargs="?", default=0, help="rows, for normal and shifted")
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--endpoint", default="credit")
    parser.add_argument("--ca", required=True, help="the authority's certificate: ca.pem of the state folder")
    parser.add_argument("--token-file", type=pathlib.Path)
    parser.add_argument("--start", type=int, default=0, help="the first row, counted in the held-out ones")
    parser.add_argument("--rows-per-request", type=int, default=1)
    parser.add_argument("--until", type=pathlib.Path, help="stop once this file is there")
    parser.add_argument("--ready", type=pathlib.Path, help="make this file after the first answer")
    options = parser.parse_args()
    if options.mode in ("normal", "shifted") and options.count < 1:
        parser.error(f"{options.mode} takes a count of rows")
    if options.mode in ("normal", "shifted", "malformed", "out-of-range", "denied") and not options.token_file:
        parser.error(f"{options.mode} takes a --token-file")
    try:
        seen = run(options)
    except (Wrong, OSError, ssl.SSLError) as error:
        sys.exit(f"traffic.py {options.mode}: {error}")
    print(json.dumps({"mode": options.mode, **seen}))


if __name__ == "__main__":
    main()
