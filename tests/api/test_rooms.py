"""Crowds: whoever fills the till's rooms, a POS with the right token still sells."""

import http.client
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.api.conftest import TOKENS, Api, serving
from tests.api.fake_till import FakeTill

POS = {"Authorization": f"Bearer {TOKENS.pos}"}


@contextmanager
def streams(api: Api, number: int, headers: Mapping[str, str]) -> Iterator[list[int]]:
    """So many event streams at once, and the status that each has heard."""
    with ExitStack() as stack:
        statuses = []
        for _ in range(number):
            connection = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)))
            connection.request("GET", "/v1/events", headers=dict(headers))
            statuses.append(stack.enter_context(connection.getresponse()).status)
        yield statuses


def page(api: Api) -> dict[str, str]:
    return {"Cookie": api.ask("GET", "/", token=None).headers["set-cookie"].partition(";")[0]}


def test_silent_connections_make_way(till: FakeTill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens every connection that there is and says nothing does not keep the POS out."""
    monkeypatch.setattr("terminal.api.server.MAX_CONNECTIONS", 4)
    with serving(till, tmp_path) as api, ExitStack() as stack:
        crowd = [stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=60)) for _ in range(20)]
        assert api.sale("k-1").status == 201
        assert crowd[0].recv(1) == b""


def test_a_connection_that_has_shown_the_token_stays(
    till: FakeTill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The POS's own connection is not the one that makes way, however old it is."""
    monkeypatch.setattr("terminal.api.server.MAX_CONNECTIONS", 4)
    with serving(till, tmp_path) as api, ExitStack() as stack:
        pos = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)))
        pos.request("GET", "/v1/status", headers=POS)
        assert pos.getresponse().read()
        kept = pos.sock
        crowd = [stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=60)) for _ in range(20)]
        assert crowd[0].recv(1) == b""
        pos.request("GET", "/v1/status", headers=POS)
        assert pos.getresponse().status == 200
        assert pos.sock is kept


@pytest.mark.parametrize("watcher", ["page", "pos"])
def test_watchers_leave_room_for_sales(
    till: FakeTill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watcher: str
) -> None:
    """Screens, or a POS that never closes its streams: one too many hears 503, and sales go on."""
    monkeypatch.setattr("terminal.api.rooms.STREAMS", 3)
    with serving(till, tmp_path) as api:
        with streams(api, 5, POS if watcher == "pos" else page(api)) as statuses:
            assert statuses == [200, 200, 200, 503, 503]
            assert api.sale("k-1").status == 201
        with streams(api, 1, page(api) if watcher == "pos" else POS) as statuses:
            assert statuses == [200]


def test_strangers_do_not_take_the_seats_of_the_pos(
    till: FakeTill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all their seats taken the page hears 503 `busy`; the POS does not notice."""
    monkeypatch.setattr("terminal.api.app.STRANGERS_REQUESTS", 1)
    with serving(till, tmp_path) as api, streams(api, 1, page(api)):
        busy = api.ask("GET", "/healthz", token=None)
        assert (busy.status, busy.json["code"]) == (503, "busy")
        assert busy.headers["retry-after"] == "1"
        assert api.sale("k-1").status == 201


def test_the_head_of_a_stream_ends(api: Api) -> None:
    """HEAD tells what would come (`curl -I`) and takes no seat."""
    head = api.ask("HEAD", "/v1/events")
    assert (head.status, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
