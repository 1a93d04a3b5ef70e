"""The OpenAPI 3.1 document, made from the same table as the application."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from terminal.api.callers import Caller
from terminal.api.problems import PROBLEMS, TYPE, Problem
from terminal.api.routes import JSON, Answer, Parameter, Route
from terminal.wording import schema_hook

_REF: Final = "#/components/schemas/{name}"
_SECURITY: Final[dict[Caller, list[dict[str, list[str]]]]] = {
    Caller.ANYONE: [],
    Caller.PAGE: [{"token": []}, {"page": []}, {"technician": []}],
    Caller.POS: [{"token": []}, {"technician": []}],
    Caller.TECHNICIAN: [{"token": []}, {"technician": []}],
}
_ANYWHERE: Final = (
    *("host_refused", "cross_site", "malformed", "media_type", "too_large"),
    *("unauthorized", "too_many_attempts", "internal"),
)
"""The guard and the last resort say these whatever the route, and 503 `busy` beside them.

A wrong token is told even where none is needed.
"""
_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "The content of pos.token in the state folder."},
    "page": {
        "type": "apiKey",
        "in": "cookie",
        "name": "tilld_page",
        "description": "The page's own session: reading only, card numbers masked.",
    },
    "technician": {
        "type": "apiKey",
        "in": "cookie",
        "name": "tilld_technician",
        "description": "The technician's page: card numbers masked; what acts needs the page's own Origin too.",
    },
}


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Plain data; the paths in the order of the table."""
    shapes = list(dict.fromkeys(_shapes(routes)))
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REF, schema_hook=schema_hook)
    schema_of = dict(zip(shapes, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tilld",
            "version": version,
            "description": "The till's API for POS programs. docs/api.md walks through it. Words for people are in the"
            " language of Accept-Language, English or French, else in the till's own.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8780"}],
        "paths": paths,
        "components": {"schemas": dict(sorted(components.items())), "securitySchemes": _SCHEMES},
    }


def _shapes(routes: Sequence[Route]) -> Iterator[Any]:
    yield Problem
    for route in routes:
        if route.body is not None:
            yield route.body
        yield from (answer.shape for answer in route.answers.values() if answer.shape is not None)


def _operation(route: Route, schema_of: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "security": _SECURITY[route.caller],
    }
    if route.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in route.parameters]
    if route.body is not None:
        content = {JSON: {"schema": schema_of[route.body]}}
        operation["requestBody"] = {"required": route.body_required, "content": content}
    answers = {str(status): _answer(answer, schema_of) for status, answer in route.answers.items()}
    operation["responses"] = dict(sorted({**answers, **_refusals(route, schema_of[Problem])}.items()))
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.detail,
        "schema": parameter.schema,
    }


def _answer(answer: Answer, schema_of: dict[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.detail}
    if answer.shape is not None:
        described["content"] = {answer.media_type: {"schema": schema_of[answer.shape]}}
    elif answer.media_type != JSON:
        described["content"] = {answer.media_type: {"schema": {"type": "string"}}}
    if answer.headers:
        described["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in answer.headers.items()
        }
    return described


def _refusals(route: Route, problem: dict[str, Any]) -> dict[str, Any]:
    """One answer a status; its codes are named, for they are what a program goes by."""
    codes: dict[int, list[str]] = {}
    for code in (*route.refusals, *_ANYWHERE):
        codes.setdefault(PROBLEMS[code][0], []).append(code)
    codes.setdefault(503, []).append("busy")
    return {
        str(status): {
            "description": " or ".join(f"`{code}`" for code in dict.fromkeys(of_status)),
            "content": {TYPE: {"schema": problem}},
        }
        for status, of_status in codes.items()
    }
