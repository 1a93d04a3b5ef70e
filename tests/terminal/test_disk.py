"""A till whose disk runs out of room: warned in time, then it only earns."""

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.room import MIB, Room, Space
from offline_queue.words import Language
from terminal.commands.status_text import status_text
from terminal.disk import Disk, DiskView
from terminal.pos import Refusal
from tests.terminal.rig import Shop


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(command, check=False, capture_output=True, timeout=60).returncode != 0:
        pytest.skip("needs root and the right to mount, for a disk that is really small")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=60)


def test_a_change_for_the_worse_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The technician reads it in the log when it happens, not with every sale."""
    space = Space(MIB, 1000 * MIB)
    disk = Disk(lambda: space)
    disk.view()
    assert caplog.records == []
    for free in (50, 50, 10, 10):
        space = Space(MIB, free * MIB)
        disk.view()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "50 MiB left" in caplog.records[0].message
    assert "no longer redeemed" in caplog.records[1].message


def test_a_disk_that_cannot_be_asked_refuses_nothing() -> None:
    """Not to know is no reason to send a customer away; a commit that fails is."""

    def gone() -> Space:
        raise OSError("stale file handle")

    disk = Disk(gone)
    disk.refuse_redemption()
    assert disk.view() is None


@pytest.mark.parametrize(("language", "words"), [("en", "call the technician"), ("fr", "prévenez le technicien")])
def test_scarce_room_refuses_redemptions_in_words(language: Language, words: str) -> None:
    """The cashier reads what it means for the points and what to do."""
    disk = Disk(lambda: Space(MIB, MIB))
    with pytest.raises(Refusal) as caught:
        disk.refuse_redemption()
    assert words in caught.value.detail.said(language)
    assert (caught.value.code, caught.value.reason) == ("not_recorded", "disk_scarce")


def test_a_till_with_scarce_room_earns_and_takes_back(tiny: Path) -> None:
    """Points handed over are the loss that no reversal mends; earning goes on to the last."""
    with closing(Shop(tiny)) as shop:
        till = shop.start()
        sold = till.sell("s1")
        refused = till.heard(till.ask("r1", "redeem", points=5))
        assert isinstance(refused, Refusal)
        assert refused.reason == "disk_scarce"
        assert not isinstance(till.heard(till.ask("b1", "reverse", None, reverses=sold.id)), Refusal)
        view = till.question("status")["disk"]
        assert isinstance(view, DiskView)
        assert view.room is Room.SCARCE


def test_status_speaks_of_the_disk_only_when_there_is_reason() -> None:
    """A glance shows what needs a hand, and nothing else."""
    told = {
        "running": False,
        "ledger": {},
        "queue": {"queued": 0, "oldest_age_s": None, "conflicts": 0},
        "readers": [],
        "disk": {"room": "fine", "free_bytes": 2**30},
    }
    assert "disk" not in status_text(told)
    scarce = status_text(told | {"disk": {"room": "scarce", "free_bytes": 9 * MIB}})
    assert "9 MiB left for the journal; make room" in scarce
