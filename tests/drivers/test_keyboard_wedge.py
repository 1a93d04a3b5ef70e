"""Scanners in keyboard mode: the real evdev library in the real worker process, on recorded events."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from drivers.base import CardUnreadable, DriverError, EntryMode, ReaderAbsent, ReaderState, Technology
from drivers.framing import Ending, Framer, Scan
from drivers.input_nodes import InputNode, keyboards
from drivers.keyboard_layouts import LAYOUTS, SETUP_TEXT, LayoutName
from drivers.keyboard_wedge import Options, chosen, judged
from drivers.keystrokes import Keystrokes
from drivers.magstripe import is_payment
from tests.virtual import keyboard
from tests.virtual.keyboard import SYN, SYN_DROPPED, USB, Event, RecordedKeyboard, UinputKeyboard, typed
from tests.virtual.watching import Watched

NUMBER = "2990000000017"
PAN_TRACKS = "%B4111111111111111^DOE/JANE^2812101000000000?;4111111111111111=28121010000000000000?"


@pytest.fixture
def scanner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedKeyboard]:
    if reason := keyboard.missing():
        pytest.skip(reason)
    with RecordedKeyboard(tmp_path) as plugged:
        for name, value in plugged.environment.items():
            monkeypatch.setenv(name, value)
        yield plugged


def watched(scanner: RecordedKeyboard, **options: object) -> Watched:
    return Watched(
        scanner.path.parent, "keyboard_wedge", options={"device": str(scanner.path), "silence_ms": 60, **options}
    )


def test_scans_swipes_losses_and_an_unplugging(scanner: RecordedKeyboard) -> None:
    """A day of one reader in one process: each thing is told as what it is, and the next scan is read."""
    with watched(scanner, layout="fr", usb=USB) as reader:
        assert "Recorded Scanner" in reader.state(ReaderState.READY).detail
        scanner.scan("]Q1" + NUMBER, "fr")
        read = reader.card()
        assert (read.technology, read.entry_mode, read.data) == (Technology.QR, EntryMode.SCANNED, NUMBER)

        scanner.scan("]C18018952123400000000017\x1d10A1", "fr")
        assert reader.card().elements == (("8018", "952123400000000017"), ("10", "A1"))

        events = typed(NUMBER, "fr", start=2000.0)
        scanner.play([*events[:20], Event(SYN, SYN_DROPPED, 0), *events[50:]])
        assert reader.failure().reason == "scan_again"

        scanner.scan("299000", "fr", ending=None)
        assert reader.failure().reason == "half_scan"

        scanner.scan(";2990000000017?", "fr")
        assert reader.card().technology is Technology.MAGSTRIPE

        before = reader.supervisor.status.pid
        scanner.unplug()
        assert "unplugged" in reader.state(ReaderState.ABSENT).detail
        scanner.plug()
        reader.state(ReaderState.READY)
        scanner.scan("CLUB-77", "fr")
        assert reader.card().data == "CLUB-77"
        assert reader.supervisor.status.pid == before


def test_a_payment_card_is_swiped_and_nothing_of_it_leaves_the_process(
    scanner: RecordedKeyboard, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in an event, not in a state, not in the log; the cashier is told what it was."""
    with watched(scanner) as reader:
        reader.state(ReaderState.READY)
        scanner.scan(PAN_TRACKS)
        scanner.scan(PAN_TRACKS[:30], ending=None)
        scanner.scan("9" + NUMBER)
        seen = [reader.wait(lambda event: event) for _ in range(6)]
        assert [event for event in seen if "payment_card" in repr(event)]
        assert [event for event in seen if "half_scan" in repr(event)]
        told = repr(seen) + repr(reader.supervisor.status)
    told += "".join(capfd.readouterr())
    assert "41111" not in told
    assert "DOE" not in told


SWIPES = (
    "%B4111111111111111^DOE/JANE^2812101000000000?",
    "%b4111111111111111^doe/jane^2812101000000000?",  # by a reader that types with caps lock
    ";4111111111111111=28121010000000000000?",
    "+594111111111111111=2809780?",
)


@pytest.mark.parametrize("swipe", SWIPES)
@pytest.mark.parametrize("configured", LAYOUTS)
@pytest.mark.parametrize("typing", LAYOUTS)
def test_a_payment_card_is_dropped_whatever_layout_is_configured(
    typing: LayoutName, configured: LayoutName, swipe: str
) -> None:
    """What a wrong layout makes of its track would still be its number, one letter for each digit."""
    framer, keys = Framer(Ending.LINE), Keystrokes(LAYOUTS[configured], silence_s=0.25)
    for event in typed(swipe, typing):
        for scan in keys.take(framer, *event):
            report = judged(scan, Options(usb=USB, layout=configured))
            assert isinstance(report, CardUnreadable)
            assert report.reason in {"payment_card", "wrong_layout"}


@given(st.text("0123456789ABCDabcd-_/:.?&=%#", max_size=30), st.sampled_from(list(LAYOUTS)))
@example("https://shop.example/c/?card=2990000000017&day=20281210", "de")
@example("(01)09521234543213(10)ABC123", "us")
def test_other_codes_are_no_payment_cards_in_any_layout(text: str, configured: LayoutName) -> None:
    """A loyalty code is not refused because of what its keys would be elsewhere."""
    assume(not is_payment(text))
    report = judged(Scan(text.encode()), Options(usb=USB, layout=configured))
    assert not isinstance(report, CardUnreadable) or report.reason != "payment_card"


