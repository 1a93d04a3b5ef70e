"""A reader that misbehaves and cards that cannot be read, at the real till: the POS is answered throughout."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.base import Technology
from drivers.simulated import Fault, Tap, tap
from tests.acceptance.rig import Pos, TillProcess

NO_LEDGER = "http://127.0.0.1:1"
CARD = "2990000000017"
LONG = "[cards]\ndebounce_ms = 60000\n"
"""Two taps are one presentation however slow the machine is."""


@pytest.fixture
def till(tmp_path: Path) -> Iterator[TillProcess]:
    till = TillProcess(tmp_path, NO_LEDGER, extra=LONG)
    till.start()
    yield till
    till.kill()


class Watch:
    """The till's events, from the first one that it remembers."""

    def __init__(self, pos: Pos) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", pos.port, timeout=120)
        self._line.request("GET", "/v1/events?after=first", headers={"Authorization": f"Bearer {pos.token}"})
        self._events = self._line.getresponse()

    def next(self, kind: str, **told: Any) -> Any:
        """The next event of a kind that says this; the others are passed over."""
        while True:
            line = self._events.readline()
            assert line, "the stream has ended"
            if line.strip() == f"event: {kind}".encode():
                data = json.loads(self._events.readline().removeprefix(b"data: "))
                if all(data.get(name) == value for name, value in told.items()):
                    return data

    def close(self) -> None:
        self._line.close()


def test_the_till_sells_while_its_reader_dies_and_counts_what_it_did(till: TillProcess) -> None:
    """Dead, hung, absent, failing cards: each sale is answered; the counters are there after the next start."""
    socket = till.state / "readers" / "simulated.sock"
    pos = till.pos()
    watch = Watch(pos)
    for fault in (Fault.CRASH, Fault.HANG, Fault.ABSENT):
        watch.next("reader_status", status="ready")
        tap(socket, Tap(fault=fault))
        assert pos.transaction(f"during-{fault}", "earn", points=5)[0] == 201
    watch.next("reader_status", status="ready")
    for step in ("tap_again", "turn"):
        tap(socket, Tap(technology=Technology.NTAG, fault=Fault.UNREADABLE))
        assert watch.next("card_unreadable")["step"] == step
    status, problem, _ = pos.ask("POST", "/v1/reads", {"timeout_ms": 1})
    assert (status, problem["code"], problem["step"]) == (408, "no_card", "scan_qr")
    assert problem["next"]
    for _ in range(2):
        tap(socket, Tap(card=CARD, effort=1))
    read = watch.next("card_read")
    assert read["wear"] == 80
    watch.close()
    pos.close()
    assert till.stop() == 0
    till.start()
    pos = till.pos()
    (reader,) = pos.ask("GET", "/v1/status")[1]["readers"]
    counters = reader["counters"]
    assert {name: counters[name] for name in ("good", "unreadable", "failed", "duplicate", "restarts")} == {
        "good": 2,
        "unreadable": 2,
        "failed": 0,
        "duplicate": 1,
        "restarts": 3,
    }
    assert counters["hours"] > 0
    pos.close()


def test_a_card_without_a_reader_is_sold_without(tmp_path: Path) -> None:
    """No reader at all: the POS hears at once what is left to try, and the last rung is a sale without a card."""
    till = TillProcess(
        tmp_path, NO_LEDGER, readers='[[reader]]\nname = "gun"\ndriver = "serial_line"\nport = "/dev/none"\n'
    )
    till.start()
    pos = till.pos()
    try:
        slip = {"number": "12", "entry_mode": "keyed"}
        heard = [pos.transaction(f"sale-{n}", "earn", points=5, card=slip)[1] for n in range(3)]
        assert [problem["step"] for problem in heard] == ["key_number", "key_number", "no_card"]
        status, sale = pos.transaction("sale", "earn", points=5)
        assert (status, sale["card"]) == (201, None)
        assert sale["claim"]
    finally:
        pos.close()
        till.kill()
