#!/usr/bin/env bash
# Bills of materials that holdfast writes, against the CycloneDX 1.6 schema as its Python library has it.
#
#   tests/interop/cyclonedx.sh [BIN-FOLDER]       build/release/bin by default
#
# The library goes into a virtual environment under build/. Exits 77, saying why, where it can't be had.
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
environment=$root/build/venv-cyclonedx
if [[ ! -e $environment/.complete ]]; then
  rm -rf "$environment"
  python3 -m venv "$environment" || skip "python3 can't make a virtual environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check 'cyclonedx-python-lib[json-validation]' ||
    skip "the package index gave no cyclonedx-python-lib"
  touch "$environment/.complete"
fi

cd "$work"
printf 'flask==2.2.0 --hash=sha256:aa\nnumpy>=1\n' >requirements.txt
"$holdfast" bom requirements.txt --out lock.json
"$holdfast" bom "$environment" --out environment.json
# Eight bytes of size, an empty header: the smallest safetensors file.
printf '\x02\0\0\0\0\0\0\0{}' >model.safetensors
digest=$(sha256sum model.safetensors | cut -c1-64)
cat >evaluation.json <<JSON
{"dataset":"sha256:$digest","figures":[
  {"confidence":"0.95","high":"0.9","low":"0.6","method":"Wilson","name":"accuracy","rows":40,"value":"0.75"},
  {"by":"sex","confidence":"0.95","high":"0.2","low":"0.1","method":"bootstrap","name":"equalized_odds_difference",
   "rows":40,"value":"0.15"},
  {"confidence":"0.95","high":"0.6","low":"0.4","method":"Wilson","name":"robust_accuracy","rows":40,"under":"pgd",
   "value":"0.5"}],
 "left_out":[{"by":"sex","group":"other","rows":4}],"minimum_group_rows":100,"model":"sha256:$digest","rows":40,
 "seed":"1","split":"test","threshold":"0.5","version":1}
JSON
"$holdfast" bom model.safetensors --task classification --dataset rows --evidence evaluation.json --out model.json
"$holdfast" bom --self --out self.json
"$environment/bin/python" - self.json lock.json environment.json model.json <<'PYTHON'
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

for name in sys.argv[1:]:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(name).read())
    if error is not None:
        sys.exit(f"{name}: {error}")
    print(f"{name}: valid")
PYTHON
