"""The contactless driver on an emulated PN532: what it reads, and what it says when something goes wrong."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from drivers.base import Condition, Place, ReaderState
from drivers.contactless import Options, Reader, device_of
from drivers.pn532_line import SerialLine
from terminal.readers.life import Limits
from tests.virtual.cards import (
    Card,
    NtagCard,
    Type4Card,
    mute,
    payment_card,
    pulled,
    swapped,
    text_record,
)
from tests.virtual.pn532 import Pn532
from tests.virtual.watching import Watched, read_of

NUMBER = "2990000000017"
READS_OF_A_TEXT = 2
"""Capability container with the first pages, one more page."""


class Desk(NamedTuple):
    chip: Pn532
    reader: Watched


PATIENT = Limits(silence_s=20.0, first_pause_s=0.05, longest_pause_s=0.2)
"""As in a shop: waking a chip that does not answer takes 2 s."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A reader that serves one card after the other, as in a shop: every test begins by laying a card down."""
    folder = tmp_path_factory.mktemp("desk")
    with Pn532(folder) as chip, Watched(folder, "contactless", options={"path": str(chip.path)}) as watched:
        watched.state(ReaderState.READY)
        yield Desk(chip, watched)


@pytest.fixture
def chip(tmp_path: Path) -> Iterator[Pn532]:
    with Pn532(tmp_path) as running:
        yield running


@pytest.fixture
def reader(chip: Pn532, tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path, "contactless", options={"path": str(chip.path)}) as watched:
        watched.state(ReaderState.READY)
        yield watched


def test_a_phone_is_read_once_although_its_number_changes(desk: Desk) -> None:
    """A phone draws a new number at each activation; it lies there as one presentation."""
    chip, reader = desk
    chip.insert(Type4Card(text_record(NUMBER), uid=None))
    read = reader.card()
    assert read.data == NUMBER
    assert read.uid is not None
    assert read.uid.startswith("08")
    chip.wait_for_commands(20)
    chip.insert(NtagCard.with_text("2990000000024"))
    assert reader.nothing_before(read_of("2990000000024")) == []


def test_a_payment_card_is_asked_for_no_more_than_whether_it_is_one(desk: Desk) -> None:
    """Two SELECTs, then it is switched off; as long as it lies there nothing more is asked of it."""
    chip, reader = desk
    placed = chip.insert(payment_card())
    assert reader.failure().reason == "payment_card"
    chip.wait_for_commands(20)
    assert [apdu[5:-1] for apdu in placed.asked] == [b"OSE.VAS.01", b"2PAY.SYS.DDF01"]


@pytest.mark.parametrize("at", range(READS_OF_A_TEXT))
def test_a_card_pulled_in_the_middle_is_gone_and_the_next_is_read(desk: Desk, at: int) -> None:
    """Whichever exchange it leaves in, nothing is read of it, and the reader needs no rest."""
    chip, reader = desk
    chip.insert(pulled(NtagCard.with_text(NUMBER), at))
    assert reader.failure().reason == "card_gone"
    chip.insert(NtagCard.with_text("2990000000024"))
    assert reader.card().data == "2990000000024"
    assert reader.supervisor.status.counters.restarts == 0


@pytest.mark.parametrize("at", range(READS_OF_A_TEXT))
def test_a_card_swapped_for_another_is_never_read_as_either(desk: Desk, at: int) -> None:
    """Neither card's number is credited to the other; the second would have to be presented anew."""
    chip, reader = desk
    second = NtagCard.with_text("2990000000024", "04ffffffffffff")
    chip.insert(swapped(NtagCard.with_text(NUMBER), second, at))
    assert reader.failure().reason == "card_gone"
    chip.wait_for_commands(20)
    chip.insert(NtagCard.with_text("2990000000031"))
    assert reader.nothing_before(read_of("2990000000031")) == []


def test_the_same_card_that_slipped_is_read_after_all(desk: Desk) -> None:
    """A moment without contact costs an attempt, not the read."""
    chip, reader = desk
    card = NtagCard.with_text(NUMBER)
    chip.insert(swapped(card, card, at=1))
    read = reader.card()
    assert read.data == NUMBER
    assert read.effort > 1


