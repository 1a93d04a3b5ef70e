"""The line to the till: its Unix socket, or HTTP with a token. One request, one answer; nothing is repeated here."""

import http.client
import json
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tilld_client.failures import Lost

MAX_ANSWER: Final = 8 * 1024 * 1024
MAX_LINE: Final = 1024 * 1024
LONGEST_PATH: Final = 107
SILENCE_S: Final = 60.0
"""The till sends a comment every 15 s, so a longer silence is a dead line."""


@dataclass(frozen=True)
class Reply:
    """`body` is decoded JSON, None when there was none; `headers` by their lower-case names."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """Where the till is. `token` is needed unless `path` names its socket, whose file says who may ask.

    `language` is that of its sentences for people, `fr` or `en` (or any Accept-Language); None leaves it to the till.
    """

    host: str = "tilld"
    port: int | None = None
    path: Path | None = None
    token: str | None = None
    tls: bool = False
    language: str | None = None

    @classmethod
    def of_url(cls, url: str, token: str, language: str | None = None) -> "Place":
        """Raises ValueError for plain HTTP to another machine: the token would travel in the clear."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{url!r} is not http://HOST:PORT or https://HOST:PORT.")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError(f"{url!r}: the token would travel in the clear; use https, or this machine's own till.")
        return cls(parts.hostname, parts.port, None, token, parts.scheme == "https", language)

    @classmethod
    def on_socket(cls, path: Path, language: str | None = None) -> "Place":
        """Raises ValueError for a path that the kernel does not take (unix(7): 107 bytes)."""
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise ValueError(f"{path} is too long for a socket: at most {LONGEST_PATH} bytes.")
        return cls(path=path, language=language)

    def connection(self, time_s: float) -> http.client.HTTPConnection:
        if self.path is not None:
            return _SocketConnection(self.path, time_s)
        if self.tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self.host, self.port, timeout=time_s, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=time_s)

    def headers(self) -> dict[str, str]:
        wished = {} if self.language is None else {"Accept-Language": self.language}
        return wished if self.token is None else {"Authorization": f"Bearer {self.token}", **wished}


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, time_s: float) -> None:
        super().__init__("tilld", timeout=time_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Line:
    """One keep-alive connection, made when it is needed; for one thread at a time."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, target: str, body: Any, headers: Mapping[str, str], time_s: float) -> Reply:
        """Raises Lost: whether the till has heard is not known then."""
        if self._connection is None:
            self._connection = self.place.connection(time_s)
        data = None if body is None else json.dumps(body).encode()
        kind = {} if data is None else {"Content-Type": "application/json"}
        try:
            if self._connection.sock is not None:
                self._connection.sock.settimeout(time_s)
            self._connection.request(method, target, data, {**self.place.headers(), **kind, **headers})
            return _reply(self._connection.getresponse())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Lost(_words(error)) from error

    @contextmanager
    def stream(self, target: str, headers: Mapping[str, str]) -> Iterator[tuple[Reply, Iterator[bytes]]]:
        """A connection of its own: the answer's head (with the body of a refusal), and its lines as they come."""
        connection = self.place.connection(SILENCE_S)
        try:
            connection.request("GET", target, headers={**self.place.headers(), **headers})
            answer = connection.getresponse()
            streams = answer.status == 200 and answer.headers.get_content_type() == "text/event-stream"
            head = Reply(200, None, {}) if streams else _reply(answer)
            yield head, _lines(answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Lost(_words(error)) from error
        finally:
            connection.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _lines(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while line := answer.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise ValueError("a line of the stream is too long")
        yield line


def _reply(answer: http.client.HTTPResponse) -> Reply:
    """Raises ValueError for what is no JSON: a portal or a proxy answered, not the till."""
    text = answer.read(MAX_ANSWER + 1)
    if len(text) > MAX_ANSWER:
        raise ValueError("the answer is too long")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if not text:
        return Reply(answer.status, None, headers)
    try:
        return Reply(answer.status, json.loads(text), headers)
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None


def _words(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) else str(error)
    return words or type(error).__name__
