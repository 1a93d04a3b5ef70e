"""Cards in a field, look by look: who came, who stayed, who left."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import nfc_field
from drivers.apdu import Exchange
from drivers.base import CardRead, CardUnreadable, Report
from drivers.iso14443 import AnswerToSelect
from drivers.nfc_desk import Desk
from drivers.nfc_field import MISSES, Field
from drivers.nfc_radio import Card, Found
from drivers.presence import CardTrouble, Trouble
from drivers.wishes import Wishes
from tests.virtual.air import Placed
from tests.virtual.cards import NtagCard, Type4Card, UidCard, text_record

NUMBER = "2990000000017"


class FakeRadio:
    """Finds the first of the cards that `lie` there; `broken` is what every call raises."""

    def __init__(self) -> None:
        self.lie: list[Placed] = []
        self.broken: CardTrouble | None = None
        self.finds = 0
        self._selected: Placed | None = None

    def find(self, uid: bytes | None) -> Found | None:
        self._check()
        self.finds += 1
        for placed in self.lie:
            placed.power_off()
        self._selected = next((placed for placed in self.lie if uid in (None, placed.uid)), None)
        if self._selected is None:
            return None
        self._selected.selection()
        return Found(self._selected.uid, self._selected.sak)

    def send(self, frame: bytes, timeout_s: float) -> bytes:
        self._check()
        assert timeout_s > 0
        there = self._selected is not None and self._selected in self.lie
        answer = self._selected.hear(frame) if self._selected and there else None
        if answer is None:
            raise CardTrouble(Trouble.MUTE, "silence")
        return answer

    def select_dep(self) -> bytes:
        return self.send(b"\xe0\x80", 0.03)

    def dep(self, answer: AnswerToSelect) -> Exchange:
        block = 0

        def exchange(apdu: bytes) -> bytes:
            nonlocal block
            if not apdu:
                return self.send(bytes([0xB2 | block]), answer.wait_s)
            data = self.send(bytes([0x02 | block]) + apdu, answer.wait_s)
            block ^= 1
            return data[1:]

        return exchange

    def off(self) -> None:
        self._selected = None

    def _check(self) -> None:
        if self.broken:
            raise self.broken


@pytest.fixture
def radio(monkeypatch: pytest.MonkeyPatch) -> FakeRadio:
    monkeypatch.setattr(nfc_field, "LOOK_S", 0.0)
    monkeypatch.setattr("drivers.pcsc_tap.SETTLE_S", 0.0)
    return FakeRadio()


def opened(radio: FakeRadio) -> Field:
    field = Field(radio, "desk", Wishes())
    assert field.begin(reopened=False) is None
    return field


def looks(field: Field, count: int = MISSES + 1) -> list[Report]:
    return [report for _ in range(count) if (report := field.report(0.0)) is not None]


def numbers(reports: list[Report]) -> list[str | None]:
    return [report.data if isinstance(report, CardRead) else None for report in reports]


def ntag(number: str, uid: str = "04a1b2c3d4e5f6") -> Placed:
    return Placed(NtagCard.with_text(number, uid))


def test_of_two_cards_that_lie_together_one_is_read_once(radio: FakeRadio) -> None:
    """A wallet held to the reader: the chip may find either at each look, and neither counts as coming again."""
    field = opened(radio)
    first, second = ntag("1"), ntag("2", "04ffffffffffff")
    radio.lie = [first, second]
    assert numbers(looks(field)) == ["1"]
    radio.lie = [second, first]
    assert looks(field, 10) == []
    radio.lie = [second]
    assert numbers(looks(field)) == ["2"]


def test_one_missed_look_is_no_new_presentation(radio: FakeRadio) -> None:
    """At the edge of the field a card comes and goes; lifted for two looks it has gone."""
    field, placed = opened(radio), ntag(NUMBER)
    radio.lie = [placed]
    assert numbers(looks(field)) == [NUMBER]
    radio.lie = []
    assert looks(field, MISSES - 1) == []
    radio.lie = [placed]
    assert looks(field, 5) == []
    radio.lie = []
    assert looks(field, MISSES) == []
    radio.lie = [placed]
    assert numbers(looks(field)) == [NUMBER]


def test_a_phone_that_is_activated_anew_is_the_same_presentation(radio: FakeRadio) -> None:
    """Its number is another one after each loss of the field, and says nothing."""
    field, phone = opened(radio), Placed(Type4Card(text_record(NUMBER), uid=None))
    radio.lie = [phone]
    assert numbers(looks(field)) == [NUMBER]
    for _ in range(3):
        phone.power_off()
        assert looks(field, 2) == []


def test_a_phone_that_slips_is_told_by_its_first_number(radio: FakeRadio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second attempt sees another number; that alone is no swap of cards."""
    monkeypatch.setattr("drivers.pcsc_tap.SETTLE_S", 5.0)
    field, phone = opened(radio), Placed(Type4Card(text_record(NUMBER), uid=None))
    answer, slipped = phone.hear, []

    def slip_once(frame: bytes) -> bytes | None:
        if frame.endswith(bytes.fromhex("d276000085010100")) and not slipped:
            slipped.append(phone.uid)
            phone.power_off()
        return answer(frame)

    monkeypatch.setattr(phone, "hear", slip_once)
    radio.lie = [phone]
    (report,) = looks(field)
    assert isinstance(report, CardRead)
    assert (report.data, report.uid) == (NUMBER, slipped[0].hex())
    assert report.effort > 1


