"""A whole tap with every wish switched on, against cards that say anything: one report each, and soon."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import aes, apple_vas, smart_tap
from drivers.applications import DesfireFile, Iso7816Profile
from drivers.atr import kind_of
from drivers.base import CardRead, CardUnreadable
from drivers.key_file import Keys
from drivers.pcsc_tap import Tap
from drivers.presence import PRESENT, CardTrouble, Connection, Seen, Trouble
from drivers.wishes import Wishes
from tests.virtual.apple_phone import ApplePhone
from tests.virtual.cards import ApplicationCard, Card, NtagCard, Type4Card, payment_card, text_record
from tests.virtual.chips import ChipCard, DirectReader
from tests.virtual.desfire import DesfireCard
from tests.virtual.wallet_phone import WalletPhone

KEY = ec.generate_private_key(ec.SECP256R1())
NUMBER = "2990000000017"
NOW_S = 1_790_000_000
MOST_EXCHANGES = 400
"""A tag of 65 kB in the smallest steps would need more; no card that is sold does."""

EVERYTHING = Wishes(
    chip=True,
    desfire=(DesfireFile("a1b2c3", "loyalty", authentication="ev1"), DesfireFile("a1b2c4", "loyalty")),
    iso7816=(Iso7816Profile("f0010203040506", ("00b2010c00",), tag="5a", form="bcd"),),
    keys=Keys({"loyalty": bytes(range(16))}),
    random=bytes,
    smart_tap=smart_tap.Merchant(7, 1, KEY),
    apple_vas=apple_vas.Merchant("pass.example", (KEY,), 900),
    now_s=lambda: NOW_S,
)


def honest() -> list[Card]:
    """One of every kind that can be read."""
    return [
        NtagCard.with_text(NUMBER),
        DirectReader(ChipCard(message=text_record(NUMBER))),
        Type4Card(text_record(NUMBER)),
        DesfireCard(),
        payment_card(),
        ApplicationCard({"f0010203040506": b"\x90\x00"}),
        WalletPhone(NUMBER, {(7, 1): KEY.public_key()}),
        ApplePhone(NUMBER, "pass.example", KEY.public_key(), NOW_S),
    ]


class Place:
    """A reader with one card, whose answers `spoils` may change; it counts the exchanges."""

    def __init__(self, card: Card, spoilt: Mapping[int, bytes | Trouble]) -> None:
        self._card, self._spoilt = card, spoilt
        self.exchanges = 0

    def wait(self, known: Mapping[str, int], timeout_s: float) -> list[Seen]:
        return []

    @contextmanager
    def card(self, reader: str) -> Iterator[Connection]:
        yield Connection(self._answer)

    def _answer(self, apdu: bytes) -> bytes:
        said = self._spoilt.get(self.exchanges)
        self.exchanges += 1
        if isinstance(said, Trouble):
            raise CardTrouble(said, "in the middle")
        return self._card.answer(apdu) if said is None else said


@pytest.fixture(scope="module", autouse=True)
def at_once() -> Iterator[None]:
    """Each card is looked at once: a second look would ask the same."""
    aes.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("drivers.pcsc_tap.SETTLE_S", -1.0)
        yield


def reported(place: Place, atr: bytes) -> CardRead | CardUnreadable:
    report = Tap(place, Seen("desk", PRESENT, atr), EVERYTHING).report()
    assert msgspec.json.decode(msgspec.json.encode(report))  # what goes to the till by the pipe
    assert place.exchanges <= MOST_EXCHANGES
    return report


@pytest.mark.parametrize("card", honest(), ids=lambda card: type(card).__name__)
def test_an_honest_card_is_read_or_refused_with_everything_switched_on(card: Card) -> None:
    """The yardstick for what follows."""
    report = reported(Place(card, {}), card.atr)
    read = isinstance(report, CardRead)
    assert read == (not isinstance(card, ApplicationCard))
    assert not isinstance(report, CardRead) or report.data == NUMBER


STATUSES = [b"\x90\x00", b"\x91\x00", b"\x91\xaf", b"\x61\xff"]
ANSWER = st.one_of(
    st.binary(max_size=60),
    st.builds(
        bytes.__add__, st.binary(max_size=270), st.sampled_from([b"\x90\x00", b"\x91\x00", b"\x91\xaf", b"\x61\xff"])
    ),
    st.sampled_from([Trouble.MUTE, Trouble.CARD_GONE, Trouble.OTHER, Trouble.CARD_HELD]),
)


@given(st.integers(0, 7), st.dictionaries(st.integers(0, 30), ANSWER, min_size=1, max_size=4))
@settings(max_examples=250)
def test_any_answers_at_any_step_end_in_one_report(which: int, spoilt: dict[int, bytes | Trouble]) -> None:
    """Before and after the spoilt answers the card is an honest one; no number is ever made up of noise."""
    card = honest()[which]
    report = reported(Place(card, spoilt), card.atr)
    assert isinstance(report, CardUnreadable) or report.uid is None or len(report.uid) <= 20


@given(st.binary(max_size=33), st.lists(ANSWER, min_size=1, max_size=8))
@settings(max_examples=150)
def test_a_card_of_any_kind_that_says_anything_is_one_report(atr: bytes, said: list[bytes | Trouble]) -> None:
    """Its ATR is noise too, and it goes on for ever."""
    spoilt = {at: said[at % len(said)] for at in range(MOST_EXCHANGES + 1)}
    reported(Place(NtagCard(), spoilt), atr)
    assert kind_of(atr)
