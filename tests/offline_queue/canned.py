"""A server that answers every connection with the same bytes, whatever was asked: portals, proxies, half answers."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Canned:
    """`url` of the server; `requests` as they came, head and body."""

    url: str
    requests: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def canned(answer: Callable[[bytes], bytes | None]) -> Iterator[Canned]:
    """`answer` maps a request to the bytes sent before the connection is closed; None keeps it open in silence."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()[:2]
        served, over = Canned(f"http://{host}:{port}"), threading.Event()
        thread = threading.Thread(target=_serve, args=(server, served, answer, over))
        thread.start()
        try:
            yield served
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(60)


def _serve(
    server: socket.socket, served: Canned, answer: Callable[[bytes], bytes | None], over: threading.Event
) -> None:
    while not over.is_set():
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, contextlib.suppress(ConnectionError):
            connection.settimeout(60)
            request = _request(connection)
            served.requests.append(request)
            said = answer(request)
            if said is None:
                over.wait(60)
            else:
                with contextlib.suppress(OSError):
                    connection.sendall(said)


def _request(connection: socket.socket) -> bytes:
    """Raises ConnectionError where the client goes before it is whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _piece(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += _piece(connection)
    return head + b"\r\n\r\n" + body


def _piece(connection: socket.socket) -> bytes:
    if piece := connection.recv(65536):
        return piece
    raise ConnectionError("the client has gone")


def http(status: str, content_type: str, body: bytes, *more: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body
