"""DESFire: published traces of both authentications and their sessions, and cards that lie."""

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.desfire import (
    Ev1Session,
    Ev2Session,
    NotAuthentic,
    NotHere,
    authenticate_ev1,
    authenticate_ev2,
    ev2_keys,
    model_in,
    read_model,
    select,
)
from drivers.ndef import Damaged
from tests.virtual.cards import Type4Card, text_record
from tests.virtual.desfire import DesfireCard

ZERO = bytes(16)


class Trace:
    """A card that expects the commands of a published trace and answers as it did."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = iter(pairs)

    def __call__(self, apdu: bytes) -> bytes:
        expected, answer = next(self._pairs)
        assert apdu.hex() == expected.replace(" ", "").lower()
        return bytes.fromhex(answer)


def drawn(value: str) -> bytes:
    return bytes.fromhex(value)


def test_ev2_first_is_that_of_an12196() -> None:
    """Table 14: authentication with key 0, all zero."""
    card = Trace(
        ("9071000002000000", "A04C124213C186F22399D33AC2A30215 91AF"),
        (
            "90AF000020 35C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D 00",
            "3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663 9100",
        ),
    )
    ours = drawn("13C5DB8A5930439FC3DEF9A4C675360F")
    assert isinstance(authenticate_ev2(card, 0, ZERO, lambda _: ours), Ev2Session)
    theirs = drawn("B9E2FC789B64BF237CCCAA20EC7E6E48")
    encryption, mac = ev2_keys(ZERO, ours, theirs)
    assert encryption.hex() == "1309c877509e5a215007ff0ed19ca564"
    assert mac.hex() == "4c6626f5e72ea694202139295c7a7fc7"


def test_full_communication_is_that_of_an12196() -> None:
    """Section 7.3: GetCardUID and its encrypted answer."""
    session = Ev2Session(
        drawn("2B4D963C014DC36F24F69A50A394F875"), drawn("379D32130CE61705DD5FD8C36B95D764"), drawn("DF055522")
    )
    assert session.command(0x51).hex() == "90510000088e2c155adda99be300"
    data = session.received(drawn("70756055688505B52A5E26E59E329CD6595F672298EA41B79100"))
    assert session.opened(data).hex() == "04958caa5c5e80"


def test_maced_communication_is_that_of_an12196() -> None:
    """Section 5.3: GetFileSettings."""
    session = Ev2Session(ZERO, drawn("8248134A386E86EB7FAF54A52E536CB6"), drawn("7A21085E"))
    assert session.command(0xF5, b"\x02").hex() == "90f5000009026597a457c8cd442c00"
    answer = drawn("0040EEEE000100D1FE001F00004400004400002000006A00002A474282E7A479869100")
    assert session.received(answer) == answer[:-10]


@pytest.mark.parametrize(
    ("number", "key", "ours", "pairs", "expected"),
    [
        (
            0,
            "00" * 16,
            "F44B26F5686F3A391CD38EBD10772281",
            ("B969FDFE56FD91FC9DE6F6F213B8FD1E", "36AAD7DF6E436BA08D18613830A70D5AD43E3D3F4A8D47541EEE623A934E4774"),
            "800DB680BC146BD121D6578F2D2E2059",
        ),
        (
            1,
            "10182028303840485058606870788088",
            "40E7D27174CBA675E8EFBAB99C530E3D",
            ("B351CB2465D4F33AC627FD6E87A168F2", "044B6CAC343A0865895149649CA8DDE1F5AC4EC67BD208900AF02F049E05F0B0"),
            "A2EE144B1012FBEB7B2F11132D95A454",
        ),
    ],
)
def test_ev1_authentication_is_that_of_published_traces(
    number: int, key: str, ours: str, pairs: tuple[str, str], expected: str
) -> None:
    """Traces of EV1 cards: our answer to the challenge is theirs, and the card's proof is accepted."""
    challenge, response = pairs
    card = Trace(
        (f"90aa000001{number:02x}00", challenge + "91AF"),
        (f"90af000020{response}00", expected + "9100"),
    )
    assert isinstance(authenticate_ev1(card, number, drawn(key), lambda _: drawn(ours)), Ev1Session)


