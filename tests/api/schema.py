"""Holds answers against the OpenAPI document: the JSON Schema words that msgspec writes, and no others."""

import json
import re
from typing import Any

from terminal.api.openapi import document
from terminal.api.table import ROUTES

KINDS: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}


class Checked:
    """Asserts that an answer is one that the document promises."""

    def __init__(self) -> None:
        self.document = document(ROUTES, "0.1.0")

    def answer(self, method: str, path: str, status: int, media_type: str, body: bytes) -> None:
        operation = self._operation(method, path.partition("?")[0])
        if operation is None:
            return
        promised = operation["responses"][str(status)].get("content", {})
        kind = media_type.partition(";")[0]
        if "json" not in kind:
            return
        assert kind in promised, f"{kind} is not promised for {status} of {method} {path}"
        assert_fits(json.loads(body), promised[kind]["schema"], self.document)

    def _operation(self, method: str, path: str) -> Any:
        for template, operations in self.document["paths"].items():
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                return operations.get(method.lower())
        return None


def assert_fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> None:
    problem = misfit(value, schema, root)
    assert problem is None, problem


def misfit(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> str | None:
    """What does not fit, or None."""
    if "$ref" in schema:
        return misfit(value, root["components"]["schemas"][schema["$ref"].rpartition("/")[2]], root, at)
    if "anyOf" in schema:
        if any(misfit(value, choice, root, at) is None for choice in schema["anyOf"]):
            return None
        return f"{at}: {value!r} fits none of {schema['anyOf']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{at}: {value!r} is none of {schema['enum']}"
    if (kind := schema.get("type")) and not of_kind(value, kind):
        return f"{at}: {value!r} is no {kind}"
    if isinstance(value, dict):
        return misfit_object(value, schema, root, at)
    if isinstance(value, list):
        problems = (misfit(item, schema.get("items", {}), root, f"{at}[{n}]") for n, item in enumerate(value))
        return next((problem for problem in problems if problem), None)
    return None


def misfit_object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> str | None:
    missing = set(schema.get("required", [])) - value.keys()
    if missing:
        return f"{at}: without {sorted(missing)}"
    properties = schema.get("properties", {})
    if properties and (unknown := value.keys() - properties.keys()):
        return f"{at}: {sorted(unknown)} are not described"
    problems = (misfit(value[name], properties.get(name, {}), root, f"{at}.{name}") for name in value)
    return next((problem for problem in problems if problem), None)


def of_kind(value: Any, kind: str) -> bool:
    if kind in {"integer", "number"}:
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])
