"""Receives alerts:  webhook.py --secret-file FILE --out FILE --port-file FILE [--messages N]

Listens on a free port of 127.0.0.1, which it writes to the port file, and believes only messages whose signature and
time hold (docs/alerts.md). Each one that it believes becomes a line of JSON in the out file; one that it has seen
already is answered and not written again. With --messages it ends after so many.
"""

import argparse
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import sys
import time

MAX_BODY = 1 << 20
MAX_AGE = 300  # seconds


def genuine(secret, headers, body):
    stamp = headers.get("X-Holdfast-Timestamp", "")
    code = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    signed = hmac.compare_digest("sha256=" + code, headers.get("X-Holdfast-Signature-256", ""))
    return signed and stamp.isdigit() and abs(time.time() - int(stamp)) < MAX_AGE


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > MAX_BODY:
            return self.answer(413)
        body = self.rfile.read(length)
        if not genuine(self.server.secret, self.headers, body):
            self.server.refused += 1
            return self.answer(401)
        delivery = self.headers["X-Holdfast-Delivery"]
        if delivery not in self.server.seen:
            self.server.seen.add(delivery)
            with open(self.server.out, "a", encoding="utf-8") as out:
                out.write(json.dumps(json.loads(body), sort_keys=True) + "\n")
                out.flush()
                os.fsync(out.fileno())
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--secret-file", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--port-file", type=pathlib.Path, required=True)
    parser.add_argument("--messages", type=int, default=0)
    options = parser.parse_args()
    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    server.secret = options.secret_file.read_bytes().rstrip(b"\n")
    server.out = options.out
    server.seen = set()
    server.refused = 0
    options.out.touch()
    written = options.port_file.with_suffix(".new")
    written.write_text(f"{server.server_address[1]}\n")
    written.rename(options.port_file)
    while not options.messages or len(server.seen) < options.messages:
        server.handle_request()
    if server.refused:
        sys.exit(f"webhook.py: refused {server.refused} messages whose signature did not hold")


if __name__ == "__main__":
    main()
