"""The browser's client: types fresh from the till's document, strictly checked sources, and pure rules."""

from pathlib import Path

from tests.clients.node import BROWSER, GENERATOR, ROOT, TSC, needs_node, node

pytestmark = needs_node

HERE = Path(__file__).resolve().parent


def test_the_generated_types_are_fresh(tmp_path: Path) -> None:
    """After a change of the API: `make api-types`."""
    fresh = tmp_path / "api.ts"
    node(GENERATOR, ROOT / "docs" / "openapi.json", "--default-non-nullable=false", "-o", fresh)
    assert (BROWSER / "src" / "api.ts").read_text() == fresh.read_text(), "run: make api-types"


def test_client_and_example_pass_the_strict_compiler() -> None:
    """With every check that TypeScript has under `strict`, and against the generated types."""
    node(TSC, "-p", BROWSER, "--noEmit")


def test_the_rules_hold_in_node() -> None:
    """Answers, pauses, events and pending requests, looked at one by one (Node's own test runner)."""
    node("--test", "--test-reporter=tap", HERE / "rules.test.ts")
