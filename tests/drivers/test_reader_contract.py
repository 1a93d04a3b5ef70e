"""What every driver must do, through the real worker process and its supervisor."""

import io
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import segno

from drivers.base import Note, NoteWritten, ReaderState
from drivers.simulated import Fault, Tap, tap
from drivers.worker import Assignment, Heartbeat
from terminal.readers.child import ReaderChild
from tests.virtual import keyboard
from tests.virtual.cards import Card, NtagCard, Pulled, Type4Card, mute, text_record
from tests.virtual.keyboard import RecordedKeyboard
from tests.virtual.pcscd import VirtualPcscd, missing
from tests.virtual.pn532 import Pn532
from tests.virtual.serial_scanner import SerialScanner
from tests.virtual.watching import Watched, read_of


@dataclass(frozen=True)
class Rig:
    """A driver with a way to present cards to it. `garble` presents what is no card, `hang` stalls its process.

    `lay` puts a card down for drivers that write notes, None for the others.
    """

    driver: str
    present: Callable[[Watched, str], None]
    garble: Callable[[Watched], None]
    hang: Callable[[Watched], None]
    options: dict[str, Any] = field(default_factory=dict)
    lay: Callable[[Card], None] | None = None


@contextmanager
def simulated(_: pytest.MonkeyPatch, __: Path) -> Iterator[Rig]:
    def garble(reader: Watched) -> None:
        for line in (b"\n", b"\xff\xfe{", b'{"card":5}\n', b'{"card":"1","surprise":1}\n', b"[" * 9000):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(60)
                client.connect(str(reader.socket))
                client.sendall(line)
                client.shutdown(socket.SHUT_WR)
                assert b'"ok":false' in client.recv(4096)

    yield Rig(
        "simulated",
        present=lambda reader, number: tap(reader.socket, Tap(card=number)),
        garble=garble,
        hang=lambda reader: tap(reader.socket, Tap(fault=Fault.HANG)),
    )


@contextmanager
def pcsc(monkeypatch: pytest.MonkeyPatch, _: Path) -> Iterator[Rig]:
    if reason := missing():
        pytest.skip(reason)
    with VirtualPcscd() as pcscd:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", pcscd.environment["PCSCLITE_CSOCK_NAME"])

        def present(_: Watched, number: str) -> None:
            pcscd.insert(NtagCard.with_text(number))

        def garble(reader: Watched) -> None:
            pcscd.insert(NtagCard(message=b"\xff" * 40))
            assert reader.failure().reason == "damaged"

        def hang(_: Watched) -> None:
            pcscd.insert(mute(NtagCard()))

        def lay(card: Card) -> None:
            pcscd.insert(card)

        yield Rig("pcsc", present, garble, hang, lay=lay)


@contextmanager
def contactless(_: pytest.MonkeyPatch, folder: Path) -> Iterator[Rig]:
    with Pn532(folder) as chip:

        def present(_: Watched, number: str) -> None:
            chip.insert(NtagCard.with_text(number))

        def garble(reader: Watched) -> None:
            chip.insert(NtagCard(message=b"\xff" * 40))
            assert reader.failure().reason == "damaged"

        def hang(_: Watched) -> None:
            chip.insert(Type4Card(text_record("1")), stalls=True)

        def lay(card: Card) -> None:
            chip.insert(card)

        yield Rig("contactless", present, garble, hang, options={"path": str(chip.path)}, lay=lay)


@contextmanager
def camera(_: pytest.MonkeyPatch, folder: Path) -> Iterator[Rig]:
    """Over a folder of pictures: what a person would hold to it appears there."""
    pictures = folder / "pictures"
    pictures.mkdir()
    shown = iter(range(1000))

    def show(picture: bytes) -> None:
        """Whole at once, as a camera that saves its pictures would."""
        part = pictures / "part"
        part.write_bytes(picture)
        part.rename(pictures / f"{next(shown):04d}.png")

    def present(_: Watched, number: str) -> None:
        picture = io.BytesIO()
        segno.make(number, micro=False).save(picture, kind="png", scale=5)
        show(picture.getvalue())

    def garble(reader: Watched) -> None:
        show(b"\x89PNG\r\n\x1a\n and no more")
        assert reader.failure().reason == "damaged"

    def hang(_: Watched) -> None:
        os.mkfifo(pictures / "stuck.png")

    yield Rig("camera", present, garble, hang, {"source": str(pictures)})


