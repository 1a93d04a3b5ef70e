"""Cards with real processes: what the office says of one holds at a till that has lost its line since."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.rig import LedgerProcess, TillProcess, asked, tilld

CARD, NEW = "2990000000017", "2990000000024"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    ledger = LedgerProcess(tmp_path)
    ledger.start("--unknown-cards", "register", "--enrolment", "open")
    yield ledger
    ledger.kill()


@pytest.fixture
def till(tmp_path: Path, ledger: LedgerProcess) -> Iterator[TillProcess]:
    till = TillProcess(tmp_path, f"http://127.0.0.1:{ledger.port}")
    till.start()
    yield till
    till.kill()


def office(ledger: LedgerProcess, *arguments: str) -> Any:
    return asked("ledger", "card", *arguments, "--database", ledger.database)


def at_till(till: TillProcess, *arguments: str) -> tuple[int, Any]:
    done = tilld("card", *arguments, "--json", "--state", till.state)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def one_pass(till: TillProcess) -> None:
    """Asks for a pass to the ledger and returns when one has ended."""
    with closing(http.client.HTTPConnection("127.0.0.1", till.port, timeout=60)) as watcher, closing(till.pos()) as pos:
        watcher.request("GET", "/v1/events", headers={"Authorization": f"Bearer {pos.token}"})
        events = watcher.getresponse()
        assert pos.ask("POST", "/v1/sync")[0] == 202
        while not events.readline().startswith(b"event: sync"):
            pass


def test_a_block_at_the_ledger_is_kept_by_the_till_offline(ledger: LedgerProcess, till: TillProcess) -> None:
    """Within a pass the till knows; then the ledger is gone, and the till is started again."""
    pos = till.pos()
    assert pos.transaction("sale-1", "earn", points=10, card={"number": CARD})[0] == 201
    till.drain()
    assert office(ledger, "block", CARD, "--reason", "stolen")["status"] == "blocked"
    for _ in range(2):  # The first pass may have begun before the block.
        one_pass(till)
    ledger.kill()
    pos.close()
    assert till.stop() == 0
    till.start()
    pos = till.pos()
    status, problem = pos.transaction("sale-2", "earn", points=10, card={"number": CARD})
    assert (status, problem["code"], problem["reason"]) == (422, "card_refused", "card_blocked")
    code, shown = at_till(till, "show", CARD)
    assert (code, shown["status"], shown["reached"]) == (1, "blocked", False)
    pos.close()


def test_a_replacement_said_offline_reaches_the_ledger(ledger: LedgerProcess, till: TillProcess) -> None:
    """The customer goes home with a new card; the balance is on it."""
    pos = till.pos()
    assert pos.transaction("sale-1", "earn", points=10, card={"number": CARD})[0] == 201
    till.drain()
    ledger.kill()
    code, said = at_till(till, "replace", CARD, NEW, "--reason", "lost")
    assert (code, said["state"], said["status"]) == (0, "queued", "replaced")
    assert pos.transaction("sale-2", "earn", points=5, card={"number": CARD})[0] == 201
    ledger.start("--unknown-cards", "register", "--enrolment", "open")
    till.drain()
    assert ledger.account(NEW)["points"] == ledger.account(CARD)["points"] == 15
    code, shown = at_till(till, "resync", CARD)
    assert (code, shown["status"], shown["successor"]["number"], shown["reached"]) == (0, "replaced", NEW, True)
    pos.close()