def test_a_phone_that_lies_there_is_not_activated_again_and_again(radio: FakeRadio) -> None:
    """Phones ring at each activation."""
    field = opened(radio)
    radio.lie = [Placed(Type4Card(text_record(NUMBER), uid=None))]
    assert numbers(looks(field)) == [NUMBER]
    before = radio.finds
    assert looks(field, 10) == []
    assert radio.finds == before


def test_a_card_that_lies_there_after_a_loss_is_told_and_not_read(radio: FakeRadio) -> None:
    """It may be the card of the customer before; at the till's own first opening it is read."""
    radio.lie = [ntag(NUMBER)]
    again = Field(radio, "desk", Wishes())
    lying = again.begin(reopened=True)
    assert isinstance(lying, CardUnreadable)
    assert lying.reason == "card_was_there"
    assert looks(again, 5) == []
    assert numbers(looks(opened(radio))) == [NUMBER]


@pytest.mark.parametrize("trouble", [Trouble.READER_GONE, Trouble.OTHER])
def test_trouble_of_the_reader_is_no_absence_of_the_card(radio: FakeRadio, trouble: Trouble) -> None:
    """It goes through, so that the reader is opened anew; no card is said to have gone."""
    field = opened(radio)
    radio.lie = [ntag(NUMBER), Placed(Type4Card(b""))]
    looks(field)
    radio.broken = CardTrouble(trouble, "cable")
    with pytest.raises(CardTrouble):
        field.report(0.0)


def test_a_card_without_memory_is_told_by_its_number(radio: FakeRadio) -> None:
    """Nothing is asked of a MIFARE Classic but who it is."""
    field = opened(radio)
    radio.lie = [Placed(UidCard(bytes.fromhex("deadbeef")))]
    (report,) = looks(field)
    assert isinstance(report, CardRead)
    assert (report.uid, report.data) == ("deadbeef", None)


PSEUDO = st.sampled_from([bytes.fromhex(head) for head in ("ffca0000", "ffb000", "ff0000", "00a4", "ff")])


@given(st.builds(bytes.__add__, PSEUDO, st.binary(min_size=2, max_size=64)))
def test_any_command_to_a_tag_has_an_answer_with_a_status(apdu: bytes) -> None:
    """Or the tag falls silent; what a PC/SC reader would not understand is refused, and never sent over the air."""
    radio = FakeRadio()
    radio.lie = [ntag(NUMBER)]
    found = radio.find(None)
    assert found is not None
    with contextlib.suppress(CardTrouble):
        assert len(Desk(radio, Card(found, b"", None)).answer(apdu)) >= 2
