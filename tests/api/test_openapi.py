"""The document, the code and what is served say the same."""

import json
import re
from pathlib import Path
from typing import Any

from terminal.api.openapi import document
from terminal.api.problems import PROBLEMS
from terminal.api.table import ROUTES
from tests.api.conftest import Api
from tests.api.schema import misfit

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
VERSION = "0.1.0"


def test_the_committed_document_is_the_codes() -> None:
    """After a change of the API write it anew: see docs/decisions/0007-api.md."""
    assert json.loads(COMMITTED.read_text()) == document(ROUTES, VERSION)


def test_the_served_document_is_the_committed_one(api: Api) -> None:
    """A POS programmer may generate a client from the till itself."""
    assert api.ask("GET", "/openapi.json", token=None).json == json.loads(COMMITTED.read_text())


def test_every_route_is_described_and_every_description_is_a_route(api: Api) -> None:
    """A path of the document answers something else than 404 `not_found` for the address, any other does not."""
    described = document(ROUTES, VERSION)["paths"]
    assert {(path, method) for path in described for method in described[path]} == {
        (route.path, route.method.lower()) for route in ROUTES
    }
    for path, operations in described.items():
        refused = api.ask("PATCH", re.sub(r"{\w+}", "x", path))
        assert refused.status == 405, (path, operations.keys())


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*map(references, node.values()))
    if isinstance(node, list):
        return set().union(*map(references, node))
    return set()


def test_the_document_is_whole() -> None:
    """Every reference leads somewhere, every path parameter is declared, every operation has its own id."""
    described = document(ROUTES, VERSION)
    schemas = described["components"]["schemas"]
    assert {reference.rpartition("/")[2] for reference in references(described)} == schemas.keys()
    operations = [(path, each) for path, by_method in described["paths"].items() for each in by_method.values()]
    for path, operation in operations:
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)


def test_every_refusal_is_known() -> None:
    """A route names codes of the table, so a POS finds each of them explained once."""
    assert {code for route in ROUTES for code in route.refusals} <= PROBLEMS.keys()


def test_the_checker_of_answers_finds_what_does_not_fit() -> None:
    """The tests' own schema check can fail: wrong types, missing and unknown fields are found."""
    root = document(ROUTES, VERSION)
    due = {"$ref": "#/components/schemas/Due"}
    assert misfit({"due": 1}, due, root) is None
    assert misfit({"due": "1"}, due, root)
    assert misfit({}, due, root)
    assert misfit({"due": 1, "more": 2}, due, root)
