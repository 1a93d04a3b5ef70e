"""The stream of events: ids, resuming, masking, and being told of what was missed."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from terminal.commands import client
from tests.api.conftest import TOKENS, Api
from tests.api.fake_till import FakeTill


@contextmanager
def stream(api: Api, path: str = "/v1/events", **headers: str) -> Iterator[Iterator[client.Happening]]:
    """Open, and past the first frame, so that what is published from here on is seen."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    headers.setdefault("Authorization", f"Bearer {TOKENS.pos}")
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.readline() == b"retry: 2000\n"
    yield client.happenings(iter(answer.readline, b""))
    answer.close()
    connection.close()


def test_a_card_is_told_as_it_comes(api: Api, till: FakeTill) -> None:
    """An authorised POS sees the number; each event has an id of this start."""
    with stream(api) as events:
        till.present()
        event = next(events)
    assert (event.id, event.kind) == ("f00d-1", "card_read")
    assert event.data["card"] == {"masked": "•••• 0017", "number": "2990000000017"}


def test_the_page_sees_masked_numbers_only(api: Api, till: FakeTill) -> None:
    """The page's session gets the same events without card numbers."""
    session = api.ask("GET", "/", token=None).headers["set-cookie"].partition(";")[0]
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    connection.request("GET", "/v1/events", headers={"Cookie": session})
    answer = connection.getresponse()
    assert answer.readline() == b"retry: 2000\n"
    till.present()
    event = next(client.happenings(iter(answer.readline, b"")))
    answer.close()
    connection.close()
    assert event.data["card"] == {"masked": "•••• 0017"}


def test_a_watcher_goes_on_where_it_was(api: Api, till: FakeTill) -> None:
    """Last-Event-ID brings what came since, in order, and nothing twice."""
    for number in ("1000001", "1000002", "1000003"):
        till.present(number)
    with stream(api, Last_Event_ID="f00d-1") as events:
        assert [next(events).id, next(events).id] == ["f00d-2", "f00d-3"]


@pytest.mark.parametrize("last_id", ["f00d-99", "dead-1", "nonsense", "f00d-x", "f00d-²"])
def test_an_id_that_cannot_be_resumed_is_told(api: Api, till: FakeTill, last_id: str) -> None:
    """After a restart of the till the watcher hears `reset` and asks for the status again."""
    till.present()
    with stream(api, Last_Event_ID=last_id.encode("utf-8").decode("latin-1")) as events:
        assert next(events).kind == "reset"
        till.present()
        assert next(events).id == "f00d-2"


def test_the_unix_socket_streams_too_and_ends_with_the_till(api: Api, till: FakeTill) -> None:
    """`tilld watch` sees events and returns when the till stops."""
    events = client.watch(api.socket, "f00d-0")
    till.present()
    assert next(events).kind == "card_read"
    till.notices.close()
    assert list(events) == []


def test_a_silent_stream_is_kept_alive(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment now and then shows both ends that the other lives."""
    monkeypatch.setattr("terminal.api.events.KEEP_ALIVE_S", 0.02)
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {TOKENS.pos}"})
    answer = connection.getresponse()
    lines = [answer.readline() for _ in range(3)]
    answer.close()
    connection.close()
    assert lines[2] == b": still here\n"


def test_events_are_read_from_lines() -> None:
    """Comments and unknown fields are passed over, an event without data is none."""
    lines = b": hello\n\nid: a-1\nevent: sync\ndata: {}\n\nretry: 5\n\nevent: empty\n\ndata: [1]\r\n\r\n"
    found: list[Any] = [(e.id, e.kind, e.data) for e in client.happenings(iter(lines.splitlines(keepends=True)))]
    assert found == [("a-1", "sync", {}), ("", "message", [1])]
    assert json.dumps(found)
