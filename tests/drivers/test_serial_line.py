"""Scanners on a serial line: pyserial on pseudo-terminals, and every way in which a port fails."""

import os
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from drivers.base import Condition, DriverError, EntryMode, Place, Reader, ReaderAbsent, ReaderState, Technology
from drivers.serial_line import Options, SerialLine, chosen
from drivers.serial_line import Reader as SerialReader
from tests.drivers.reading import card, failure, opened, state
from tests.virtual.serial_scanner import SerialScanner

NUMBER = "2990000000017"
NOBODY = 65534


def made(port: Path | str, **options: object) -> SerialReader:
    told = msgspec.convert({"port": str(port), "silence_ms": 40, **options}, Options)
    return SerialReader(Place("counter", "/nowhere"), told)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.attachment.RETRY_S", 0.05)


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[SerialScanner]:
    with SerialScanner(tmp_path) as plugged:
        yield plugged


@pytest.fixture
def reader(scanner: SerialScanner) -> Iterator[Reader]:
    with opened(made(scanner.port)) as reader:
        state(reader, ReaderState.READY)
        yield reader


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\t"])
def test_a_scan_is_read_whatever_ends_it(scanner: SerialScanner, reader: Reader, ending: bytes) -> None:
    """Two in a row, and the kind that the scanner tells."""
    scanner.send(b"]Q1" + NUMBER.encode() + ending + b"]C0CLUB-77" + ending)
    first, second = card(reader), card(reader)
    assert (first.technology, first.entry_mode, first.data) == (Technology.QR, EntryMode.SCANNED, NUMBER)
    assert (second.technology, second.data) == (Technology.CODE128, "CLUB-77")
    assert first.duration_ms >= 0


def test_a_scan_that_breaks_off_is_told_and_the_next_one_is_whole(scanner: SerialScanner, reader: Reader) -> None:
    """Half a number is never a number, and never the beginning of the next one."""
    scanner.send(b"299000")
    broken = failure(reader)
    assert broken.reason == "half_scan"
    assert "ending" in broken.detail
    scanner.send(NUMBER.encode() + b"\r")
    assert card(reader).data == NUMBER


def test_silence_ends_a_scan_where_it_is_configured(scanner: SerialScanner) -> None:
    """For scanners that cannot send an ending."""
    with opened(made(scanner.port, ending="silence")) as reader:
        state(reader, ReaderState.READY)
        scanner.send(NUMBER.encode())
        assert card(reader).data == NUMBER


def test_what_was_sent_before_the_port_was_opened_is_nobodys(scanner: SerialScanner) -> None:
    """The rest of a customer's scan is not the beginning of the next customer's."""
    far = os.open(scanner.port, os.O_RDWR | os.O_NOCTTY)
    scanner.send(b"0000017")
    with opened(made(scanner.port)) as reader:
        state(reader, ReaderState.READY)
        os.close(far)
        scanner.send(NUMBER.encode() + b"\r")
        assert card(reader).data == NUMBER


def test_a_scanner_that_is_unplugged_is_absent_and_comes_back(scanner: SerialScanner, reader: Reader) -> None:
    """With half a scan on the line; it comes back as another tty under the same link, without a new process."""
    scanner.send(b"299")
    scanner.unplug()
    gone = state(reader, ReaderState.ABSENT)
    assert gone.remedy
    scanner.plug()
    state(reader, ReaderState.READY)
    scanner.send(NUMBER.encode() + b"\r")
    assert card(reader).data == NUMBER


def test_a_scan_that_was_whole_before_the_unplugging_counts(scanner: SerialScanner, reader: Reader) -> None:
    """The customer has shown the card; the cable came after."""
    scanner.send(NUMBER.encode() + b"\r")
    assert card(reader).data == NUMBER
    scanner.unplug()
    state(reader, ReaderState.ABSENT)


def test_a_missing_port_is_looked_for_until_it_is_there(tmp_path: Path) -> None:
    """Told once, with the command that lists what is there."""
    with SerialScanner(tmp_path) as scanner:
        scanner.unplug()
        with opened(made(scanner.port)) as reader:
            absent = state(reader, ReaderState.ABSENT)
            assert absent.remedy is not None
            assert "/dev/serial/by-id" in absent.remedy
            assert reader.read(0.0) is None
            scanner.plug()
            state(reader, ReaderState.READY)


HOLD = (
    "import sys, serial; port = serial.Serial(sys.argv[1], exclusive=True); print('held', flush=True); sys.stdin.read()"
)
OPEN = "import sys; port = open(sys.argv[1], 'rb'); print('held', flush=True); sys.stdin.read()"


