"""From recorded input events to scans: layouts, dead keys, lost events, half scans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.framing import MAX_SCAN, Ending, Flaw, Framer, Scan
from drivers.keyboard_layouts import LAYOUTS, SETUP_TEXT, LayoutName, composed, is_dead, layout_of
from drivers.keystrokes import Keystrokes
from tests.virtual.keyboard import (
    ALT,
    ALTGR,
    CTRL,
    DOWN,
    ENTER,
    F8,
    KEY,
    RIGHT_BRACE,
    SHIFT,
    SYN,
    SYN_DROPPED,
    SYN_REPORT,
    TAB,
    UP,
    Event,
    keypad_digit,
    stroke,
    typed,
)

NAMES: list[LayoutName] = ["us", "uk", "fr", "de"]
CAPS_LOCK, META, POWER, Q, J, M = 58, 125, 116, 16, 36, 50


class Desk:
    """A keyboard with a framer behind it."""

    def __init__(self, layout: LayoutName = "us", ending: Ending = Ending.LINE) -> None:
        self.framer = Framer(ending)
        self.keys = Keystrokes(LAYOUTS[layout], silence_s=0.25)

    def take(self, *events: Event) -> list[Scan]:
        return [scan for one in events for scan in self.keys.take(self.framer, *one)]


def scanned(*events: Event, layout: LayoutName = "us") -> list[str | Flaw]:
    return [scan.flaw or scan.text.decode() for scan in Desk(layout).take(*events)]


def plain(text: str, layout: LayoutName) -> bool:
    keys = LAYOUTS[layout]
    known = {*keys.plain.values(), *keys.shift.values(), *keys.altgr.values()}
    return all(one in known and not is_dead(one) for one in text)


@pytest.mark.parametrize("layout", NAMES)
@pytest.mark.parametrize("ending", [ENTER, TAB, 96])
def test_a_scan_reads_the_same_in_every_layout(layout: LayoutName, ending: int) -> None:
    """When the scanner types what is configured: digits, letters of both cases, signs."""
    text = "Az-2990000000017/q;W,m.Y:z"
    assert scanned(*typed(text, layout, ending=ending), layout=layout) == [text]


@pytest.mark.parametrize("layout", NAMES)
def test_addresses_and_stripes_can_be_typed(layout: LayoutName) -> None:
    """Every printable character of ASCII has a key, or a dead key and a blank."""
    keys = LAYOUTS[layout]
    there = {*keys.plain.values(), *keys.shift.values(), *keys.altgr.values()}
    there |= {composed(one, " ") for one in there if is_dead(one)}
    assert {chr(code) for code in range(0x20, 0x7F)} <= there


@given(st.sampled_from(NAMES), st.text(min_size=1, max_size=40))
def test_what_is_typed_is_what_is_read(layout: LayoutName, text: str) -> None:
    """Every text of the layout's own characters."""
    text = "".join(one for one in text if plain(one, layout)) + "7"
    assert scanned(*typed(text, layout), layout=layout) == [text]


def test_altgr_is_also_control_and_alt() -> None:
    """Windows takes both for the same, and scanners imitate Windows: @ on a German keyboard."""
    for held in [(ALTGR,), (CTRL, ALT)]:
        assert scanned(*stroke(Q, held), *stroke(ENTER), layout="de") == ["@"]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([(26, ()), (18, ())], "ê"),  # ^ then e
        ([(26, ()), (57, ())], "^"),
        ([(26, ()), (45, ())], "^x"),
        ([(26, ()), (26, ())], "^^"),
        ([(26, (SHIFT,)), (18, (SHIFT,))], "Ë"),
    ],
)
def test_a_dead_key_waits_for_the_next_one(keys: list[tuple[int, tuple[int, ...]]], text: str) -> None:
    """As on the French keyboard that the scanner imitates."""
    events = [event for code, held in [*keys, (ENTER, ())] for event in stroke(code, held)]
    assert scanned(*events, layout="fr") == [text]


def test_a_dead_key_does_not_outlive_its_scan() -> None:
    """Its accent would land on the next customer's number."""
    assert scanned(*stroke(26), *stroke(ENTER), *stroke(18), *stroke(ENTER), layout="fr") == ["e"]


@pytest.mark.parametrize(
    "separator",
    [
        list(stroke(RIGHT_BRACE, (CTRL,))),
        list(stroke(F8)),
        [
            Event(KEY, ALT, DOWN),
            *(event for digit in "029" for event in stroke(keypad_digit(digit))),
            Event(KEY, ALT, UP),
        ],
    ],
    ids=["ctrl+]", "f8", "alt+029"],
)
def test_the_separator_of_gs1_comes_in_three_ways(separator: list[Event]) -> None:
    """Scanners differ, and the layout does not matter."""
    for layout in NAMES:
        events = [*stroke(30), *separator, *stroke(48), *stroke(ENTER)]
        assert scanned(*events, layout=layout)[0] in {"a\x1db", "q\x1db"}