def test_the_chain_of_an_ev1_session_is_that_of_a_published_trace() -> None:
    """Create, list, settings, write, write, read, read: each answer's MAC depends on all before."""
    session = Ev1Session(drawn("40E7D271626FFBD49C530E3D304F5B17"))
    written = bytes(range(0x50))
    for sent, answer in (
        ("CD05001100500000", "A75316AD1596B953"),
        ("6F", "052D5FF67FFEC9D2D3"),
        ("F505", "000011005000002AAC7517024E09DC"),
        ("3D05000000340000" + written[:0x34].hex(), "765C9DAA50ECB62F"),
        ("3D053400001C0000" + written[0x34:].hex(), "3E0AED986B8B0F37"),
        ("BD05000000300000", written[:0x30].hex() + "4C65F1F842262BAC"),
        ("BD05300000200000", written[0x30:].hex() + "F02205CF913C03C9"),
    ):
        session.sent(drawn(sent))
        data = session.received(drawn(answer + "9100"))
        assert data == drawn(answer)[:-8]


@pytest.mark.parametrize("authenticate", [authenticate_ev1, authenticate_ev2])
@given(
    key=st.binary(min_size=16, max_size=16),
    ours=st.binary(min_size=16, max_size=16),
    part=st.tuples(st.integers(0, 20), st.integers(1, 12)),
)
@settings(max_examples=20)
def test_a_file_is_read_and_a_lie_is_not_believed(
    authenticate: type, key: bytes, ours: bytes, part: tuple[int, int]
) -> None:
    """The model signs from its own side; a changed byte of its answer is caught by the MAC."""
    card = DesfireCard(key=key, content=bytes(range(64)))
    select(card.answer, card.application)
    session = authenticate(card.answer, 1, key, lambda _: ours)
    assert session.read(card.answer, 1, *part) == bytes(range(64))[part[0] : part[0] + part[1]]
    assert session.read(card.answer, 1, *part) == bytes(range(64))[part[0] : part[0] + part[1]]
    card.lies = True
    with pytest.raises(NotAuthentic):
        session.read(card.answer, 1, *part)


@pytest.mark.parametrize("authenticate", [authenticate_ev1, authenticate_ev2])
def test_a_card_without_the_key_is_not_authentic(authenticate: type) -> None:
    """It refuses our proof; and one that takes any proof cannot give its own."""
    card = DesfireCard()
    select(card.answer, card.application)
    with pytest.raises(NotAuthentic):
        authenticate(card.answer, 1, bytes(16), lambda _: ZERO)
    length = 16 if authenticate is authenticate_ev1 else 32
    yes = itertools.chain([bytes(16) + b"\x91\xaf"], itertools.repeat(bytes(length) + b"\x91\x00"))
    with pytest.raises(NotAuthentic):
        authenticate(lambda _: next(yes), 1, bytes(16), lambda _: bytes(range(16)))


def test_another_card_is_not_here() -> None:
    """By DESFire's word or by any other card's; an NTAG 424 is selected by its name."""
    with pytest.raises(NotHere):
        select(DesfireCard().answer, bytes.fromhex("a1b2c4"))
    with pytest.raises(NotHere):
        select(Type4Card(text_record("1")).answer, bytes.fromhex("a1b2c3"))
    select(DesfireCard().answer, bytes.fromhex("d2760000850101"))


@pytest.mark.parametrize("status", ["91a0", "911c", "6a82", "6d00", "6985", "6700", "9c08", ""])
def test_what_is_no_desfire_says_so_in_its_own_words(status: str) -> None:
    """Whatever another card answers, its other applications are still looked for."""
    with pytest.raises(NotHere):
        select(lambda _: bytes.fromhex(status), bytes.fromhex("a1b2c3"))


def test_a_desfire_that_stumbles_is_damage() -> None:
    """It may have the application: taking its text instead would make it another card."""
    with pytest.raises(Damaged):
        select(lambda _: b"\x91\xca", bytes.fromhex("a1b2c3"))


def test_the_generation_is_told_and_all_frames_are_fetched() -> None:
    """Else the card would refuse the next command."""
    card = DesfireCard()
    assert read_model(card.answer) == "DESFire EV3"
    select(card.answer, card.application)
    assert read_model(Type4Card(text_record("1")).answer) is None
    assert model_in(bytes.fromhex("04040230001105")) == "NTAG 424 DNA"


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=8), st.booleans())
def test_any_answers_end_in_a_word(answers: list[bytes], ev1: bool) -> None:
    """No crash, and nothing is read of a card that says anything."""
    turn = itertools.cycle(answers)
    with contextlib.suppress(NotHere, NotAuthentic, Damaged):
        read_model(lambda _: next(turn))
        select(lambda _: next(turn), b"abc")
        session = (authenticate_ev1 if ev1 else authenticate_ev2)(lambda _: next(turn), 0, ZERO, lambda _: ZERO)
        raise AssertionError(session.read(lambda _: next(turn), 1, 0, 16))
