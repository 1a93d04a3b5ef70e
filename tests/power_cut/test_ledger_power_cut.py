"""What the ledger has acknowledged survives the loss of its power, with its effect, once."""

import random
from contextlib import closing
from pathlib import Path

import pytest

from ledger.sqlite.book import SqliteBook
from tests.power_cut.cutting import ACKNOWLEDGED, running
from tests.power_cut.disk import mounted
from tests.power_cut.ledger_victim import POINTS, card

CUTS = 5
TILLS = 2

pytestmark = pytest.mark.power_cut


@pytest.mark.timeout(600)
def test_no_acknowledged_batch_is_lost(empty: Path, tmp_path: Path) -> None:
    """Cuts at random moments: the books add up, and hold at least what two tills were told."""
    chance = random.Random(22)
    for _ in range(CUTS):
        acknowledged = cut(empty, tmp_path, chance.randint(1, 2 * ACKNOWLEDGED))
        with mounted(tmp_path / "after.img", tmp_path / "after") as after:
            held(after.folder / "ledger.db", acknowledged)


def cut(empty: Path, folder: Path, number: int) -> tuple[int, ...]:
    """How many records of each till were acknowledged; the disk without power is then in after.img."""
    image = folder / "disk.img"
    image.write_bytes(empty.read_bytes())
    with mounted(image, folder / "disk") as disk:
        command = ["tests.power_cut.ledger_victim", str(disk.folder / "ledger.db"), str(folder / "acks")]
        with running(command, folder / "acks", TILLS) as victim:
            victim.wait_for(number)
            victim.stop()
            disk.copied(folder / "after.img")
            return victim.acknowledged()


def held(books: Path, acknowledged: tuple[int, ...]) -> None:
    with closing(SqliteBook(books)) as book:
        verification = book.verify()
        assert verification.ok, verification.problems
        for number, count in enumerate(acknowledged, 1):
            statement = book.statement(card(number))
            points = statement.points if statement else 0
            assert points >= count * POINTS