@pytest.mark.parametrize("program", [HOLD, OPEN], ids=["with a lock", "without a lock"])
def test_a_port_that_another_process_reads_is_held_by_name(scanner: SerialScanner, program: str) -> None:
    """Both would get half a scan each. The technician reads which process it is; when it ends, it is ready."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, scanner.port], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        with opened(made(scanner.port)) as reader:
            held = state(reader, ReaderState.HELD)
            assert f"process {holder.pid}" in held.detail
            assert held.remedy is not None
            assert str(holder.pid) in held.remedy
            holder.stdin.close()
            holder.wait()
            state(reader, ReaderState.READY)


def test_an_opened_port_is_locked_for_others(scanner: SerialScanner, reader: Reader) -> None:
    """A second till on the same machine is told who has it."""
    code = (
        "import sys, json; from drivers.serial_line import Options, attach\n"
        "from drivers.base import ReaderHeld\n"
        "try: attach(Options(port=sys.argv[1]))\n"
        "except ReaderHeld as held: print(held.condition.detail)"
    )
    second = subprocess.run(
        [sys.executable, "-c", code, scanner.port], capture_output=True, text=True, check=True, timeout=60
    )
    assert f"process {os.getpid()}" in second.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become nobody")
def test_a_port_of_another_user_is_forbidden_with_the_group_that_opens_it(scanner: SerialScanner) -> None:
    """The remedy is the command to type."""
    tty = scanner.port.resolve()
    os.chown(tty, 0, 20)
    tty.chmod(0o660)
    scanner.port.parent.chmod(0o755)
    reader = made(tty)
    reader.open()
    os.seteuid(NOBODY)
    try:
        forbidden = reader.read(0.0)
    finally:
        os.seteuid(0)
    assert isinstance(forbidden, Condition)
    assert forbidden.state is ReaderState.FORBIDDEN
    assert "usermod -aG dialout nobody" in (forbidden.remedy or "")


def test_what_is_no_serial_line_is_said(tmp_path: Path) -> None:
    """A wrong path in the config does not look like a broken reader."""
    file = tmp_path / "file"
    file.touch()
    for path in (file, tmp_path):
        with opened(made(path)) as reader:
            failing = state(reader, ReaderState.FAILING)
            assert str(path) in failing.detail


class FailingPort:
    """pyserial's port, each call of which fails as an unplugged one does."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.ready, self.writer = os.pipe()
        os.write(self.writer, b"x")

    def fileno(self) -> int:
        return self.ready

    def read(self, _size: int) -> bytes:
        raise self.error

    def close(self) -> None:
        os.close(self.ready)
        os.close(self.writer)
        raise self.error


@pytest.mark.parametrize(
    "error", [OSError(5, "Input/output error"), termios.error(5, "Input/output error"), OSError("no data")], ids=repr
)
def test_every_quirk_of_an_unplugged_port_is_absent(
    scanner: SerialScanner, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """pyserial raises OSErrors with and without number, and termios.error, which is none, also from close()."""
    with opened(made(scanner.port)) as reader:
        state(reader, ReaderState.READY)
        line = reader._scanner._attachment.device  # type: ignore[attr-defined]
        assert isinstance(line, SerialLine)
        line._port.close()
        line._port = FailingPort(error)
        state(reader, ReaderState.ABSENT)
        state(reader, ReaderState.READY)


def test_a_port_is_chosen_by_its_id_only_when_that_is_clear(tmp_path: Path) -> None:
    """Never any port: none, two alike or another device are told with what is there."""
    port = tmp_path / "ttyACM0"
    port.touch()
    link = tmp_path / "usb-Acme"
    link.symlink_to(port)
    assert chosen(Options(usb="0c2e:0b6a"), [str(port)]) == port
    assert chosen(Options(port=str(link)), []) == link
    assert chosen(Options(port=str(link), usb="0c2e:0b6a"), [str(port)]) == link
    with pytest.raises(ReaderAbsent):
        chosen(Options(usb="0c2e:0b6a"), [])
    with pytest.raises(DriverError, match=r"ttyACM0.*ttyACM1"):
        chosen(Options(usb="0c2e:0b6a"), ["/dev/ttyACM0", "/dev/ttyACM1"])
    with pytest.raises(DriverError, match="is no 0c2e:0b6a"):
        chosen(Options(port=str(link), usb="0c2e:0b6a"), ["/dev/ttyACM1"])


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"port": "ttyACM0"},
        {"usb": "0C2E:0B6A"},
        {"port": "/dev/ttyS0", "baud": 9601},
        {"port": "/dev/ttyS0", "silence_ms": 0},
        {"port": "/dev/ttyS0", "stripes": ["4"]},
        {"port": "/dev/ttyS0", "mode": "9N1"},
    ],
    ids=repr,
)
def test_wrong_options_are_refused_when_the_config_is_read(wrong: dict[str, object]) -> None:
    """A scanner must be named, and no option may be impossible."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Options)


def test_without_pyserial_the_reader_is_absent_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The serial extra is optional."""
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(ReaderAbsent) as told:
        made("/dev/ttyS0").open()
    assert "tilld[serial]" in (told.value.condition.remedy or "")


def test_a_till_that_was_busy_does_not_join_two_scans(scanner: SerialScanner, reader: Reader) -> None:
    """Half a scan that waits while nobody listens is as broken as any."""
    scanner.send(b"299000")
    while reader._scanner._framer.idle:  # type: ignore[attr-defined]
        reader.read(0.0)
    busy_until = time.monotonic() + 0.06
    while time.monotonic() < busy_until:
        pass
    scanner.send(NUMBER.encode() + b"\r")
    assert failure(reader).reason == "half_scan"
    assert card(reader).data == NUMBER


def test_an_idle_port_costs_no_processor_time(reader: Reader) -> None:
    """It waits in the kernel, and comes back in time for the heartbeat."""
    busy = time.process_time()
    assert reader.read(0.3) is None
    assert time.process_time() - busy < 0.1
