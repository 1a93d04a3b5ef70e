"""Node as the tests use it: the TypeScript compiler, the generator of types, and the client itself."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSER = ROOT / "clients" / "browser"
NODE = ROOT / ".venv" / "bin" / "node"
MODULES = ROOT / "tests" / "node" / "node_modules"
TSC = MODULES / "typescript" / "bin" / "tsc"
GENERATOR = MODULES / "openapi-typescript" / "bin" / "cli.js"

needs_node = pytest.mark.skipif(
    not (NODE.exists() and MODULES.exists()), reason="no Node or no JavaScript packages: make setup-dev installs them"
)


def node(*arguments: str | Path, stdin: str = "") -> str:
    """What a run says. Raises AssertionError with everything that it said when it fails."""
    command = [str(NODE), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
