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
"$holdfast" bom model.safetensors --task classification --dataset rows --out model.json
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
