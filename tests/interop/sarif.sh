#!/usr/bin/env bash
# What `holdfast inspect` and `holdfast advisories check` write with `--format sarif`, under the SARIF SDK's own validator: its schema and its rules.
#
#   tests/interop/sarif.sh [BIN-FOLDER]       build/release/bin by default
#
# The validator comes from npm into build/npm. Exits 77, saying why, where it can't be had.
set -euo pipefail
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
bin=$(realpath "${1:-$root/build/release/bin}")
version=5.7.0
folder=$root/build/npm/sarif-multitool-$version
validator=$folder/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "skipped: $1"
  exit 77
}

[[ $(uname -m) == x86_64 ]] || skip "the validator is for x86_64 alone"
if [[ ! -x $validator ]]; then
  command -v npm >/dev/null || skip "npm is not installed"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    "@microsoft/sarif-multitool-linux@$version" || skip "npm gave no SARIF validator"
  chmod +x "$validator"
fi

cd "$work"
python3 - <<'PY'
import os, pickle, zipfile
class Hostile:
    def __reduce__(self): return os.system, ("true",)
os.mkdir("models with spaces")
with open("models with spaces/é.pkl", "wb") as file:
    pickle.dump({"weights": Hostile()}, file)
with zipfile.ZipFile("models with spaces/nested.zip", "w") as archive:
    archive.writestr("inner/data.pkl", pickle.dumps(Hostile()))
with open("models with spaces/unknown", "wb") as file:
    file.write(b"\x01\x02\x03")
PY
status=0
"$bin/holdfast" inspect "models with spaces" "$work/models with spaces/nested.zip" --format sarif \
  --write-dismissals set-aside.json --reason "they are made for this test" --reviewer tester --until 2999-01-01 \
  >found.sarif || status=$?
[[ $status == 1 ]] || { echo "expected findings, got exit code $status"; exit 1; }
status=0
"$bin/holdfast" inspect "models with spaces" --format sarif --dismissals set-aside.json >aside.sarif || status=$?
[[ $status == 2 ]] || { echo "expected that what can't be looked at stays, got exit code $status"; exit 1; }
grep -q '"suppressions"' aside.sarif

python3 - <<'PY'
import json, zipfile
advisory = {"id": "GHSA-a", "modified": "2026-01-01T00:00:00Z", "affected": [
    {"package": {"ecosystem": "PyPI", "name": "flask"}, "versions": ["2.2.0"]}]}
with zipfile.ZipFile("all.zip", "w") as archive:
    archive.writestr("GHSA-a.json", json.dumps(advisory))
with open("models with spaces/requirements.txt", "w") as file:
    file.write("flask==2.2.0\n")
PY
"$bin/holdfast" advisories import all.zip --index osv.index >/dev/null
status=0
"$bin/holdfast" advisories check "$work/models with spaces" --index osv.index --format sarif >advisories.sarif ||
  status=$?
[[ $status == 1 ]] || { echo "expected an advisory, got exit code $status"; exit 1; }
grep -q 'models%20with%20spaces/requirements.txt' advisories.sarif

export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_BUNDLE_EXTRACT_BASE_DIR=$work/dotnet
for file in found.sarif aside.sarif advisories.sarif; do
  "$validator" validate "$work/$file" --output "$work/$file.said" --log ForceOverwrite >"$work/said" 2>&1 || {
    cat "$work/said"
    exit 1
  }
  # Warnings are advice, such as that a tool should have a home page.
  ! grep -E ': error ' "$work/said"
  grep -q 'Analysis completed successfully' "$work/said"
done
echo "the reports hold"
