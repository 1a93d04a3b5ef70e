"""Books killed between any two statements: each call is wholly there or not at all, and everything adds up."""

import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.ledger.doomed_books import DAY_MS, opened, seen
from tests.ledger.fake_till import FakeTill, FakeTimepiece

ROOT = Path(__file__).parents[2]
DEATHS = 50


def run(folder: Path, numbers: list[int]) -> None:
    command = [sys.executable, "-m", "tests.ledger.doomed_books", str(folder), *map(str, numbers)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=110)


def later() -> FakeTimepiece:
    """The clock as it stood at the end."""
    timepiece = FakeTimepiece()
    timepiece.now += 5 * DAY_MS
    return timepiece


def check(folder: Path, after_call: list[str]) -> int:
    """The number of calls that were done; the books say what they said after that one, or after the next."""
    acknowledged = (folder / "acks").stat().st_size
    with closing(opened(folder, later())) as book:
        assert book.verify().problems == []
        assert seen(book) in after_call[max(0, acknowledged - 1) : acknowledged + 1]
        till = FakeTill(book, 9)
        till.send(till.earn(1))
        assert book.verify().problems == []
    return acknowledged


def test_killed_before_any_statement(tmp_path: Path) -> None:
    """At the opening, in a batch, a correction, a merger, a write-off: nothing is half done, and the books go on."""
    run(tmp_path, [0])
    statements = int((tmp_path / "0" / "statements").read_text())
    after_call = (tmp_path / "0" / "seen").read_text().split()
    assert len(set(after_call)) == len(after_call), "every call changes something"
    deaths = sorted({*range(1, 30, 3), *random.Random(11).sample(range(1, statements + 1), DEATHS)})
    run(tmp_path, deaths)
    done = [check(tmp_path / str(death), after_call) for death in deaths]
    assert min(done) == 0
    assert max(done) >= len(after_call) - 3
