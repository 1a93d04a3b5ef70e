#!/usr/bin/env bash
# Compiles pyproject.toml into pinned and hashed requirements for every supported Python.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=$(mktemp -d)
trap 'rm -rf "$tool"' EXIT
.venv/bin/python -m venv "$tool"
"$tool/bin/pip" -q install uv
compile() { "$tool/bin/uv" -q pip compile --universal --python-version 3.11 --generate-hashes --no-header "$@"; }
compile --group build -o requirements/build.txt
compile pyproject.toml --all-extras -o requirements/runtime.txt
compile pyproject.toml --all-extras --group test --group check --group bench -c requirements/runtime.txt -o requirements/dev.txt
