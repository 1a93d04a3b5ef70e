"""What was acknowledged survives the loss of power: `kill -9` cannot show that, a disk without power can.

The till runs on a file system in an image; it is stopped at a random moment, the image is copied as the block
device holds it, and the copy is mounted as after the power has come back.
"""

import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from offline_queue.journal_reader import JournalReader
from tests.offline_queue.sales import open_store
from tests.power_cut.disk import Disk, NoDisk, made, mounted
from tests.power_cut.victim import key

ROOT = Path(__file__).parents[2]
CUTS = 20
ACKNOWLEDGED = 300
DEADLINE_S = 20.0

pytestmark = pytest.mark.power_cut


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An image with an empty file system."""
    if os.getuid() != 0:
        pytest.skip("needs root and loop devices, to mount a disk and cut its power")
    try:
        with mounted(made(tmp_path / "empty.img"), tmp_path / "probe"):
            pass
    except NoDisk as error:
        pytest.skip(f"no disk to cut the power of: {error}")
    return tmp_path / "empty.img"


class Victim:
    """A running till and its acknowledgements."""

    def __init__(self, process: "subprocess.Popen[bytes]", acks: Path, threads: int) -> None:
        self.process = process
        self.acks = acks
        self.threads = threads

    def acknowledged(self) -> tuple[int, ...]:
        return struct.unpack(f"={self.threads}Q", self.acks.read_bytes())

    def wait_for(self, number: int) -> None:
        """Until so many appends were acknowledged."""
        deadline = time.monotonic() + DEADLINE_S
        while sum(self.acknowledged()) < number:
            assert self.process.poll() is None, "the till has died by itself"
            assert time.monotonic() < deadline, f"only {self.acknowledged()} acknowledged"

    def stop(self) -> None:
        """Returns when the process stands still: nothing is acknowledged after this."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)


@contextmanager
def running(journal: Path, acks: Path, synchronous: str, threads: int) -> Iterator[Victim]:
    acks.write_bytes(bytes(8 * threads))
    command = [sys.executable, "-m", "tests.power_cut.victim", str(journal), str(acks), synchronous, str(threads)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield Victim(process, acks, threads)
    finally:
        process.kill()
        process.wait(DEADLINE_S)


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
    with running(disk.folder / "journal.db", folder / "acks", synchronous, threads) as victim:
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


@pytest.mark.timeout(180)
def test_nothing_acknowledged_is_lost(empty: Path, tmp_path: Path) -> None:
    """20 cuts at random moments, with one caller and with several: every acknowledged sale is there."""
    chance = random.Random(20)
    results = [cut(empty, tmp_path, "full", chance) for _ in range(CUTS)]
    assert [lost for _, lost in results] == [0] * CUTS
    assert sum(acknowledged for acknowledged, _ in results) > CUTS * ACKNOWLEDGED / 2


@pytest.mark.timeout(60)
def test_this_test_can_fail(empty: Path, tmp_path: Path) -> None:
    """The same with synchronous=NORMAL, which acknowledges before the disk has it: sales are lost."""
    chance = random.Random(21)
    results = [cut(empty, tmp_path, "normal", chance) for _ in range(3)]
    assert sum(lost for _, lost in results) > 0
