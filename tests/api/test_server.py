"""The web server itself: its addresses, its start and its end."""

import http.client
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from terminal.api.desk import Desk
from terminal.api.server import ApiServer, WebServer, web_config
from terminal.api.sockets import CannotListen, bind_tcp, bind_unix, listening_inodes, parse_listen
from terminal.commands.client import NotRunning, ask
from tests.api.conftest import TOKENS, Api, serving
from tests.api.fake_till import FakeTill

REQUEST = b"GET / HTTP/1.1\r\nHost: tilld\r\n\r\n"


def desk(till: FakeTill, listen: str) -> Desk:
    return Desk(till.inbox.offer, till.notices, TOKENS, listen, "S001-T01", "0.1.0")


def test_a_taken_port_is_said_before_anything_starts(till: FakeTill, tmp_path: Path) -> None:
    """The message names who holds it and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        server = ApiServer(desk(till, f"127.0.0.1:{held.getsockname()[1]}"), tmp_path / "tilld.sock")
        with pytest.raises(CannotListen, match=rf"held by .*\(pid {os.getpid()}\).*\[api\] listen"):
            server.start()
    assert not server.alive()


@pytest.mark.parametrize("listen", ["0.0.0.0:8780", "192.168.1.5:8780", "example.com:80", "[::]:8780"])
def test_only_the_loopback_is_listened_on(listen: str) -> None:
    """Plain HTTP with a token does not go over a network."""
    with pytest.raises(CannotListen, match="not the loopback"):
        parse_listen(listen)


@pytest.mark.parametrize(
    "listen", ["", "8780", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999", "127.0.0.1:" + "1" * 5000]
)
def test_an_address_that_is_none_is_refused(listen: str) -> None:
    """With an example of one that is."""
    with pytest.raises(CannotListen, match=r"127\.0\.0\.1:8780"):
        parse_listen(listen)


def test_loopback_addresses_are_understood() -> None:
    """By number and by name, also IPv6."""
    assert parse_listen("localhost:1") == ("127.0.0.1", 1)
    assert parse_listen("[::1]:8780") == ("::1", 8780)


def test_the_kernels_table_is_read() -> None:
    """Only sockets that listen, only on that port."""
    rows = [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   0: 0100007F:224C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1",
        "   1: 0100007F:224C 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 222 1",
        "   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1",
    ]
    assert listening_inodes("\n".join(rows), 8780) == {"111"}


def test_a_socket_works_however_deep_its_folder_lies(till: FakeTill, tmp_path: Path) -> None:
    """A Unix address holds 107 bytes; a state folder may be deeper."""
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    folder.mkdir(parents=True)
    with serving(till, folder) as api:
        assert ask(api.socket, "GET", "/healthz").status == 200


def test_a_left_over_socket_file_is_replaced(tmp_path: Path) -> None:
    """A daemon that was killed leaves its socket behind."""
    path = tmp_path / "tilld.sock"
    for _ in range(2):
        bind_unix(path).close()
    assert path.is_socket()


def test_the_end_is_bounded_with_streams_and_reads_open(till: FakeTill, tmp_path: Path) -> None:
    """Streams end, the waiting read hears `aborted`, and the addresses are free again."""
    with serving(till, tmp_path) as api:
        stream = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
        stream.request("GET", "/v1/events", headers={"Authorization": f"Bearer {TOKENS.pos}"})
        events = stream.getresponse()
        pool = ThreadPoolExecutor(1)
        read = pool.submit(api.ask, "POST", "/v1/reads", {"timeout_ms": 300_000})
        assert till.reads_waiting.wait(60)
    assert events.read().endswith(b"\n")
    stream.close()
    assert read.result(60).json["code"] == "aborted"
    pool.shutdown()
    assert not api.socket.exists()
    assert "api" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(NotRunning):
        ask(api.socket, "GET", "/healthz")


def test_a_sale_that_was_taken_is_answered_before_the_end(tmp_path: Path) -> None:
    """The server waits for the till's answer to a request that is under way."""
    till = FakeTill()
    pool = ThreadPoolExecutor(1)
    with serving(till, tmp_path) as api:
        sale = pool.submit(api.sale, "k-1")
        while (event := till.inbox.take(10)) is None:
            pass
        till.inbox.post(event)
        till.start()
    assert sale.result(60).status == 201
    till.stop()
    pool.shutdown()


def said_until_the_end(caller: socket.socket) -> bytes:
    return b"".join(iter(lambda: caller.recv(65536), b""))


def test_who_comes_in_as_the_server_ends_hears_so() -> None:
    """A POS that was let in at the last moment is answered and let go: nobody waits for a till that has gone."""
    busy, ended = threading.Event(), threading.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        busy.set()
        ended.wait(60)  # the loop stands still, so that the end and the last caller come in the same turn
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    listener = socket.create_server(("127.0.0.1", 0))
    address, web = listener.getsockname(), WebServer(web_config(app))
    thread = threading.Thread(target=web.run, args=([listener],))
    thread.start()
    assert web.up.wait(60)
    with ExitStack() as callers:
        idle, early, late = (callers.enter_context(socket.socket()) for _ in range(3))
        for caller, told in ((idle, b""), (early, REQUEST), (late, REQUEST)):
            caller.settimeout(60)
            caller.connect(address)
            caller.sendall(told)
            assert not told or busy.wait(60)
        web.end()
        ended.set()
        heard = [said_until_the_end(caller) for caller in (idle, early, late)]
    thread.join(60)
    assert not thread.is_alive()
    assert [answer.partition(b" ")[2][:3] for answer in heard] == [b"", b"204", b"204"]


async def nobody(_: Scope, __: Receive, ___: Send) -> None:
    """An application that is never asked."""


def test_an_end_before_the_server_is_up_is_not_forgotten() -> None:
    """A slow machine gives up waiting for its start: then it must not serve on beside the next one."""
    listener, web = socket.create_server(("127.0.0.1", 0)), WebServer(web_config(nobody))
    web.end()
    thread = threading.Thread(target=web.run, args=([listener],), daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert listener.fileno() < 0
    web.end()


def test_many_pos_at_once_are_served(api: Api) -> None:
    """64 callers, each with its own sale: each hears its own answer."""
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda n: api.sale(f"k-{n}", points=n + 1), range(64)))
    assert [reply.status for reply in replies] == [201] * 64
    assert [reply.json["points"] for reply in replies] == list(range(1, 65))


def test_answers_do_not_wait_for_a_delayed_acknowledgement() -> None:
    """asyncio sends small packets at once (TCP_NODELAY) only where the socket names its protocol."""
    with bind_tcp("127.0.0.1:0") as bound:
        assert bound.proto == socket.IPPROTO_TCP
