#!/usr/bin/env bash
# What holdfast states of artefacts, read by the tools of others: in-toto's Python library with securesystemslib for the
# statements, and for the proof of the log a script that knows no more than hashlib and cryptography.
#
#   tests/interop/statements.sh [BIN-FOLDER]       build/release/bin by default
#
# The libraries go into a virtual environment under build/. Exits 77, saying why, where they can't be had.
set -euo pipefail
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
holdfast=$(realpath "${1:-$root/build/release/bin}")/holdfast
work=$(mktemp -d)
server=
finish() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

skip() {
  echo "skipped: $1"
  exit 77
}

[[ -x $holdfast ]] || skip "$holdfast is not built"
environment=$root/build/venv-statements
if [[ ! -e $environment/.complete ]]; then
  rm -rf "$environment"
  python3 -m venv "$environment" || skip "python3 can't make a virtual environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check in-toto-attestation 'securesystemslib[crypto]' ||
    skip "the package index gave no in-toto-attestation or securesystemslib"
  touch "$environment/.complete"
fi
python=$environment/bin/python

cd "$work"
export HOME=$work XDG_CONFIG_HOME= XDG_STATE_HOME=
"$holdfast" keygen sign -o key.pem >/dev/null
mkdir model
printf '\x02\0\0\0\0\0\0\0{}' >model/weights.safetensors
echo '{}' >model/config.json
"$holdfast" inspect model --attest passed.json --key key.pem >/dev/null
printf 'cos\nsystem\n(S"id"\ntR.' >bad.pkl
"$holdfast" inspect bad.pkl --attest failed.json --key key.pem >/dev/null && exit 1
"$holdfast" seal -r "$("$holdfast" keygen seal -o identity.txt)" -o model.age model/config.json \
  --attest sealed.json --key key.pem
"$python" "$root/tests/interop/statements.py" key.pem.pub passed.json failed.json sealed.json

echo "== the proof of the log"
touch said
"$holdfast" --state state serve --port 0 >said 2>&1 &
server=$!
grep -m1 -q 'listening on' <(tail --pid=$server -f said) || {
  cat said
  exit 1
}
for version in 1 2 3; do
  "$holdfast" --state state sign model --as "credit@$version" --key key.pem --out "$version.sig" \
    --log-proof "$version.tlog-proof" --log-key-out log.vkey
done
for version in 1 2 3; do
  "$python" "$root/tests/interop/tlog_proof.py" "$version.tlog-proof" log.vkey "$version.sig"
  "$holdfast" verify model --bundle "$version.sig" --key key.pem.pub --proof "$version.tlog-proof" --log-key log.vkey
done
if "$python" "$root/tests/interop/tlog_proof.py" 1.tlog-proof log.vkey 2.sig; then exit 1; fi
sed 's/^index 1*\(.\)/index 1\1/' 1.tlog-proof >wrong.tlog-proof
if "$python" "$root/tests/interop/tlog_proof.py" wrong.tlog-proof log.vkey 1.sig; then exit 1; fi
"$holdfast" verify model --bundle 1.sig --key key.pem.pub --proof wrong.tlog-proof --log-key log.vkey && exit 1
echo "both agree"
