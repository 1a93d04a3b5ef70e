"""From a scan to a report: kinds of codes, GS1, encodings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import CardRead, CardUnreadable, EntryMode, Technology
from drivers.framing import Flaw, Scan
from drivers.scans import ScanOptions, report_of

GSRN = "952123400000000017"
PLAIN = ScanOptions()


def read(text: str, options: ScanOptions = PLAIN) -> CardRead:
    report = report_of(Scan(text.encode()), options)
    assert isinstance(report, CardRead), report
    return report


@pytest.mark.parametrize(
    ("sent", "technology", "data"),
    [
        ("]E02990000000019", Technology.EAN, "2990000000019"),
        ("]E3299000000001701234", Technology.EAN, "299000000001701234"),
        ("2990000000019", Technology.EAN, "2990000000019"),
        ("4006381333931", Technology.EAN, "4006381333931"),
        ("2990000000018", Technology.UNKNOWN, "2990000000018"),
        ("]C0CLUB-77", Technology.CODE128, "CLUB-77"),
        ("]Q1https://shop.example/c/77", Technology.QR, "https://shop.example/c/77"),
        ("CLUB-77 ", Technology.UNKNOWN, "CLUB-77"),
    ],
)
def test_a_code_is_told_with_its_kind(sent: str, technology: Technology, data: str) -> None:
    """By its AIM identifier; a bare article number by its check digit, and never as application identifier 400."""
    assert read(sent) == CardRead(technology, EntryMode.SCANNED, data)


def test_a_scanner_does_not_praise_the_card() -> None:
    """How hard the bars were to read stays in the scanner, so a read of it says nothing of wear."""
    assert read("]E02990000000019").effort is None


def test_element_strings_come_parsed_and_cannot_pass_for_a_card_number() -> None:
    """`data` is as printed below the code: a till that knows no GS1 refuses the brackets."""
    told = read(f"]C18018{GSRN}\x1d10A1")
    assert told.elements == (("8018", GSRN), ("10", "A1"))
    assert told.data == f"(8018){GSRN}(10)A1"
    assert told.technology is Technology.CODE128


def test_a_digital_link_comes_whole_and_parsed() -> None:
    """Whoever decides needs the host, whoever counts the elements; in a plain QR code and in a GS1 one."""
    link = f"https://loyalty.example/8018/{GSRN}"
    for identifier in ("]Q1", "]Q3", ""):
        told = read(identifier + link)
        assert (told.data, told.elements) == (link, (("8018", GSRN),))


def test_a_separator_without_an_identifier_is_gs1_when_it_is_sound() -> None:
    """Scanners that send no identifiers; a text that only holds the character stays a text."""
    assert read(f"\x1d8018{GSRN}").elements == (("8018", GSRN),)
    assert read("A\x1dB").data == "A\x1dB"
    assert read("A\x1dB").elements == ()


@pytest.mark.parametrize("sent", ["]C1CLUB-77", f"]C18018{GSRN[:-1]}0", "]E02990000000018", "]E4ABCDEFGH"])
def test_a_code_that_breaks_the_rules_of_its_kind_was_misread(sent: str) -> None:
    """It is refused: the next guess might be another member."""
    report = report_of(Scan(sent.encode()), PLAIN)
    assert isinstance(report, CardUnreadable)
    assert report.reason == "damaged"


def test_a_wallet_reader_that_sends_text_is_a_phone() -> None:
    """The config says what the device reads; it came in without contact."""
    told = read("2990000000017", ScanOptions(technology=Technology.PHONE))
    assert (told.technology, told.entry_mode) == (Technology.PHONE, EntryMode.CONTACTLESS)


def test_every_flaw_is_a_reason_with_words_for_the_cashier() -> None:
    """Each with what to do next."""
    for flaw in Flaw:
        report = report_of(Scan(b"", flaw), PLAIN)
        assert isinstance(report, CardUnreadable)
        assert report.reason == flaw
        assert report.detail


def test_nothing_is_nothing() -> None:
    """Blanks and an identifier alone are no card."""
    assert report_of(Scan(b"   "), PLAIN) is None
    assert report_of(Scan(b"]C1"), PLAIN) is None


def test_text_that_is_no_utf_8_is_read_all_the_same() -> None:
    """Older scanners send ISO 8859-1."""
    report = report_of(Scan("Zoë".encode("iso8859-1")), PLAIN)
    assert isinstance(report, CardRead)
    assert report.data == "Zoë"


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reports(sent: bytes) -> None:
    """A wrong speed or a stranger's code is a report or nothing, without control characters in it."""
    report = report_of(Scan(sent), PLAIN)
    if isinstance(report, CardRead):
        assert report.data is not None
        assert not any(ord(one) < 0x20 and one != "\x1d" for one in report.data)
