#!/usr/bin/env bash
# Signs with holdfast and verifies with the Python tool model_signing, and the other way round: keys and certificates,
# folders and single files, shards, links, ignored paths, changed content, and two older releases of the tool.
#
#   tests/interop/model_signing.sh [BIN-FOLDER]       build/release/bin by default
#
# The tool goes into virtual environments under build/. Exits 77, saying why, where it can't be had.
set -euo pipefail
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
holdfast=$(realpath "${1:-$root/build/release/bin}")/holdfast
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "skipped: $1"
  exit 77
}

[[ -x $holdfast ]] || skip "$holdfast is not built"
command -v openssl >/dev/null || skip "the openssl command is not installed"

# environment NAME PACKAGE...: the folder of its programs, in $environment. Before release 1.1 the tool leaves open
# which sigstore it needs; pyOpenSSL it does not name at all.
environment() {
  environment=$root/build/venv-$1/bin
  [[ -e $environment/.complete ]] && return
  rm -rf "${environment%/bin}"
  python3 -m venv "${environment%/bin}" || skip "python3 can't make a virtual environment"
  "$environment/pip" install --quiet --disable-pip-version-check "${@:2}" || skip "the package index gave no ${*:2}"
  touch "$environment/.complete"
}
environment model-signing model-signing pyOpenSSL
newest=$environment
environment model-signing-1.0.1 model-signing==1.0.1 'sigstore<4' pyOpenSSL
older=("$environment")
environment model-signing-0.3.1 model-signing==0.3.1 'sigstore<4' pyOpenSSL
older+=("$environment")
tool=$newest/model_signing

# What the tool's command line does not offer: shards, other digests, and older releases without a network, whose
# command line reaches for Sigstore's service even to sign with a key.
cat >"$work/api.py" <<'PYTHON'
import pathlib, sys
from model_signing import hashing, signing, verifying

verb, artefact, key, bundle, *how = sys.argv[1:]
if verb == "verify":
    verifier = verifying.Config().use_elliptic_key_verifier(public_key=pathlib.Path(key))
    verifier.verify(pathlib.Path(artefact), pathlib.Path(bundle))
else:
    config = hashing.Config()
    if how[:1] == ["shards"]:
        config.use_shard_serialization(shard_size=int(how[1]), hashing_algorithm=how[2])
    elif how[:1] == ["files"]:
        config.use_file_serialization(hashing_algorithm=how[1])
    signer = signing.Config.__new__(signing.Config)
    signer._hashing_config = config
    signer.use_elliptic_key_signer(private_key=pathlib.Path(key))
    signer.sign(pathlib.Path(artefact), pathlib.Path(bundle))
PYTHON