@contextmanager
def serial_line(_: pytest.MonkeyPatch, folder: Path) -> Iterator[Rig]:
    with SerialScanner(folder) as scanner:

        def garble(reader: Watched) -> None:
            scanner.send(b"\x00\x01\x7f\r\n]C1no elements\r")
            assert reader.failure().reason == "damaged"

        yield Rig(
            "serial_line",
            present=lambda _, number: scanner.send(number.encode() + b"\r"),
            garble=garble,
            hang=stop_the_process,
            options={"port": str(scanner.port), "silence_ms": 40},
        )


@contextmanager
def keyboard_wedge(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Rig]:
    if reason := keyboard.missing():
        pytest.skip(reason)
    with RecordedKeyboard(folder) as scanner:
        for name, value in scanner.environment.items():
            monkeypatch.setenv(name, value)

        def garble(reader: Watched) -> None:
            scanner.play([keyboard.Event(keyboard.KEY, 0x2FF, 1), keyboard.Event(77, 1, -1)])
            assert reader.failure().reason == "wrong_layout"

        yield Rig(
            "keyboard_wedge",
            present=lambda _, number: scanner.scan(number),
            garble=garble,
            hang=stop_the_process,
            options={"device": str(scanner.path), "silence_ms": 40},
        )


def stop_the_process(reader: Watched) -> None:
    """As a driver hangs in the kernel: alive, and deaf to everything."""
    pid = reader.supervisor.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)


RIGS = [simulated, pytest.param(pcsc, marks=pytest.mark.pcscd), contactless, serial_line, keyboard_wedge, camera]


@pytest.fixture(params=RIGS, ids=["simulated", "pcsc", "contactless", "serial_line", "keyboard_wedge", "camera"])
def rig(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Rig]:
    with request.param(monkeypatch, tmp_path) as made:
        yield made


@pytest.fixture
def reader(rig: Rig, tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path, rig.driver, options=rig.options) as watched:
        watched.state(ReaderState.READY)
        yield watched


def test_an_opened_reader_says_ready_and_which_process_serves_it(rig: Rig, tmp_path: Path) -> None:
    """The first word after opening is the reader's state, with the process that the technician can look at."""
    with Watched(tmp_path, rig.driver, options=rig.options) as watched:
        status = watched.state(ReaderState.READY)
    assert status.pid is not None
    assert status.detail
    assert status.remedy is None


def test_each_presentation_is_one_read(rig: Rig, reader: Watched) -> None:
    """A card is reported once, however long it lies there; the next one once more."""
    rig.present(reader, "2990000000017")
    assert reader.card().data == "2990000000017"
    rig.present(reader, "2990000000024")
    assert reader.nothing_before(read_of("2990000000024")) == []
    assert reader.supervisor.status.counters.good == 2


def test_garbage_is_refused_and_the_reader_goes_on(rig: Rig, reader: Watched) -> None:
    """What is no card costs nothing but a word; the process stays the same."""
    before = reader.supervisor.status.pid
    rig.garble(reader)
    rig.present(reader, "2990000000017")
    assert reader.card().data == "2990000000017"
    assert reader.supervisor.status.pid == before
    assert reader.supervisor.status.counters.restarts == 0


@pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_process_is_the_readers_state_and_it_comes_back(
    rig: Rig, reader: Watched, killer: signal.Signals
) -> None:
    """The technician reads which signal it was; the next card is read by a new process."""
    before = reader.supervisor.status.pid
    assert before is not None
    os.kill(before, killer)
    gone = reader.state(ReaderState.RECONNECTING)
    assert killer.name in gone.detail
    assert gone.remedy
    after = reader.state(ReaderState.READY)
    assert after.pid != before
    assert after.counters.restarts == 1
    rig.present(reader, "2990000000017")
    assert reader.card().data == "2990000000017"


def test_a_hang_is_noticed_and_ended(rig: Rig, reader: Watched) -> None:
    """A driver that is stuck in its device loses its process, and the reader is ready again."""
    rig.hang(reader)
    gone = reader.state(ReaderState.RECONNECTING)
    assert "no sign of life" in gone.detail
    assert reader.state(ReaderState.READY).counters.restarts == 1


def test_an_idle_reader_gives_signs_of_life(rig: Rig, tmp_path: Path) -> None:
    """Heartbeats follow each other while nothing happens, whatever the driver waits for."""
    child = ReaderChild(rig.driver, "counter", Assignment(str(tmp_path), rig.options))
    wake = os.eventfd(0)
    try:
        seen = [child.next(wake, 60.0) for _ in range(4)]
    finally:
        child.free()
        os.close(wake)
    assert [message for message in seen if isinstance(message, Heartbeat)]


