"""The Python client's example as a reader of its page runs it, killed at the worst moments."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.line import Faults
from tests.acceptance.rig import TillProcess, tilld
from tests.clients.shop import DEADLINE_S, Shop, Withheld, open_shop

PYTHON = Path(__file__).resolve().parents[2] / "clients" / "python"
EXAMPLE = PYTHON / "examples" / "counter.py"
CARD = "2990000000017"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


class Running:
    """The example as a process, its words line by line."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLE, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(PYTHON)}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def until(self, beginning: str) -> list[str]:
        """The lines up to one that begins so. Raises AssertionError when it ends before."""
        assert self.process.stdout is not None
        heard = []
        for line in self.process.stdout:
            heard.append(line.rstrip("\n"))
            if line.startswith(beginning):
                return heard
        raise AssertionError(f"it ended after {heard}")

    def end(self) -> int:
        assert self.process.stdout is not None
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(DEADLINE_S)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.end()


class Customer(threading.Thread):
    """Presents a card, and again after a while until somebody has taken it: the POS may not listen yet."""

    def __init__(self, till: TillProcess, card: str) -> None:
        super().__init__(daemon=True)
        self.till, self.card, self.served = till, card, threading.Event()

    def run(self) -> None:
        while True:
            tilld("tap", self.card, "--state", self.till.state)
            # The same card within a second is the same presentation.
            if self.served.wait(1.2):
                return

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.served.set()
        self.join(DEADLINE_S)


def effects(till: TillProcess) -> set[tuple[str, str]]:
    """Key and kind of every transaction in the journal; none is there twice."""
    lines = tilld("queue", "export", "--state", till.state).stdout.splitlines()
    records = [json.loads(each["record"]) for each in map(json.loads, lines) if each["line"] == "record"]
    sales = {"earn", "redeem", "reverse"}
    found = [(record["key"], record["kind"]) for record in records if record.get("kind") in sales]
    assert len(found) == len(set(found))
    return set(found)


def test_a_visit_from_card_to_reversal(shop: Shop, tmp_path: Path) -> None:
    """On the socket: listen, earn, redeem, reverse, as its page says; the books agree."""
    till, ledger = shop.till, shop.ledger
    tilld("ledger", "register", CARD, "--points", "50", "--database", ledger.database)
    visit = Running("--socket", till.state / "tilld.sock", "--folder", tmp_path)
    visit.until("present a card")
    with Customer(till, CARD):
        assert visit.until("card") == ["card: •••• 0017"]
    said = visit.until("reversed")
    assert visit.end() == 0
    assert [line.partition(":")[0] for line in said] == ["earned", "redeemed", "reversed"]
    till.drain()
    assert ledger.account(CARD)["points"] == 50 - 10
    assert list((tmp_path / "pending").iterdir()) == []


@pytest.mark.parametrize(("passing", "settled"), [(1, "earn"), (2, "redeem")])
def test_killed_between_yes_and_hearing_it(shop: Shop, tmp_path: Path, passing: int, settled: str) -> None:
    """The till has recorded it, the POS died without knowing: started again it asks, and there is one effect."""
    till, line = shop.till, shop.line
    faults = Withheld(passing)
    line.faults = faults
    token = ("--token-file", shop.token_file)
    (tmp_path / "receipts").write_text(f"20{passing}")
    before = effects(till)
    visit = Running("--url", line.url, *token, "--folder", tmp_path)
    visit.until("present a card")
    with Customer(till, CARD):
        visit.until("card")
    assert faults.reached.wait(DEADLINE_S)
    visit.kill()
    faults.forget()
    assert len(list((tmp_path / "pending").iterdir())) == 1
    again = Running("--url", f"http://127.0.0.1:{till.port}", *token, "--folder", tmp_path)
    said = again.until("present a card")
    again.kill()
    key = f"S001-T01-{201 + passing}-{settled[0].upper()}"
    assert said[0].startswith(f"settled: {settled} {key} ")
    assert effects(till) - before == {(key.replace("-R", "-E"), "earn"), (key, settled)}


def test_the_till_dies_after_its_yes_and_comes_back(shop: Shop, tmp_path: Path) -> None:
    """The POS notices a pause: it asks again with the same key until the till is back, and goes on."""
    till, line = shop.till, shop.line
    faults = Withheld(1)
    line.faults = faults
    (tmp_path / "receipts").write_text("300")
    before = effects(till)
    visit = Running("--url", line.url, "--token-file", shop.token_file, "--folder", tmp_path)
    visit.until("present a card")
    with Customer(till, CARD):
        visit.until("card")
    assert faults.reached.wait(DEADLINE_S)
    till.kill()
    line.faults = Faults()
    faults.forget()
    till.start()
    visit.until("reversed")
    assert visit.end() == 0
    sales = {("S001-T01-301-E", "earn"), ("S001-T01-301-R", "redeem"), ("S001-T01-301-V", "reverse")}
    assert effects(till) - before == sales
