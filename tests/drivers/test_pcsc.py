"""The pcsc driver on a real pcscd: what it reads, and what it says when something goes wrong."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.base import ReaderState, Technology
from tests.virtual.cards import NtagCard, Type4Card, mute, pulled, swapped, text_record
from tests.virtual.pcscd import VirtualPcscd
from tests.virtual.watching import Watched, read_of

pytestmark = pytest.mark.pcscd

NUMBER = "2990000000017"
APDUS_OF_A_TEXT = 4
"""Serial number, capability container, one more page, serial number again."""


@pytest.fixture
def reader(pcscd: VirtualPcscd, tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path, "pcsc", options={"match": pcscd.names[0]}) as watched:
        watched.state(ReaderState.READY)
        yield watched


def test_a_card_without_a_serial_number_is_read(pcscd: VirtualPcscd, reader: Watched) -> None:
    """Some readers and cards tell none; the text is enough."""
    pcscd.insert(Type4Card(text_record(NUMBER), uid=None))
    read = reader.card()
    assert (read.technology, read.data, read.uid, read.effort) == (Technology.TYPE_4, NUMBER, None, 1)


def test_a_card_that_carries_nothing_is_named(pcscd: VirtualPcscd, reader: Watched) -> None:
    """A contact card of a foreign application is no card of ours, and the cashier is told so."""
    foreign = Type4Card(b"", uid=None, atr=bytes.fromhex("3b6500002063cb6800"))
    foreign.applications = frozenset()
    pcscd.insert(foreign)
    assert reader.failure().reason == "unsupported_card"


@pytest.mark.parametrize("at", [0, APDUS_OF_A_TEXT // 2, APDUS_OF_A_TEXT - 1])
def test_a_card_pulled_at_any_moment_is_gone_and_the_next_is_read(
    pcscd: VirtualPcscd, reader: Watched, at: int
) -> None:
    """Whichever exchange it leaves in, nothing is read of it, and the reader needs no rest."""
    pcscd.insert(pulled(NtagCard.with_text(NUMBER), at)).gone.wait(60)
    assert reader.failure().reason == "card_gone"
    pcscd.remove()
    pcscd.insert(NtagCard.with_text("2990000000024"))
    assert reader.card().data == "2990000000024"


@pytest.mark.parametrize("at", [1, APDUS_OF_A_TEXT - 1])
def test_a_card_swapped_for_another_is_never_read_as_either(pcscd: VirtualPcscd, reader: Watched, at: int) -> None:
    """pcscd notices no swap within 0.4 s: neither card's number must be credited to the other."""
    pcscd.insert(swapped(NtagCard.with_text(NUMBER), NtagCard.with_text("2990000000024", "04ffffffffffff"), at))
    assert reader.failure().reason == "card_swapped"
    pcscd.remove()
    pcscd.insert(NtagCard.with_text("2990000000031"))
    assert reader.nothing_before(read_of("2990000000031")) == []


def test_the_same_card_that_slipped_is_read_after_all(pcscd: VirtualPcscd, reader: Watched) -> None:
    """A moment without contact costs an attempt, not the read."""
    card = NtagCard.with_text(NUMBER)
    pcscd.insert(swapped(card, card, at=2))
    read = reader.card()
    assert read.data == NUMBER
    assert read.effort > 1


def test_pcscd_killed_and_started_again_needs_no_restart(pcscd: VirtualPcscd, reader: Watched) -> None:
    """The technician sees what is missing and how to mend it; when it is back, the same process reads on."""
    before = reader.supervisor.status.pid
    pcscd.kill()
    gone = reader.state(ReaderState.ABSENT)
    assert "pcscd" in gone.detail
    assert gone.remedy is not None
    assert "pcscd.socket" in gone.remedy
    pcscd.start()
    assert reader.state(ReaderState.READY).pid == before
    pcscd.insert(NtagCard.with_text(NUMBER))
    assert reader.card().data == NUMBER


def test_pcscd_killed_while_a_card_is_read_loses_only_that_read(pcscd: VirtualPcscd, reader: Watched) -> None:
    """The exchange in flight fails, nothing is reported of the card, and the reader comes back."""
    card = pcscd.insert(mute(NtagCard.with_text(NUMBER), at=1))
    assert card.silent.wait(60)
    pcscd.kill()
    reader.state(ReaderState.ABSENT)
    pcscd.start()
    reader.state(ReaderState.READY)
    pcscd.insert(NtagCard.with_text("2990000000024"))
    assert reader.nothing_before(read_of("2990000000024")) == []


def test_pcscd_that_is_missing_at_first_is_told_and_waited_for(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """A till that starts before pcscd is told what to install, and is ready as soon as pcscd is."""
    pcscd.kill()
    with Watched(tmp_path, "pcsc") as reader:
        assert reader.state(ReaderState.ABSENT).remedy
        pcscd.start()
        reader.state(ReaderState.READY)


def test_a_reader_that_is_not_there_is_absent_by_name(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """The state names what was looked for."""
    with Watched(tmp_path, "pcsc", options={"match": "ACR122U"}) as reader:
        assert "ACR122U" in reader.state(ReaderState.ABSENT).detail


def test_a_mute_card_costs_its_reader_a_process_and_the_others_nothing(
    pcscd: VirtualPcscd, reader: Watched, tmp_path: Path
) -> None:
    """pcscd waits for a mute card for ever; the supervisor does not, and the other reader reads meanwhile."""
    with Watched(tmp_path, "pcsc", "kiosk", {"match": pcscd.names[1]}) as other:
        other.state(ReaderState.READY)
        assert pcscd.insert(mute(NtagCard.with_text(NUMBER))).silent.wait(60)
        pcscd.insert(NtagCard.with_text("2990000000024"), reader=1)
        assert other.card().data == "2990000000024"
        assert "no sign of life" in reader.state(ReaderState.RECONNECTING).detail
        assert reader.state(ReaderState.READY).counters.restarts == 1
        assert reader.failure().reason == "card_was_there"
        assert other.supervisor.status.counters.restarts == 0
    pcscd.remove()
    pcscd.insert(NtagCard.with_text("2990000000031"))
    assert reader.card().data == "2990000000031"


def test_a_card_that_lies_there_at_the_first_opening_is_read(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """Nobody has presented it before: the till has only just begun."""
    pcscd.insert(NtagCard.with_text(NUMBER))
    pcscd.wait_for_card()
    with Watched(tmp_path, "pcsc") as reader:
        assert reader.card().data == NUMBER


def test_a_card_of_the_customer_before_is_not_read_again(pcscd: VirtualPcscd, reader: Watched) -> None:
    """After a crash the card on the reader may be anybody's: it has to be lifted and presented again."""
    pcscd.insert(NtagCard.with_text(NUMBER))
    reader.card()
    process = reader.supervisor.status.pid
    assert process is not None
    os.kill(process, signal.SIGKILL)
    assert reader.failure().reason == "card_was_there"
    assert reader.supervisor.status.counters.good == 1


def test_one_process_serves_every_reader(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """With no `match` every reader that pcscd has is read, and each read says which."""
    with Watched(tmp_path, "pcsc") as reader:
        reader.state(ReaderState.READY)
        pcscd.insert(NtagCard.with_text(NUMBER), reader=1)
        assert reader.card().slot == f"{pcscd.names[1]} 00 00"
        pcscd.insert(NtagCard.with_text(NUMBER), reader=0)
        assert reader.card().slot == f"{pcscd.names[0]} 00 00"
