"""Crowds that want the till's attention, slowly or all at once: the POS beside them is answered."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from terminal.api.server import MAX_CONNECTIONS
from tests.attacks.conftest import RealApi

CROWD = MAX_CONNECTIONS + 60


@contextmanager
def crowd(api: RealApi, said: bytes) -> Iterator[list[socket.socket]]:
    """More connections than the till holds at once, each of which has said this and then nothing."""
    with ExitStack() as stack:
        connections = []
        for _ in range(CROWD):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=60))
            one.sendall(said)
            connections.append(one)
        yield connections


SLOW = {
    "silence": b"",
    "half a head": b"POST /v1/transactions HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "a head without its body": b"POST /v1/transactions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000000\r\n\r\n{",
    "no HTTP at all": b"\x16\x03\x01",
}


@pytest.mark.parametrize("said", SLOW)
def test_a_slow_crowd_keeps_no_sale_out(api: RealApi, said: str) -> None:
    """Slowloris with more connections than there are: the oldest strangers make way, and the POS sells."""
    text = SLOW[said]
    head = text % api.address.encode() if b"%s" in text else text
    with crowd(api, head) as connections:
        sold = api.sale(f"crowd-{said.replace(' ', '-')}")
        assert sold.status == 201
        # The oldest of them has made way: ended, with or without a word (401).
        with suppress(ConnectionResetError):
            assert b"201" not in connections[0].recv(4096)


def test_guesses_by_the_hundred_do_not_lock_the_pos_out(api: RealApi) -> None:
    """Wrong tokens are told to wait; the right one, on the same machine in the same second, is not."""
    with closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)) as guesser:
        statuses = []
        for n in range(60):
            guesser.request("POST", "/v1/sync", headers={"Authorization": f"Bearer guess-{n}"})
            answer = guesser.getresponse()
            answer.read()
            statuses.append(answer.status)
            if n % 20 == 0:
                assert api.ask("GET", "/v1/status").status == 200
    assert 429 in statuses
    assert set(statuses) <= {401, 429}
    assert api.sale("after-guesses").status == 201


def test_watchers_by_the_hundred_keep_no_sale_out(api: RealApi) -> None:
    """The page's cookie opens streams, and a bounded number of them."""
    cookie = api.ask("GET", "/", token=None).headers["set-cookie"].partition(";")[0]
    watch = f"GET /v1/events HTTP/1.1\r\nHost: {api.address}\r\nCookie: {cookie}\r\n\r\n".encode()
    with ExitStack() as stack:
        said = []
        for _ in range(120):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=60))
            one.sendall(watch)
            said.append(one.recv(64).split()[1])
        assert said.count(b"200") < said.count(b"503")
        assert api.sale("among-watchers").status == 201
