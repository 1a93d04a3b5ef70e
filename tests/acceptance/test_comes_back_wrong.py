"""Tills and ledgers that come back wrong: found, named in `tilld status`, and mended; no point lost or doubled."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.rig import LedgerProcess, TillProcess, asked, tilld

CARD = {"number": "2990000000017"}
TEN_DAYS_FAST = """
import time
_ns, _s = time.time_ns, time.time
time.time_ns = lambda: _ns() + 864_000_000_000_000
time.time = lambda: _s() + 864_000.0
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerProcess]:
    process = LedgerProcess(tmp_path)
    process.start("--enrolment", "open", "--unknown-cards", "register")
    yield process
    process.stop()


@pytest.fixture
def till(tmp_path: Path, ledger: LedgerProcess) -> Iterator[TillProcess]:
    process = made(tmp_path / "till", ledger)
    yield process
    process.stop()


def made(folder: Path, ledger: LedgerProcess) -> TillProcess:
    return TillProcess(folder, f"http://127.0.0.1:{ledger.port}")


def sell(till: TillProcess, name: str, count: int = 5) -> None:
    """Sales of 10 points each."""
    pos = till.pos()
    for n in range(count):
        assert pos.transaction(f"{name}-{n}", "earn", card=CARD, points=10)[0] == 201
    pos.close()


def day(till: TillProcess, name: str) -> None:
    """The till is switched on, sells, delivers and is switched off."""
    till.start()
    sell(till, name)
    till.drain()
    till.stop()


def adds_up(ledger: LedgerProcess, till: TillProcess, points: int) -> None:
    """Each sale counts once, and both sides can prove it."""
    assert ledger.account(CARD["number"])["points"] == points
    assert asked("ledger", "verify", "--database", ledger.database)["problems"] == []
    assert asked("queue", "verify", "--state", till.state)["ok"]


def looked_at(ledger: LedgerProcess, till: TillProcess) -> None:
    """Head office acknowledges; from then on the till is told nothing."""
    name = asked("ledger", "terminals", "--database", ledger.database)[0]["name"]
    assert asked("ledger", "terminals", "acknowledge", name, "--database", ledger.database)["findings"] > 0
    till.until(lambda status: status["ledger"]["orders"] == [])


def test_a_journal_put_back_from_an_older_copy(till: TillProcess, ledger: LedgerProcess, tmp_path: Path) -> None:
    """The old journal does not know of a day's sales; the ledger does, and refuses it rights until a new start."""
    day(till, "monday")
    shutil.copytree(till.state, tmp_path / "backup")
    day(till, "tuesday")
    shutil.rmtree(till.state)
    (tmp_path / "backup").rename(till.state)
    till.start()
    sell(till, "wednesday")
    till.drain()
    said = till.order("restored")
    assert "older copy of its disk" in said
    pos = till.pos()
    assert pos.transaction("gift", "redeem", card=CARD, points=10)[0] == 409
    pos.close()
    till.drain()
    adds_up(ledger, till, 150)
    till.stop()
    till.start()
    till.order("restored")
    pos = till.pos()
    assert pos.redeem("gift 2", card=CARD, points=10)[0] == 201
    pos.close()
    looked_at(ledger, till)
    till.drain()
    adds_up(ledger, till, 140)


def test_an_image_cloned_to_two_machines_at_once(till: TillProcess, ledger: LedgerProcess, tmp_path: Path) -> None:
    """Both work under one name: each sale of either counts once, and both are told."""
    day(till, "monday")
    clone = made(tmp_path / "clone", ledger)
    shutil.copytree(till.state, clone.state)
    try:
        for machine, name in ((till, "here"), (clone, "there")):
            machine.start()
            sell(machine, name)
            machine.drain()
        clone.order("restored")
        sell(till, "here again")
        till.drain()
        assert "Two machines" in till.order("fork")
        clone.order("fork")
        adds_up(ledger, clone, 200)
    finally:
        clone.stop()
    till.stop()
    till.start()
    looked_at(ledger, till)
    sell(till, "later")
    till.drain()
    adds_up(ledger, till, 250)


def test_a_clock_ten_days_fast(till: TillProcess, ledger: LedgerProcess, tmp_path: Path) -> None:
    """Sales count, dated by the ledger; the technician hears how far the clock is off, and how to set it."""
    (tmp_path / "fast").mkdir()
    (tmp_path / "fast" / "sitecustomize.py").write_text(TEN_DAYS_FAST)
    till.start({"PYTHONPATH": str(tmp_path / "fast")})
    sell(till, "future")
    till.drain()
    said = till.order("clock_off")
    assert "10 days fast" in said
    assert "timedatectl" in said
    adds_up(ledger, till, 50)
    till.stop()
    till.start()
    till.until(lambda status: status["ledger"]["reachable"] and status["ledger"]["orders"] == [])


def test_a_journal_that_was_deleted(till: TillProcess, ledger: LedgerProcess) -> None:
    """What the ledger holds stays; what it cannot know of is named as such; sales go on."""
    day(till, "monday")
    for file in till.state.glob("journal.db*"):
        file.unlink()
    till.start()
    sell(till, "tuesday")
    till.drain()
    said = till.order("journal_lost")
    assert "7 records" in said, said
    assert "claim codes" in said
    adds_up(ledger, till, 100)
    looked_at(ledger, till)


def test_a_ledger_put_back_from_an_older_backup(till: TillProcess, ledger: LedgerProcess, tmp_path: Path) -> None:
    """The tills send again what it has forgotten, and say how much that was."""
    backup, books = tmp_path / "backup.db", Path(ledger.database.removeprefix("sqlite:///"))
    till.start()
    sell(till, "monday")
    till.drain()
    assert tilld("ledger", "backup", backup, "--database", ledger.database).returncode == 0
    sell(till, "tuesday")
    till.drain()
    ledger.stop()
    for file in books.parent.glob(f"{books.name}*"):
        file.unlink()
    backup.rename(books)
    assert ledger.account(CARD["number"])["points"] == 50
    ledger.start("--enrolment", "open", "--unknown-cards", "register")
    assert "5 records" in till.order("ledger_restored")
    till.drain()
    adds_up(ledger, till, 100)