def test_a_scanner_that_another_program_has_grabbed_is_held(scanner: RecordedKeyboard) -> None:
    """The technician reads which process; when it ends, the scanner is ready."""
    code = (
        "import sys, evdev; device = evdev.InputDevice(sys.argv[1]); device.grab();"
        "print('grabbed', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, scanner.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as grabber:
        assert grabber.stdin is not None
        assert grabber.stdout is not None
        grabber.stdout.readline()
        with watched(scanner) as reader:
            held = reader.state(ReaderState.HELD)
            assert f"process {grabber.pid}" in held.detail
            assert held.remedy
            grabber.stdin.close()
            grabber.wait()
            reader.state(ReaderState.READY)


def test_another_device_under_the_same_link_is_not_taken(scanner: RecordedKeyboard) -> None:
    """A keyboard that was plugged into the scanner's port must not be grabbed."""
    with watched(scanner, usb="046d:c31c") as reader:
        failing = reader.state(ReaderState.FAILING)
        assert f"is a {USB}" in failing.detail


def test_what_is_no_keyboard_is_said(tmp_path: Path) -> None:
    """A wrong path in the config does not look like a broken reader."""
    file = tmp_path / "file"
    file.touch()
    with Watched(tmp_path, "keyboard_wedge", options={"device": str(file)}) as reader:
        assert str(file) in reader.state(ReaderState.FAILING).detail
    with Watched(tmp_path, "keyboard_wedge", options={"device": str(tmp_path / "none")}) as reader:
        assert "by-id" in (reader.state(ReaderState.ABSENT).remedy or "")


@pytest.mark.skipif(UinputKeyboard.missing() is not None, reason=UinputKeyboard.missing() or "")
def test_a_keyboard_of_the_kernel_is_grabbed_and_read(tmp_path: Path) -> None:
    """Nothing of the scan reaches a program that listens too."""
    import evdev

    with UinputKeyboard() as scanner, Watched(tmp_path, "keyboard_wedge", options={"usb": USB}) as reader:
        listener = evdev.InputDevice(str(scanner.path))
        reader.state(ReaderState.READY)
        scanner.scan(NUMBER)
        assert reader.card().data == NUMBER
        with pytest.raises(BlockingIOError):
            next(listener.read())
        listener.close()


def node(folder: Path, name: str, keys: str, usb: str = USB) -> None:
    """A device as sysfs shows it."""
    device = folder / name / "device"
    (device / "id").mkdir(parents=True)
    (device / "capabilities").mkdir()
    vendor, product = usb.split(":")
    files = {"name": "Scanner", "phys": "usb-1/input0", "id/vendor": vendor, "id/product": product}
    for file, text in {**files, "capabilities/key": keys}.items():
        (device / file).write_text(f"{text}\n")


def test_only_what_types_digits_is_a_keyboard(tmp_path: Path) -> None:
    """Power buttons and volume keys are input devices too, also those of the scanner itself."""
    node(tmp_path, "event0", "10000000000000 0", usb="0000:0001")
    node(tmp_path, "event1", "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe")
    node(tmp_path, "event2", "3007ff 0 0 483ffff17aff32d bf54444600000000 1 130f978b17c000 6677bfad941dfed 0")
    node(tmp_path, "event3", "what?")
    (tmp_path / "event4").mkdir()
    assert keyboards(tmp_path, Path("/dev/input")) == [
        InputNode(Path("/dev/input/event1"), USB, "Scanner", "usb-1/input0")
    ]


def test_a_keyboard_is_chosen_only_when_that_is_clear() -> None:
    """Never any keyboard: none, two alike are told with what is there."""
    one = InputNode(Path("/dev/input/event1"), USB, "Scanner", "usb-1/input0")
    two = InputNode(Path("/dev/input/event2"), USB, "Scanner", "usb-2/input0")
    desk = InputNode(Path("/dev/input/event3"), "046d:c31c", "Keyboard", "usb-3/input0")
    assert chosen(Options(usb=USB), [desk, one]) == one.path
    assert chosen(Options(device="/dev/input/by-path/x"), []) == Path("/dev/input/by-path/x")
    with pytest.raises(ReaderAbsent):
        chosen(Options(usb=USB), [desk])
    with pytest.raises(DriverError, match=r"usb-1/input0.*usb-2/input0"):
        chosen(Options(usb=USB), [one, two])


@pytest.mark.parametrize("wrong", [{}, {"device": "event3"}, {"usb": USB, "layout": "es"}, {"usb": "any"}], ids=repr)
def test_wrong_options_are_refused_when_the_config_is_read(wrong: dict[str, object]) -> None:
    """A scanner must be named; any keyboard would be the cashier's."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Options)


def test_the_setup_code_names_the_layout_to_configure() -> None:
    """As the technician reads it on the screen."""
    right = judged(Scan(SETUP_TEXT.encode()), Options(usb=USB))
    typed_french = judged(Scan(b"TILLD6QWAZ:Y>!"), Options(usb=USB))
    assert isinstance(right, CardUnreadable)
    assert right.reason == "setup_code"
    assert isinstance(typed_french, CardUnreadable)
    assert typed_french.reason == "wrong_layout"
    assert 'layout = "fr"' in typed_french.detail


def test_without_evdev_the_reader_is_absent_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wedge extra is optional."""
    from drivers.base import Place
    from drivers.keyboard_wedge import Reader

    monkeypatch.setitem(sys.modules, "evdev", None)
    with pytest.raises(ReaderAbsent) as told:
        Reader(Place("counter", "/nowhere"), Options(usb=USB)).open()
    assert "tilld[wedge]" in (told.value.condition.remedy or "")
