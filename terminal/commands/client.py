"""Asks the running till through its Unix socket: one request, one answer, or a stream of events."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from drivers.local_socket import short_path

TIME_S: Final = 15.0
SILENCE_S: Final = 60.0
"""The till sends a comment every 15 s, so a longer silence is a dead till."""


class NotRunning(Exception):
    """No till answers at this socket."""


@dataclass(frozen=True)
class Reply:
    """`body` is decoded JSON, or None when there was none."""

    status: int
    body: Any


@dataclass(frozen=True)
class Happening:
    """One event of the stream."""

    id: str
    kind: str
    data: Any


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, time_s: float) -> None:
        super().__init__("tilld", timeout=time_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with short_path(self._path) as short:
            self.sock.connect(short)


def ask(path: Path, method: str, target: str, body: object = None, time_s: float = TIME_S) -> Reply:
    """Raises NotRunning when nobody listens at `path` or the answer does not come."""
    connection = _SocketConnection(path, time_s)
    data = None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, target, data, {"Content-Type": "application/json"} if data else {})
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise NotRunning(_reason(error)) from error
    finally:
        connection.close()
    return Reply(answer.status, json.loads(text) if text else None)


def _reason(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) else str(error)
    return words or type(error).__name__


@contextmanager
def watching(path: Path, last_id: str | None = None) -> Iterator[Iterator[Happening]]:
    """Events as they happen; inside, nothing that happens is missed.

    Raises NotRunning, also from the events, when the till does not run or falls silent.
    """
    connection = _SocketConnection(path, SILENCE_S)
    try:
        connection.request("GET", "/v1/events", headers={"Last-Event-ID": last_id} if last_id else {})
        answer = connection.getresponse()
        answer.readline()  # sent as soon as the till listens to itself for us
        yield happenings(iter(answer.readline, b""))
    except (OSError, http.client.HTTPException) as error:
        raise NotRunning(_reason(error)) from error
    finally:
        connection.close()


def watch(path: Path, last_id: str | None = None) -> Iterator[Happening]:
    """Events as they happen, until the till stops. Raises NotRunning when it does not run or falls silent."""
    with watching(path, last_id) as events:
        yield from events


def happenings(lines: Iterator[bytes]) -> Iterator[Happening]:
    """Pure: the lines of a server-sent event stream (WHATWG HTML, section 9.2.6) into events; comments are dropped."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields and not line.strip():
            yield Happening(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
        if not line.strip():
            fields = {}
