"""Server-sent events (WHATWG HTML, section 9.2.6): lines into events, and where to go on after a break."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tilld_client.failures import Lost
from tilld_client.shapes import Event

RESET: Final[Event] = {"id": "", "kind": "reset", "data": {"reason": "unseen"}}
"""Said by this package: the line broke before the first event, so nobody can tell what happened meanwhile."""


def events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Pure. Comments are dropped. Raises Lost for data that is no JSON: this is not the till's stream."""
    identity, kind, data = "", "message", list[str]()
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            if data:
                yield {"id": identity, "kind": kind, "data": _decoded("\n".join(data))}
            kind, data = "message", []
            continue
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            identity = value


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Lost("an event holds no JSON") from None
