"""A till burns with its unsent sales; the customer's own card brings them to the next till, and only once."""

import http.client
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.rig import LedgerProcess, TillProcess, asked
from tests.virtual.cards import NtagCard
from tests.virtual.pcscd import VirtualPcscd, missing

CARD = "2990000000017"
READER = '[[reader]]\nname = "counter"\ndriver = "pcsc"\nmatch = "{}"\n'
OPEN = ("--enrolment", "open", "--unknown-cards", "register")
SETTINGS = '[terminal]\nid = "{}"\n[cards]\nnotes = true\ndebounce_ms = 0\n'

pytestmark = pytest.mark.pcscd


@pytest.fixture
def pcscd(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualPcscd]:
    if reason := missing():
        pytest.skip(reason)
    with VirtualPcscd(readers=2) as running:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", running.environment["PCSCLITE_CSOCK_NAME"])
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    process = LedgerProcess(tmp_path)
    process.start(*OPEN)
    yield process
    process.stop()


@pytest.fixture
def tills(tmp_path: Path, ledger: LedgerProcess, pcscd: VirtualPcscd) -> Iterator[list[TillProcess]]:
    """Two tills of one shop, a reader each; the ledger knows both."""
    url = f"http://127.0.0.1:{ledger.port}"
    found = [
        TillProcess(tmp_path / name, url, extra=SETTINGS.format(name), readers=READER.format(reader))
        for name, reader in zip(("S001-T01", "S001-T02"), pcscd.names, strict=True)
    ]
    for process in found:
        process.start()
        process.drain()
    yield found
    for process in found:
        process.stop()


class Watcher:
    """The till's events from the first one that it still has."""

    def __init__(self, till: TillProcess) -> None:
        token = (till.state / "pos.token").read_text().strip()
        self._line = http.client.HTTPConnection("127.0.0.1", till.port, timeout=120)
        self._line.request("GET", "/v1/events?after=first", headers={"Authorization": f"Bearer {token}"})
        self._events = self._line.getresponse()

    def wait(self, kind: str, holds: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next event of this kind that holds."""
        named = b""
        while line := self._events.readline():
            if line.startswith(b"event: "):
                named = line[7:].strip()
            if line.startswith(b"data: ") and named == kind.encode() and holds(data := json.loads(line[6:])):
                return data
        raise AssertionError(f"the till has ended before {kind}")

    def close(self) -> None:
        self._line.close()


def points(ledger: LedgerProcess) -> int:
    return int(ledger.account(CARD)["points"])


def test_points_survive_the_loss_of_the_till(
    tmp_path: Path, ledger: LedgerProcess, tills: list[TillProcess], pcscd: VirtualPcscd
) -> None:
    """Sold without a line; the till burnt; the card tapped at the next till; then the disk comes back after all."""
    burnt, heir = tills
    card = NtagCard.with_notes(CARD)
    ledger.stop()
    with closing(burnt.pos()) as pos, closing(Watcher(burnt)) as watcher:
        pcscd.insert(card, reader=0)
        read = watcher.wait("card_read")
        blank = bytes(card.memory)
        status, sold = pos.transaction("the-sale", "earn", points=30, card={"read_id": read["read_id"]})
        assert (status, sold["points"]) == (201, 30)
        watcher.wait("card_note", lambda told: told["what"] == "written")
    assert card.memory[: 34 * 4] == blank[: 34 * 4]
    burnt.kill()
    shutil.move(burnt.state, tmp_path / "ashes")
    pcscd.remove(reader=0)

    with closing(Watcher(heir)) as watcher:
        pcscd.insert(card, reader=1)
        found = watcher.wait("card_note", lambda told: told["what"] == "found")
        assert (found["points"], "S001-T01" in found["detail"]) == (30, True)
        ledger.start(*OPEN)
        heir.drain()
        assert points(ledger) == 30
        watcher.wait("card_note", lambda told: told["what"] == "cleared")
    pcscd.remove(reader=1)

    shutil.move(tmp_path / "ashes", burnt.state)
    burnt.start()
    burnt.drain()
    with closing(Watcher(burnt)) as watcher:
        pcscd.insert(card, reader=0)
        watcher.wait("card_read")
    burnt.drain()
    assert points(ledger) == 30
    assert asked("ledger", "verify", "--database", ledger.database)["ok"]