def test_a_mute_card_is_told_and_costs_no_process(desk: Desk) -> None:
    """The chip has a time limit of its own, so the reader goes on with the next card."""
    chip, reader = desk
    assert chip.insert(mute(Type4Card(text_record(NUMBER)))).silent.wait(60)
    assert reader.failure().reason == "mute"
    chip.insert(NtagCard.with_text("2990000000024"))
    assert reader.card().data == "2990000000024"
    assert reader.supervisor.status.counters.restarts == 0


@pytest.mark.parametrize("card", [NtagCard.with_text(NUMBER), Type4Card(text_record(NUMBER))], ids=["ntag", "type4"])
def test_a_card_that_lies_there_is_one_presentation(desk: Desk, card: Card) -> None:
    """It is looked at again and again, and reported once."""
    chip, reader = desk
    chip.insert(card)
    assert reader.card().data == NUMBER
    chip.wait_for_commands(20)
    chip.insert(NtagCard.with_text("2990000000024"))
    assert reader.nothing_before(read_of("2990000000024")) == []


@pytest.mark.parametrize("speed", [115200, 921600, 460800, 230400])
def test_a_chip_left_at_another_speed_is_brought_back(chip: Pn532, speed: int) -> None:
    """nfcpy alone never reaches such a chip again; here nobody has to cut its power."""
    chip.chip.speed = speed
    line = SerialLine.taken(chip.path)
    try:
        assert line.wake() == speed
        assert line.wake() == 115200
    finally:
        line.free()
    assert chip.chip.speed == 115200


def test_a_killed_process_leaves_the_chip_fast_and_the_next_one_finds_it(chip: Pn532, reader: Watched) -> None:
    """kill -9 gives no time to slow down: the wedge is there, and it is undone."""
    pid = reader.supervisor.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    reader.state(ReaderState.RECONNECTING)
    assert chip.chip.speed == 921600
    reader.state(ReaderState.READY)
    chip.insert(NtagCard.with_text(NUMBER))
    assert reader.card().data == NUMBER


def test_a_reader_that_is_closed_leaves_the_chip_as_it_was_found(chip: Pn532) -> None:
    """At its first speed and asleep, so that any other program finds it; in its process it has little time for that."""
    reader = Reader(Place("counter", "/nowhere"), Options(path=str(chip.path)))
    reader.open()
    while not isinstance(said := reader.read(0.0), Condition) or said.state is not ReaderState.READY:
        pass
    assert chip.chip.speed == 921600
    reader.close()
    assert (chip.chip.speed, chip.chip.asleep) == (115200, True)


def test_a_reader_unplugged_is_absent_and_comes_back_by_itself(chip: Pn532, reader: Watched) -> None:
    """The technician sees what is missing; when it is back, the same process reads on."""
    before = reader.supervisor.status.pid
    chip.unplug()
    gone = reader.state(ReaderState.ABSENT)
    assert chip.path.name in gone.detail
    assert gone.remedy
    chip.plug()
    reader.supervisor.look_now()
    assert reader.state(ReaderState.READY).pid == before
    chip.insert(NtagCard.with_text(NUMBER))
    assert reader.card().data == NUMBER


def test_a_reader_unplugged_in_the_middle_of_a_card_loses_only_that_read(chip: Pn532, reader: Watched) -> None:
    """Half a card is no card; and one that lies there when the reader is back may be anybody's."""
    chip.delay_s = 0.02
    assert chip.insert(NtagCard.with_text(NUMBER)).heard.wait(60)
    chip.unplug()
    reader.state(ReaderState.ABSENT)
    chip.delay_s = 0.0
    chip.plug()
    assert reader.failure().reason == "card_was_there"
    chip.insert(NtagCard.with_text("2990000000024"))
    assert reader.nothing_before(read_of("2990000000024")) == []


def test_noise_on_the_line_is_survived(chip: Pn532, reader: Watched) -> None:
    """A damaged answer costs the connection to the chip, not the process and not the next card."""
    before = reader.supervisor.status.pid
    chip.garbles = 3
    chip.wait_for_commands(60)
    assert chip.garbles == 0
    chip.insert(NtagCard.with_text(NUMBER))
    assert reader.card().data == NUMBER
    assert reader.supervisor.status.pid == before


def test_a_chip_that_falls_silent_is_told_with_what_to_check(chip: Pn532, tmp_path: Path) -> None:
    """The port is there and nobody answers: power, wires, switches. It is ready as soon as it answers again."""
    with Watched(tmp_path, "contactless", options={"path": str(chip.path)}, limits=PATIENT) as reader:
        reader.state(ReaderState.READY)
        chip.deaf = True
        failing = reader.state(ReaderState.FAILING)
        assert "no PN532 answers" in failing.detail
        assert failing.remedy is not None
        assert "HSU" in failing.remedy
        chip.deaf = False
        reader.state(ReaderState.READY)
        assert reader.supervisor.status.counters.restarts == 0


