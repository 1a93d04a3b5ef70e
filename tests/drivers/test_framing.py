"""Framing: where scans begin and end, in whatever pieces they come."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.framing import ENDINGS, MAX_SCAN, Ending, Flaw, Framer, Scan

LINE, SILENCE = Ending.LINE, Ending.SILENCE


def texts(scans: list[Scan]) -> list[bytes]:
    return [scan.text for scan in scans if scan.flaw is None]


@pytest.mark.parametrize("ending", [b"\r", b"\n", b"\r\n", b"\t"])
def test_every_usual_ending_ends_one_scan(ending: bytes) -> None:
    """Carriage return, line feed, both and tab; a pair of them makes no empty scan."""
    framer = Framer(LINE)
    assert texts(framer.feed(b"2990000000017" + ending + b"2990000000024" + ending)) == [
        b"2990000000017",
        b"2990000000024",
    ]
    assert framer.idle


def test_half_a_scan_is_never_joined_to_the_next_one() -> None:
    """The scanner fell silent before its ending: what came is dropped and said, and the next scan is whole."""
    framer = Framer(LINE)
    assert framer.feed(b"299000") == []
    assert framer.silence() == [Scan(b"", Flaw.HALF)]
    assert framer.feed(b"2990000000017\r") == [Scan(b"2990000000017")]


def test_silence_ends_a_scan_where_the_scanner_sends_no_ending() -> None:
    """That is configured, for then nobody can tell half a scan."""
    framer = Framer(SILENCE)
    assert framer.feed(b"2990000000017") == []
    assert framer.silence() == [Scan(b"2990000000017")]
    assert framer.silence() == []


def test_control_characters_are_dropped_but_the_separator_of_gs1() -> None:
    """STX and ETX frame a scan on some scanners; GS tells where an element ends."""
    assert texts(Framer(LINE).feed(b"\x02]C110A\x1d21B\x03\x7f\x00\r")) == [b"]C110A\x1d21B"]


def test_a_scan_without_end_is_dropped_and_the_next_one_is_read() -> None:
    """A device that is no scanner cannot fill the memory."""
    framer = Framer(LINE)
    assert framer.feed(b"7" * (MAX_SCAN + 100)) == []
    assert framer.feed(b"\r2990000000017\r") == [Scan(b"", Flaw.LONG), Scan(b"2990000000017")]


def test_a_spoilt_scan_is_dropped_up_to_its_ending_with_its_first_flaw() -> None:
    """Its tail is no scan of its own, and neither is what comes before the loss."""
    framer = Framer(LINE)
    framer.feed(b"2990")
    framer.spoil(Flaw.LOST)
    framer.spoil(Flaw.LAYOUT)
    assert framer.feed(b"0017\r17\r") == [Scan(b"", Flaw.LOST), Scan(b"17")]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8), st.sampled_from(Ending))
def test_pieces_change_nothing(sent: bytes, cuts: list[int], ending: Ending) -> None:
    """However the line chops what was sent, the scans are the same, and nothing but scans comes out."""
    whole, chopped = Framer(ending), Framer(ending)
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    pieces = [sent[a:b] for a, b in itertools.pairwise(edges)]
    at_once = whole.feed(sent) + whole.silence()
    assert [scan for piece in pieces for scan in chopped.feed(piece)] + chopped.silence() == at_once
    assert not any(byte in ENDINGS for scan in at_once for byte in scan.text)
    assert whole.idle


@given(st.lists(st.one_of(st.binary(max_size=40), st.none(), st.sampled_from(Flaw)), max_size=30))
def test_no_history_breaks_the_framer(history: list[bytes | Flaw | None]) -> None:
    """Bytes, silences and losses in any order: memory stays bounded, and after an ending it is idle."""
    framer = Framer(LINE)
    for happening in history:
        if isinstance(happening, Flaw):
            framer.spoil(happening)
        elif happening is None:
            framer.silence()
        else:
            assert all(len(scan.text) <= MAX_SCAN for scan in framer.feed(happening))
    framer.feed(b"\r")
    assert framer.idle
