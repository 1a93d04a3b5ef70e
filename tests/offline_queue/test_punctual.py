"""A peer that drips its answer byte by byte holds nobody for longer than one that keeps silent."""

import contextlib
import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Self

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.ledger_answers import JSON, TransientLedgerError
from offline_queue.ledger_client import HttpLedger
from offline_queue.mirror_copy import MirrorUnreachable
from offline_queue.mirror_peer import PeerKeeper
from offline_queue.wire_feeds import Decisions
from tests.certificates import Authority
from tests.offline_queue import canned

KEY = Ed25519PrivateKey.generate()
REQUEST = "ab" * 16
WHOLE = canned.http("200 OK", JSON, b" " * 5000)
HEAD, BODY = 30, len(WHOLE) - 4000
"""Where the drip begins: in the middle of the head, in the middle of the body."""
DROP_S = 0.01
"""Whole answers would take the better part of a minute so."""


class Dripping:
    """Sends an answer whole up to `begin`, then a byte at a time until its client has gone; `drops` counts them."""

    def __init__(self, begin: int, context: ssl.SSLContext | None = None) -> None:
        self._begin, self._context, self._over = begin, context, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self.drops = 0
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            plain, _ = self._listener.accept()
            plain.settimeout(60)
            with self._context.wrap_socket(plain, server_side=True) if self._context else plain as connection:
                connection.recv(65536)
                connection.sendall(WHOLE[: self._begin])
                for at in range(self._begin, len(WHOLE)):
                    self._over.wait(DROP_S)
                    connection.sendall(WHOLE[at : at + 1])
                    self.drops += 1


@pytest.fixture(params=["http", "https"])
def ledger_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[int], tuple[HttpLedger, Dripping]]]:
    """Called with where the drip begins."""
    context, trusted = None, None
    if request.param == "https":
        shop = Authority(tmp_path, "shop")
        files, trusted = shop.certified("ledger"), str(shop.file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    with contextlib.ExitStack() as running:

        def made(begin: int) -> tuple[HttpLedger, Dripping]:
            server = running.enter_context(Dripping(begin, context))
            url = f"{request.param}://{server.address}"
            ledger = HttpLedger(url, "S001-T01", KEY, answer_s=0.5, ca_file=trusted)
            return running.enter_context(closing(ledger)), server

        yield made


@pytest.mark.parametrize("begin", [HEAD, BODY], ids=["head", "body"])
def test_a_dripping_ledger_is_one_that_keeps_silent(
    ledger_of: Callable[[int], tuple[HttpLedger, Dripping]], begin: int
) -> None:
    """Every byte comes well within the time of an answer, the answer does not."""
    ledger, server = ledger_of(begin)
    with pytest.raises(TransientLedgerError, match="in time"):
        ledger.decisions(REQUEST, 7, 10)
    assert 0 < server.drops < len(WHOLE) - begin


def test_a_dripping_peer_holds_no_copy_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its till goes on without it."""
    monkeypatch.setattr("offline_queue.mirror_peer.ANSWER_S", 0.5)
    with (
        Dripping(BODY) as server,
        closing(PeerKeeper(f"http://{server.address}", "S001-T01", KEY)) as peer,
        pytest.raises(MirrorUnreachable),
    ):
        peer.held("S001-T01")


class Prompt(http.server.BaseHTTPRequestHandler):
    """Answers every question with a page of no decisions, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_GET(self) -> None:
        page = msgspec.json.encode(Decisions(REQUEST, "g", [], [], 7, False))
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Silence."""


def test_a_connection_is_kept_for_the_next_question() -> None:
    """Each answer on it has a time of its own."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prompt) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with closing(HttpLedger(f"http://127.0.0.1:{server.server_port}", "S001-T01", KEY)) as ledger:
                assert [ledger.decisions(REQUEST, 7, 10).next for _ in range(3)] == [7, 7, 7]
        finally:
            server.shutdown()
            thread.join()
    assert Prompt.connections == 1