passed=0
failed=0
report() { # report OUTCOME WANTED DESCRIPTION: counts, and shows the output of what went wrong
  if [[ $1 == "$2" ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $3 was $1"
    sed 's/^/    /' "$work/output"
  fi
}
run() { "$@" >"$work/output" 2>&1 && outcome=accepted || outcome=refused; }
accepts() { # accepts DESCRIPTION COMMAND...
  run "${@:2}"
  report "$outcome" accepted "$1"
}
refuses() { # refuses DESCRIPTION COMMAND...
  run "${@:2}"
  report "$outcome" refused "$1"
}

cd "$work"
mkdir -p model/sub/deep model/.git model/empty
printf 'weights' >model/weights.bin
: >model/sub/deep/nothing
for name in sub/a sub-x sub.txt .git/config .gitattributes 'ünï code'; do echo "$name" >"model/$name"; done
head -c 3000000 /dev/urandom >model/sub/large
for bits in 256 384 521; do
  openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:P-$bits" -out "$bits.pem"
  openssl pkey -in "$bits.pem" -pubout -out "$bits.pub"
done

echo "== keys, with $("$tool" --version)"
for bits in 256 384 521; do
  accepts "holdfast signs, P-$bits" "$holdfast" sign model --key "$bits.pem" --out ours.json
  accepts "the tool verifies it, P-$bits" "$tool" verify key model --signature ours.json --public_key "$bits.pub"
  accepts "the tool signs, P-$bits" "$tool" sign key model --private_key "$bits.pem" --signature theirs.json
  accepts "holdfast verifies it, P-$bits" "$holdfast" verify model --bundle theirs.json --key "$bits.pub"
done
refuses "holdfast with another key" "$holdfast" verify model --bundle theirs.json --key 256.pub
refuses "the tool with another key" "$tool" verify key model --signature ours.json --public_key 256.pub

echo "== single files, and bundles inside the artefact"
accepts "holdfast signs a file" "$holdfast" sign model/weights.bin --key 256.pem --out ours.json
accepts "the tool verifies it" "$tool" verify key model/weights.bin --signature ours.json --public_key 256.pub
accepts "the tool signs a file" "$tool" sign key model/weights.bin --private_key 256.pem --signature theirs.json
accepts "holdfast verifies it" "$holdfast" verify model/weights.bin --bundle theirs.json --key 256.pub
accepts "holdfast signs inside" "$holdfast" sign model --key 256.pem --out model/sub/ours.json
accepts "the tool verifies inside" "$tool" verify key model --signature model/sub/ours.json --public_key 256.pub
rm model/sub/ours.json
accepts "the tool signs inside" "$tool" sign key model --private_key 256.pem --signature model/sub/theirs.json
accepts "holdfast verifies inside" "$holdfast" verify model --bundle model/sub/theirs.json --key 256.pub
rm model/sub/theirs.json
accepts "holdfast signs as a version" "$holdfast" sign model --as credit@1.4.0 --key 256.pem --out ours.json
accepts "the tool verifies it" "$tool" verify key model --signature ours.json --public_key 256.pub
accepts "holdfast ignores a folder" "$holdfast" sign model --key 256.pem --out ours.json --ignore sub/deep
accepts "the tool signs without it" "$tool" sign key model --private_key 256.pem --signature theirs.json \
  --ignore-paths model/sub/deep
touch model/sub/deep/new
accepts "the tool lets it change" "$tool" verify key model --signature ours.json --public_key 256.pub
accepts "holdfast lets it change" "$holdfast" verify model --bundle theirs.json --key 256.pub
rm model/sub/deep/new

echo "== shards and other digests"
for how in "shards 1000000 sha256" "shards 7 sha256" "shards 1000000 blake2" "files blake2"; do
  if [[ $how == "shards 7"* ]]; then mv model/sub/large .; fi  # half a million shards say no more than a dozen
  # shellcheck disable=SC2086
  accepts "the tool signs by $how" "$newest/python" api.py sign model 256.pem theirs.json $how
  accepts "holdfast verifies $how" "$holdfast" verify model --bundle theirs.json --key 256.pub
  if [[ -e large ]]; then mv large model/sub/; fi
done
accepts "the tool signs by blake3" "$newest/python" api.py sign model 256.pem theirs.json files blake3
refuses "holdfast has no blake3" "$holdfast" verify model --bundle theirs.json --key 256.pub

echo "== links"
ln -s weights.bin model/link
refuses "holdfast signs no link" "$holdfast" sign model --key 256.pem --out ours.json
refuses "the tool signs no link" "$tool" sign key model --private_key 256.pem --signature theirs.json
accepts "holdfast signs an allowed link" "$holdfast" sign model --key 256.pem --out ours.json --allow-symlinks
accepts "the tool verifies it" "$tool" verify key model --signature ours.json --public_key 256.pub --allow_symlinks
accepts "the tool signs an allowed link" "$tool" sign key model --private_key 256.pem --signature theirs.json \
  --allow_symlinks
accepts "holdfast verifies it" "$holdfast" verify model --bundle theirs.json --key 256.pub
rm model/link

echo "== changed content"
accepts "holdfast signs" "$holdfast" sign model --key 256.pem --out ours.json
accepts "the tool signs" "$tool" sign key model --private_key 256.pem --signature theirs.json
both_refuse() {
  refuses "the tool: $1" "$tool" verify key model --signature ours.json --public_key 256.pub
  refuses "holdfast: $1" "$holdfast" verify model --bundle theirs.json --key 256.pub
}
cp model/weights.bin kept
printf 'x' >>model/weights.bin
both_refuse "a changed file"
mv kept model/weights.bin
touch model/sub/new
both_refuse "a file that is not signed"
rm model/sub/new
mv model/sub.txt kept
both_refuse "a missing file"
mv kept model/sub.txt
python3 - <<'PYTHON'
import base64, json
for name in ("ours.json", "theirs.json"):
    bundle = json.load(open(name))
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).replace(b"sub.txt", b"sub.txs")
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    json.dump(bundle, open(name, "w"))
PYTHON
both_refuse "a changed manifest"

echo "== certificates"
issue() { # issue NAME ISSUER BITS EXTENSIONS
  openssl req -new -key "$3.pem" -subj "/CN=$1" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 30 \
    -extfile <(printf '%b' "$4") -out "$1.crt" 2>/dev/null
}
cp 256.pem root.key
openssl req -x509 -new -key root.key -subj /CN=root -days 30 -out root.crt \
  -addext keyUsage=critical,keyCertSign
cp 384.pem middle.key
issue middle root 384 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n'
issue signer middle 521 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n'
cat signer.crt middle.crt >chain.pem
accepts "holdfast signs" "$holdfast" sign model --key 521.pem --certificates chain.pem --out ours.json
accepts "the tool verifies it" "$tool" verify certificate model --signature ours.json --certificate_chain root.crt
accepts "the tool signs" "$tool" sign certificate model --private_key 521.pem --signing_certificate signer.crt \
  --certificate_chain middle.crt --signature theirs.json
accepts "holdfast verifies it" "$holdfast" verify model --bundle theirs.json --roots root.crt
openssl req -x509 -new -key root.key -subj /CN=other -days 30 -out other.crt
refuses "holdfast under another root" "$holdfast" verify model --bundle theirs.json --roots other.crt
refuses "the tool under another root" "$tool" verify certificate model --signature ours.json \
  --certificate_chain other.crt

echo "== older releases"
rm -r model/.git model/.gitattributes  # which they can't ignore by way of their bundles
for programs in "${older[@]}"; do
  release=$("$programs/pip" show model-signing | sed -n 's/^Version: //p')
  accepts "holdfast signs as a version" "$holdfast" sign model --as credit@1.4.0 --key 256.pem --out ours.json
  accepts "release $release verifies it" "$programs/python" api.py verify model 256.pub ours.json
  accepts "holdfast signs" "$holdfast" sign model --key 256.pem --out ours.json
  accepts "release $release verifies it" "$programs/python" api.py verify model 256.pub ours.json
  accepts "release $release signs" "$programs/python" api.py sign model 256.pem theirs.json
  accepts "holdfast verifies it" "$holdfast" verify model --bundle theirs.json --key 256.pub
done

echo "interoperates with model_signing: $passed passed, $failed failed"
[[ $failed == 0 ]]