def test_an_orphan_ends_and_leaves_the_reader_free(rig: Rig, tmp_path: Path) -> None:
    """When the till is gone, however it went, its reader's process ends by itself."""
    child = ReaderChild(rig.driver, "counter", Assignment(str(tmp_path), rig.options))
    wake = os.eventfd(0)
    try:
        child.next(wake, 60.0)
        watch = os.pidfd_open(child.pid)
        child.hang_up()
        assert ended(watch)
    finally:
        child.free()
        os.close(wake)
    with Watched(tmp_path, rig.driver, options=rig.options) as watched:
        watched.state(ReaderState.READY)


def test_stopping_says_so_and_ends_the_process(rig: Rig, tmp_path: Path) -> None:
    """After stop() no process is left, and the last state is `stopped`."""
    with Watched(tmp_path, rig.driver, options=rig.options) as watched:
        pid = watched.state(ReaderState.READY).pid
    assert pid is not None
    assert watched.state(ReaderState.STOPPED).pid is None
    assert not Path(f"/proc/{pid}").exists()


@pytest.fixture
def lay(rig: Rig) -> Callable[[Card], None]:
    if rig.lay is None:
        pytest.skip("this driver writes no notes")
    return rig.lay


def test_a_note_is_written_while_the_card_lies_there_and_read_the_next_time(
    rig: Rig, lay: Callable[[Card], None], tmp_path: Path
) -> None:
    """Within the same presentation, without another read of the card; whoever wants no notes sees none."""
    card = NtagCard.with_notes("2990000000017")
    with Watched(tmp_path, rig.driver, options=rig.options, notes=True) as reader:
        lay(card)
        first = reader.card()
        assert first.note == Note(182)
        assert reader.noted(first, b"a note") == NoteWritten("04a1b2c3d4e5f6", b"a note")
        lay(card)
        again = reader.card()
        assert (again.data, again.note) == ("2990000000017", Note(182, b"a note"))
        assert reader.noted(again, b"") == NoteWritten("04a1b2c3d4e5f6", b"")
    with Watched(tmp_path, rig.driver, options=rig.options) as reader:
        lay(card)
        assert reader.card().note is None


@pytest.mark.parametrize("at", [0, 12, 30])
def test_a_card_pulled_while_it_is_written_keeps_its_older_note(
    rig: Rig, lay: Callable[[Card], None], tmp_path: Path, at: int
) -> None:
    """The reader says so and goes on; the card is read and written again."""
    card = NtagCard.with_notes("2990000000017")
    with Watched(tmp_path, rig.driver, options=rig.options, notes=True) as reader:
        lay(card)
        assert reader.noted(reader.card(), b"older").failure is None
        lay(pulled_at_write(card, at))
        assert reader.noted(reader.card(), b"newer" * 30).failure in {"card_gone", "not_written"}
        lay(card)
        read = reader.card()
        assert read.note == Note(182, b"older")
        assert reader.noted(read, b"newest").failure is None
        lay(card)
        assert reader.card().note == Note(182, b"newest")
        assert reader.supervisor.status.counters.restarts == 0


def test_a_note_is_never_written_on_the_card_that_came_instead(
    rig: Rig, lay: Callable[[Card], None], tmp_path: Path
) -> None:
    """The wish names a serial number, and that is asked for again."""
    first, other = NtagCard.with_notes("1"), NtagCard.with_notes("2", uid="04ffeeddccbbaa")
    before = bytes(other.memory)
    with Watched(tmp_path, rig.driver, options=rig.options, notes=True) as reader:
        lay(first)
        read = reader.card()
        lay(other)
        reader.card()
        assert reader.noted(read, b"a note").failure == "other_card"
    assert bytes(other.memory) == before


def test_wrong_options_are_named(rig: Rig, tmp_path: Path) -> None:
    """A key that the driver does not know is in the reader's state, with where to mend it."""
    with Watched(tmp_path, rig.driver, options=rig.options | {"mach": "ACR122"}) as watched:
        status = watched.state(ReaderState.FAILING)
    assert "mach" in status.detail
    assert status.remedy is not None
    assert "config" in status.remedy


def pulled_at_write(card: NtagCard, at: int) -> Card:
    """It goes when it shall write its page number `at`, and has written the ones before."""

    class Leaving(NtagCard):
        pages_written = 0

        def write(self, page: int, data: bytes) -> None:
            self.pages_written += 1
            if self.pages_written > at:
                raise Pulled
            super().write(page, data)

    leaving = Leaving(card.uid, pages=card.pages)
    leaving.memory = card.memory
    return leaving


def ended(pidfd: int) -> bool:
    """Whether the process ends within 5 s."""
    try:
        return bool(select.select([pidfd], [], [], 5)[0])
    finally:
        os.close(pidfd)