def test_control_m_and_j_end_a_scan_like_enter() -> None:
    """Scanners that type carriage return and line feed as control characters."""
    assert scanned(*stroke(2), *stroke(M, (CTRL,)), *stroke(J, (CTRL,)), *stroke(3), *stroke(J, (CTRL,))) == ["1", "2"]


def test_keypad_and_locks_do_not_disturb() -> None:
    """Digits of the keypad are digits whatever the layout; locks are toggled around a scan by some scanners."""
    digits = [event for digit in "2990" for event in stroke(keypad_digit(digit))]
    assert scanned(*stroke(CAPS_LOCK), *digits, *stroke(CAPS_LOCK), *stroke(ENTER), layout="fr") == ["2990"]


def test_a_stuck_key_types_once() -> None:
    """The kernel repeats a key that is held; a scanner never holds one."""
    repeats = [Event(KEY, 2, 2, at / 30) for at in range(5)]
    assert scanned(Event(KEY, 2, DOWN), *repeats, Event(KEY, 2, UP), *stroke(ENTER)) == ["1"]


@pytest.mark.parametrize("unknown", [list(stroke(POWER)), list(stroke(30, (META,))), list(stroke(2, (ALTGR,)))])
def test_a_key_that_the_layout_lacks_spoils_the_scan(unknown: list[Event]) -> None:
    """A number with a hole in it is another number."""
    assert scanned(*stroke(2), *unknown, *stroke(3), *stroke(ENTER), *typed("77")) == [Flaw.LAYOUT, "77"]


def test_lost_events_spoil_the_scan_and_the_next_one_is_read() -> None:
    """SYN_DROPPED: everything up to the next report is stale, the rest of the scan is dropped with it."""
    whole = typed("2990000000017")
    lost = [*whole[:30], Event(SYN, SYN_DROPPED, 0), *whole[60:]]
    assert scanned(*lost, *typed("2990000000024")) == [Flaw.LOST, "2990000000024"]


def test_after_lost_events_the_kernel_says_what_is_held() -> None:
    """A shift whose release was lost would change the next scan, one whose press was lost this one."""
    desk = Desk()
    desk.take(Event(KEY, SHIFT, DOWN), Event(SYN, SYN_DROPPED, 0), Event(KEY, 2, DOWN))
    assert desk.keys.dropping
    desk.take(Event(SYN, SYN_REPORT, 0))
    assert not desk.keys.dropping
    desk.keys.hold([])
    assert desk.take(*stroke(ENTER), *typed("a1")) == [Scan(b"", Flaw.LOST), Scan(b"a1")]
    desk.keys.hold([SHIFT, 2])
    assert desk.take(*typed("a1")) == [Scan(b"A!")]


def test_half_a_scan_is_not_joined_to_the_next_when_both_come_at_once() -> None:
    """The process was stopped for a while: the events' own times tell the pause."""
    half = typed("299000", ending=None, start=1000.0)
    assert scanned(*half, *typed("2990000000017", start=1001.0)) == [Flaw.HALF, "2990000000017"]


def test_a_clock_that_is_set_back_costs_a_scan_and_joins_none() -> None:
    """The kernel stamps events with the time of day."""
    half = typed("299000", ending=None, start=1000.0)
    assert scanned(*half, *typed("2990000000017", start=400.0)) == [Flaw.HALF, "2990000000017"]


@pytest.mark.parametrize("configured", NAMES)
@pytest.mark.parametrize("types", NAMES)
def test_the_setup_code_tells_the_layout(configured: LayoutName, types: LayoutName) -> None:
    """A technician scans one printed code and reads what to write into the config."""
    [came_out] = scanned(*typed(SETUP_TEXT, types), layout=configured)
    assert isinstance(came_out, str)
    told = layout_of(came_out, configured)
    assert told == types or {told, types} == {"us", "uk"}
    assert (told == configured) == (came_out == SETUP_TEXT)


def test_another_text_is_no_setup_code() -> None:
    """Cards stay cards."""
    assert layout_of("2990000000017", "us") is None


EVENT = st.builds(
    Event,
    st.sampled_from([SYN, KEY, 4, 17, 77]),
    st.one_of(st.integers(0, 130), st.integers(0, 0xFFFF)),
    st.integers(-1, 3),
    st.floats(0, 10),
)


@given(st.sampled_from(NAMES), st.lists(EVENT, max_size=200))
def test_no_events_break_the_keyboard(layout: LayoutName, events: list[Event]) -> None:
    """Whatever a device sends: scans, flaws or nothing, and after a report and a pause it reads again."""
    desk = Desk(layout)
    assert all(len(scan.text) <= MAX_SCAN for scan in desk.take(*events))
    desk.take(Event(SYN, SYN_REPORT, 0))
    desk.keys.hold([])
    desk.take(*stroke(ENTER, at=5000.0))
    assert desk.take(*typed("77", layout, start=6000.0))[-1] == Scan(b"77")