def test_a_chip_that_only_acknowledges_loses_its_process(chip: Pn532, reader: Watched) -> None:
    """nfcpy waits as long as acknowledgements come; the supervisor does not."""
    chip.babbles = True
    assert "no sign of life" in reader.state(ReaderState.RECONNECTING).detail
    chip.babbles = False
    reader.state(ReaderState.READY)


def test_a_second_reader_on_the_same_port_is_told_who_has_it(chip: Pn532, tmp_path: Path) -> None:
    """Neither disturbs the other, and the second takes over when the first has ended."""
    options = {"path": str(chip.path)}
    with ExitStack() as until_then:
        first = until_then.enter_context(Watched(tmp_path, "contactless", "kiosk", options))
        first.state(ReaderState.READY)
        with Watched(tmp_path, "contactless", options=options) as second:
            held = second.state(ReaderState.HELD)
            assert f"process {first.supervisor.status.pid}" in held.detail
            assert held.remedy
            chip.insert(NtagCard.with_text(NUMBER))
            assert first.card().data == NUMBER
            until_then.close()
            second.state(ReaderState.READY)


def test_a_program_that_knows_no_locks_is_named_too(chip: Pn532, tmp_path: Path) -> None:
    """A modem manager that has the port open would mix its words with ours."""
    code = "import os,sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(fd, flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(chip.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with Watched(tmp_path, "contactless", options={"path": str(chip.path)}) as reader:
            assert f"process {other.pid}" in reader.state(ReaderState.HELD).detail
            other.communicate()
            reader.state(ReaderState.READY)


@pytest.mark.parametrize("path", ["/dev/tilld-none", "tty:USB99:pn532", "usb:ffff:0001"])
def test_a_reader_that_is_not_there_is_absent_by_name(tmp_path: Path, path: str) -> None:
    """The state names what was looked for."""
    with Watched(tmp_path, "contactless", options={"path": path}) as reader:
        absent = reader.state(ReaderState.ABSENT)
    assert (device_of(path) or path) in absent.detail
    assert absent.remedy


def test_a_port_that_this_user_may_not_open_is_forbidden(chip: Pn532) -> None:
    """The remedy names the group that the port belongs to."""
    port = chip.path.resolve()
    port.chmod(0o060)
    user = os.geteuid()
    if user == 0:
        shutil.chown(port, group="dialout")  # as Debian's udev does with serial ports
    reader = Reader(Place("counter", "/nowhere"), Options(path=str(port)))
    reader.open()
    os.seteuid(65534 if user == 0 else user)  # root may open anything
    try:
        said = reader.read(0.0)
    finally:
        os.seteuid(user)
        reader.close()
    assert isinstance(said, Condition)
    assert said.state is ReaderState.FORBIDDEN
    assert said.remedy is not None
    assert port.group() in said.remedy


def test_a_shop_that_has_not_installed_nfcpy_is_told_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The driver is there without its library, as every driver is."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "nfc.py").write_text("raise ImportError('no libusb')\n")
    with Watched(tmp_path, "contactless", options={"path": "usb"}) as reader:
        absent = reader.state(ReaderState.ABSENT)
    assert absent.remedy == "pip install 'tilld[contactless]'"


@pytest.mark.parametrize("path", ["", "ttyUSB0", "tty:USB0:arygon", "usb:xyz", "/dev"[1:]])
def test_a_path_that_names_no_reader_is_refused(path: str) -> None:
    """Before anything is opened: a mistyped path must not lead to another device."""
    with pytest.raises(ValueError, match="neither"):
        Options(path=path)


def test_the_names_that_nfcpy_gives_to_ports_are_understood() -> None:
    """Numbered ports have their kernel's names, anything else is a name under /dev."""
    assert device_of("tty:USB0:pn532") == "/dev/ttyUSB0"
    assert device_of("tty:AMA0:pn532") == "/dev/ttyAMA0"
    assert device_of("tty:serial0:pn532") == "/dev/serial0"
    assert device_of("/dev/serial/by-id/usb-x") == "/dev/serial/by-id/usb-x"
    assert device_of("usb:054c") is None
