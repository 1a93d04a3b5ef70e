"""What was acknowledged survives the loss of power: `kill -9` cannot show that, a disk without power can.

The till runs on a file system in an image; it is stopped at a random moment, the image is copied as the block
device holds it, and the copy is mounted as after the power has come back.
"""

import random
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.journal_reader import JournalReader
from tests.offline_queue.sales import open_store
from tests.power_cut.cutting import ACKNOWLEDGED, running
from tests.power_cut.disk import Disk, mounted
from tests.power_cut.victim import key

CUTS = 10

pytestmark = pytest.mark.power_cut


def cut(empty: Path, folder: Path, synchronous: str, chance: random.Random) -> tuple[int, int]:
    """One cut: how many were acknowledged and how many of these are lost."""
    threads = chance.choice((1, 4))
    image = folder / "disk.img"
    image.write_bytes(empty.read_bytes())
    with mounted(image, folder / "disk") as disk:
        acknowledged = until_the_cut(disk, folder, synchronous, threads, chance.randint(1, 2 * ACKNOWLEDGED))
    with mounted(folder / "after.img", folder / "after") as after:
        return sum(acknowledged), lost(after.folder / "journal.db", acknowledged)


def until_the_cut(disk: Disk, folder: Path, synchronous: str, threads: int, number: int) -> tuple[int, ...]:
    """The acknowledgements; the disk without power is then in after.img."""
    command = ["tests.power_cut.victim", str(disk.folder / "journal.db"), str(folder / "acks"), synchronous]
    with running(command, folder / "acks", threads) as victim:
        victim.wait_for(number)
        victim.stop()
        disk.copied(folder / "after.img")
        return victim.acknowledged()


def lost(journal: Path, acknowledged: tuple[int, ...]) -> int:
    """Opens what is left as a till would: the chain must hold, and the lost acknowledgements are counted."""
    if not journal.exists():
        return sum(acknowledged)
    with closing(open_store(journal)) as store, closing(store.reader()) as reader:
        assert reader.verify().ok
        return sum(missing(reader, thread, count) for thread, count in enumerate(acknowledged))


def missing(reader: JournalReader, thread: int, count: int) -> int:
    return sum(reader.find_key(key(thread, number)) is None for number in range(1, count + 1))


@pytest.mark.timeout(600)
def test_nothing_acknowledged_is_lost(empty: Path, tmp_path: Path) -> None:
    """Cuts at random moments, with one caller and with several: every acknowledged sale is there."""
    chance = random.Random(20)
    results = [cut(empty, tmp_path, "full", chance) for _ in range(CUTS)]
    assert [lost for _, lost in results] == [0] * CUTS
    assert sum(acknowledged for acknowledged, _ in results) > CUTS * ACKNOWLEDGED / 2


@pytest.mark.timeout(300)
def test_this_test_can_fail(empty: Path, tmp_path: Path) -> None:
    """The same with synchronous=NORMAL, which acknowledges before the disk has it: sales are lost."""
    chance = random.Random(21)
    results = [cut(empty, tmp_path, "normal", chance) for _ in range(3)]
    assert sum(lost for _, lost in results) > 0
