"""Real processes and a cut line: points are redeemed on what was promised ahead of need, and on nothing else."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from offline_queue.journal import AllowanceState
from offline_queue.journal_reader import JournalReader
from tests.acceptance.line import Line
from tests.acceptance.rig import LedgerProcess, TillProcess, asked, tilld

NUMBER = "2990000000017"
CARD = {"number": NUMBER}
PATIENCE_S = 60.0
OFFLINE = '[offline]\nredeem = "allowances"\nahead_points = 40\n'


class Shop:
    """A till that holds rights ahead of need, its ledger, and the line between them."""

    def __init__(self, folder: Path) -> None:
        self.ledger = LedgerProcess(folder)
        tilld("ledger", "register", NUMBER, "--points", "200", "--database", self.ledger.database)
        self.ledger.start("--enrolment", "open")
        self.line = Line(("127.0.0.1", self.ledger.port))
        self.till = TillProcess(folder, self.line.url, extra=OFFLINE)
        self.keys = 0
        self.till.start()

    def close(self) -> None:
        with contextlib.suppress(AssertionError):
            self.till.kill()
        self.line.close()
        self.ledger.kill()

    def transaction(self, kind: str, points: int) -> tuple[int, Any]:
        self.keys += 1
        with closing(self.till.pos()) as pos:
            return pos.transaction(f"k{self.keys}", kind, card=CARD, points=points)

    def redeem_offline(self, points: int) -> tuple[int, Any]:
        self.line.cut()
        try:
            return self.transaction("redeem", points)
        finally:
            self.line.mend()

    def held(self) -> list[str]:
        """Rights that the journal holds."""
        with closing(JournalReader.open(self.till.state / "journal.db")) as journal:
            return [right.id for right in journal.allowances(AllowanceState.GRANTED)]

    def promised(self) -> list[tuple[str, int]]:
        """State and points of what the ledger holds back."""
        told = asked("ledger", "allowances", "list", "--database", self.ledger.database)
        return [(right["state"], right["points"]) for right in told]

    def fetch_ahead(self) -> list[str]:
        """A sale brings the card's balance, and with it the right."""
        assert self.transaction("earn", 1)[0] == 201
        self.till.drain()
        return until(self.held)

    def redeem_when_held(self, points: int) -> Any:
        """Offline, as soon as the till has heard that a right is granted or confirmed; the journal knows it before."""

        def attempt() -> Any:
            self.till.drain()
            status, answer = self.redeem_offline(points)
            return answer if status == 201 else None

        return until(attempt)


def until(look: Callable[[], Any]) -> Any:
    """What it sees at last."""
    deadline = monotonic() + PATIENCE_S
    while not (seen := look()):
        assert monotonic() < deadline, "it did not come about"
    return seen


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


@pytest.mark.timeout(300)
def test_redeemed_offline_over_restarts_and_a_crash(shop: Shop) -> None:
    """Held rights are used offline; after a clean restart when the ledger has confirmed them; after SIGKILL never: then
    their points stay held back until the office returns them."""
    shop.fetch_ahead()
    assert shop.redeem_when_held(30)["promise"] == "held"
    shop.fetch_ahead()
    assert shop.till.stop() == 0

    shop.line.cut()
    shop.till.start()
    status, refused = shop.redeem_offline(20)
    assert (status, refused["code"]) == (409, "offline_limit")
    assert shop.redeem_when_held(20)["promise"] == "held"

    (right,) = shop.fetch_ahead()
    shop.till.kill()
    shop.till.start()
    assert shop.redeem_offline(20)[0] == 409
    until(lambda: shop.till.drain() or ("locked", 40) in shop.promised())
    until(lambda: right not in shop.held())
    done = tilld(
        *("ledger", "allowances", "return", right, "--reason", "one till, one disk", "--yes"),
        *("--database", shop.ledger.database),
    )
    assert done.returncode == 0, done.stderr
    assert shop.till.stop() == 0
    assert ("locked", 40) not in shop.promised()
    account = shop.ledger.account(NUMBER)
    assert account["points"] == 200 + 3 - 30 - 20
    assert tilld("ledger", "verify", "--database", shop.ledger.database).returncode == 0


@pytest.mark.timeout(120)
def test_floor_limits_state_their_worst_case(tmp_path: Path) -> None:
    """In figures, before anything is risked."""
    config = tmp_path / "tilld.toml"
    config.write_text('[offline]\nredeem = "floor"\nfloor_per_card = 150\nfloor_per_transaction = 100\ntills = 8\n')
    done = tilld("check-config", "--config", config)
    assert done.returncode == 0
    assert "7 x 150 = 1050 points" in done.stdout
