"""The signed sheet: whoever changes a word of it is found out, in each of its forms."""

import json
from html import unescape

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import CardRead, EntryMode, Technology
from offline_queue.terminal_key import public_key
from terminal.cards.identification import Identified
from terminal.counter.refusals import refused
from terminal.trial.forms import Form, check, form_of, rendered
from terminal.trial.judging import Evidence, judge
from terminal.trial.sheet import NoSheet, Sheet, SignedSheet, canonical, signed
from terminal.trial.sheet_text import tap_line
from terminal.trial.talk import TrialState, TrialView
from terminal.trial.taps import Moment, read_tap
from tests.offline_queue.claimed import KEY

AT = "2026-03-01T10:00:00.000Z"
READ = CardRead(Technology.NTAG, EntryMode.CONTACTLESS, "2990000000017", "04a1b2c3d4e5f6", effort=1, duration_ms=80.4)


def sheet(
    device: str = "ACS ACR1252U 00 00", operator: str = "Anne", taps: int = 2, key: Ed25519PrivateKey = KEY
) -> SignedSheet:
    seen = tuple(read_tap(Moment(n, AT, 1), READ, Identified("2990000000017"), "A") for n in range(1, taps + 1))
    judgement = judge(Evidence(2, seen))
    trial = TrialView(
        *("a1b2", 4, TrialState.COMPLETE, "counter", "pcsc", device, 2, operator, AT, AT, seen), judgement=judgement
    )
    return signed(Sheet("S001-T01", "S001", "0.1.0", trial), key)


@pytest.mark.parametrize("form", Form)
def test_a_sheet_proves_itself_in_every_form(form: Form) -> None:
    """As it was written it is genuine, shows what was signed, and names the terminal's own key."""
    document = rendered(sheet(), form)
    assert form_of(document) is form
    checked = check(document)
    assert (checked.genuine, checked.shown, checked.sheet.key) == (True, True, public_key(KEY))
    assert checked.sheet == sheet()
    assert b"2990000000017" not in document
    assert b"04a1b2c3d4e5f6" not in document


def test_a_tap_reads_as_a_sentence() -> None:
    """While it grows on the screen: what became of it, on what, how long it took, and why."""
    verdicts = (Identified("2990000000017"), refused("phone"))
    taken, not_taken = (read_tap(Moment(1, AT, 3), READ, verdict, "A") for verdict in verdicts)
    assert tap_line(taken) == "tap 1: identified, ntag, •••• 0017, read 80 ms, till 3 ms"
    assert ", phone: This phone shows another number" in tap_line(not_taken)


@pytest.mark.parametrize("form", [Form.TEXT, Form.HTML])
def test_words_above_the_record_cannot_be_changed(form: Form) -> None:
    """A failed sheet that says PASS, a tap that is left out, a comment that hides one: none is shown as signed."""
    document = rendered(sheet(taps=1), form)
    assert b"FAIL" in document
    for changed in (
        document.replace(b"FAIL", b"PASS"),
        document.replace(b"identified", b"refused", 1),
        document + b" ",
    ):
        checked = check(changed)
        assert (checked.genuine, checked.shown) == (True, False)


def test_the_record_cannot_be_changed() -> None:
    """Nor another's signature be put under it."""
    plain = json.loads(rendered(sheet(taps=1), Form.JSON))
    plain["sheet"]["trial"]["judgement"]["passed"] = True
    assert not check(json.dumps(plain).encode()).genuine
    mine, theirs = sheet(), sheet(key=Ed25519PrivateKey.generate())
    assert not check(msgspec.json.encode(msgspec.structs.replace(mine, signature=theirs.signature))).genuine
    assert not check(msgspec.json.encode(msgspec.structs.replace(mine, key=theirs.key))).genuine
    assert not check(msgspec.json.encode(msgspec.structs.replace(mine, key="nonsense"))).genuine


def test_the_json_may_be_written_otherwise() -> None:
    """What was signed is what it says, not how it is laid out."""
    plain = json.loads(rendered(sheet(), Form.JSON))
    turned = {name: plain[name] for name in reversed(plain)}
    assert check(json.dumps(turned, indent=4, ensure_ascii=True).encode()).genuine


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"sheet": 1, "sheet": 2}',
        b"<!doctype html><p>PASS</p>",
        b"-----BEGIN TILLD TEST CARD-----\n????\n-----END TILLD TEST CARD-----",
        b"-----BEGIN TILLD TEST CARD-----\ne30=\n-----END TILLD TEST CARD-----",
        rendered(sheet(), Form.TEXT) * 2,
        rendered(sheet(), Form.JSON).replace(b'"sheet"', b'"more": 1, "sheet"', 1),
        b"{" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_sheet_is_said_so(document: bytes) -> None:
    """Empty, another's JSON, a name twice, two records in one text, a bomb."""
    with pytest.raises(NoSheet):
        check(document)


def test_hostile_names_do_nothing() -> None:
    """A reader's product name or an operator's may be anything: no markup in the page, no control codes in the text."""
    hostile = '<script>alert(1)</script>\x1b[2J"&\u202e'
    document = rendered(sheet(hostile, hostile), Form.HTML).decode()
    assert "<script" not in document
    assert hostile in unescape(document)
    text = rendered(sheet(hostile, hostile), Form.TEXT).decode()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert check(text.encode()).shown
    assert check(document.encode()).shown


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ({"b": 1, "a": [True, None, "é€"]}, '{"a":[true,null,"é€"],"b":1}'),
        ({"x": '\u20ac$\x0f\nA\'B"\\\\"/'}, '{"x":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'),
    ],
)
def test_the_canonical_form_is_that_of_rfc_8785(plain: object, expected: str) -> None:
    """Its own examples (section 3.2.2), as far as they hold no fractions."""
    assert canonical(plain) == expected.encode()


@pytest.mark.parametrize("plain", [1.5, [1, {"a": 2.0}], "\ud800"])
def test_what_has_no_certain_form_is_not_signed(plain: object) -> None:
    """Fractions are written differently by different programs; half a character cannot be written at all."""
    with pytest.raises(NoSheet):
        canonical(plain)


@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(Form))
def test_every_sheet_is_found_again(device: str, operator: str, form: Form) -> None:
    """Whatever stands in it, within Unicode."""
    one = sheet(device.encode(errors="replace").decode(), operator.encode(errors="replace").decode())
    checked = check(rendered(one, form))
    assert (checked.sheet, checked.genuine, checked.shown) == (one, True, True)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_sheet_or_none(document: bytes) -> None:
    """Nothing else is raised."""
    with pytest.raises(NoSheet):
        check(document)
