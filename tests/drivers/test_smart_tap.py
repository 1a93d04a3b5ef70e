"""Smart Tap 2.1: the public examples byte for byte, and whole taps against a phone written from the description."""

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from drivers.atr import kind_of
from drivers.base import DriverError, ReaderState, Technology
from drivers.card_options import CardOptions, SmartTapKey, wishes_of
from drivers.ndef import MAX_MESSAGE, Damaged
from drivers.passes import NoPass, Reason
from drivers.smart_tap import Merchant, get_data_command, negotiate_command, read_pass, value_in
from drivers.wishes import Wishes, read_phone
from tests.virtual.card_reader import CardReader
from tests.virtual.cards import Type4Card, text_record
from tests.virtual.wallet_phone import WalletPhone, record

COLLECTOR = 20180608
NUMBER = "2990000000017"
KEY = ec.generate_private_key(ec.SECP256R1())
MERCHANT = Merchant(COLLECTOR, 1, KEY)
TRUSTED = {(COLLECTOR, 1): KEY.public_key()}


def phone(**changes: object) -> WalletPhone:
    return WalletPhone(NUMBER, TRUSTED, **changes)  # type: ignore[arg-type]


def test_the_negotiation_is_the_published_example_byte_for_byte() -> None:
    """kormax/google-smart-tap, README, "NEGOTIATE SECURE CHANNEL": a request as a phone took it."""
    signature = (
        "304602210086e43dc483b22e51aa177ae8112ed83d399a58b41d6d8cbe900cde03c4524da5"
        "022100e94b6a919c9e097568f4efa9a7123b86b97ee44342593f8a77fc9e12e3f95ae4"
    )
    command = negotiate_command(
        bytes.fromhex("6b159a80fc8283fd00"),
        bytes.fromhex("a8aa2bae1ba891783d8c5be8a95bf2f9e5bb90fd9d197f8b2b1a84d9cc804275"),
        bytes.fromhex("027b2e12f1a1a542084b4d01b8799380fa4cb77e530ba2305b0bf2b3e4b474fe7d"),
        1,
        bytes.fromhex(signature),
        0x01020304,
    )
    expected = (
        "d403b86e6772000194030a7365736b159a80fc8283fd00015403a0637072a8aa2bae1ba891783d8c5be8a95bf2f9e5bb90fd9d197f8b"
        "2b1a84d9cc80427501027b2e12f1a1a542084b4d01b8799380fa4cb77e530ba2305b0bf2b3e4b474fe7d0000000194034973696704"
        f"{signature}540305636c640401020304"
    )
    assert command.hex() == "90530000" + f"{len(expected) // 2:02x}" + expected + "00"


def test_the_request_for_the_pass_is_the_published_example_byte_for_byte() -> None:
    """The same, "GET DATA": every service, compression, pass and payment."""
    command = get_data_command(
        bytes.fromhex("6b159a80fc8283fd01"), 0x01020304, service=0, capabilities=bytes.fromhex("4100000004")
    )
    expected = (
        "d4033b737271000194030a7365736b159a80fc8283fd010114030b6d6572d40305636c640401020304140307736c72d4030173747200"
        "5403057063724100000004"
    )
    assert command.hex() == "90500000" + f"{len(expected) // 2:02x}" + expected + "00"


@pytest.mark.parametrize(
    "changes",
    [{}, {"tells_nonce_at_once": False}, {"compresses": True}, {"part": 20}, {"value": "x" * 300, "part": 250}],
    ids=["new-phone", "older-phone", "compressed", "in-parts", "long"],
)
def test_a_pass_is_read_from_every_kind_of_phone(changes: dict[str, object]) -> None:
    """Nonce at once or on asking, compressed or not, in one part or many."""
    held = phone(**changes) if "value" not in changes else WalletPhone(trusted=TRUSTED, **changes)  # type: ignore[arg-type]
    assert read_pass(MERCHANT, held.answer, os.urandom) == held.value


def test_a_new_phone_is_asked_three_things() -> None:
    """Select, prove, ask: the pass is there after three exchanges."""
    held = phone()
    read_pass(MERCHANT, held.answer, os.urandom)
    assert [apdu[1] for apdu in held.asked] == [0xA4, 0x53, 0x50]


def test_no_two_taps_are_alike() -> None:
    """A recorded tap is of no use to anybody: nonce and keys are new each time."""
    first, second = phone(), phone()
    read_pass(MERCHANT, first.answer, os.urandom)
    read_pass(MERCHANT, second.answer, os.urandom)
    assert first.asked[1] != second.asked[1]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("9001", Reason.NO_PASS), ("9302", Reason.CHOOSE), ("9406", Reason.REFUSED), ("6985", Reason.REFUSED)],
)
def test_a_phone_that_gives_no_pass_says_why(status: str, reason: Reason) -> None:
    """None of this merchant, several to choose from, or a refusal."""
    with pytest.raises(NoPass) as caught:
        read_pass(MERCHANT, phone(status=bytes.fromhex(status)).answer, os.urandom)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "merchant",
    [Merchant(COLLECTOR, 1, ec.generate_private_key(ec.SECP256R1())), MERCHANT._replace(key_version=2)],
    ids=["wrong-key", "wrong-version"],
)
def test_a_terminal_without_the_merchants_key_gets_nothing(merchant: Merchant) -> None:
    """The phone does not trust it, and the technician is told that it is the key."""
    with pytest.raises(NoPass) as caught:
        read_pass(merchant, phone().answer, os.urandom)
    assert caught.value.reason is Reason.NOT_TRUSTED


def test_an_iphone_is_no_google_phone() -> None:
    """Both answer to the same name; the label tells them apart."""
    with pytest.raises(NoPass) as caught:
        read_pass(MERCHANT, lambda _: bytes.fromhex("6f0a50084170706c65506179") + b"\x90\x00", os.urandom)
    assert caught.value.reason is Reason.ANOTHER_WALLET


@pytest.mark.parametrize("at", [0, 1, 13, 20, -1])
def test_a_pass_that_was_changed_on_its_way_is_damage(at: int) -> None:
    """Flags, start value, text and check value: no byte can be changed unnoticed."""
    with pytest.raises(Damaged):
        read_pass(MERCHANT, phone(damage=at).answer, os.urandom)


def test_a_pass_that_unpacks_without_end_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred bytes must not become gigabytes in the till."""
    bomb = zlib.compress(bytes(100 * MAX_MESSAGE))
    monkeypatch.setattr("tests.virtual.wallet_phone.zlib.compress", lambda _: bomb)
    with pytest.raises(Damaged, match=str(MAX_MESSAGE)):
        read_pass(MERCHANT, phone(compresses=True).answer, os.urandom)


def test_a_phone_that_never_ends_its_pass_is_left() -> None:
    """However many parts it announces."""
    held = phone(part=1)
    with pytest.raises(Damaged, match="parts"):
        read_pass(MERCHANT, held.answer, os.urandom)
    assert len(held.asked) < 30


def test_a_pass_of_another_kind_is_no_loyalty_pass() -> None:
    """An offer or a ticket is not taken for a card."""
    offer = record(b"asv", record(b"of", record(b"T", b"\x00123", id_=b"n", tnf=1)))
    with pytest.raises(NoPass):
        value_in(offer)


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_any_answers_are_survived(answers: list[bytes]) -> None:
    """A phone may say anything at any step: a reason or damage, never a crash and never a pass."""
    left: Iterator[bytes] = iter(answers)
    with pytest.raises((NoPass, Damaged)):
        read_pass(MERCHANT, lambda _: next(left, b"\x6f\x00"), os.urandom)


@given(st.integers(0, 3), st.binary(max_size=120))
def test_any_answer_at_any_step_of_a_real_tap_is_survived(step: int, said: bytes) -> None:
    """The steps before it are those of an honest phone."""
    held, count = phone(tells_nonce_at_once=False), -1

    def answer(apdu: bytes) -> bytes:
        nonlocal count
        count += 1
        return said + b"\x90\x00" if count == step else held.answer(apdu)

    with pytest.raises((NoPass, Damaged)):
        read_pass(MERCHANT, answer, os.urandom)


LOYALTY = record(b"asv", record(b"ly", record(b"T", b"\x00" + NUMBER.encode(), id_=b"n", tnf=1)))


@given(st.binary(max_size=300), st.integers(0, len(LOYALTY)))
def test_any_content_for_the_right_key_is_survived(content: bytes, at: int) -> None:
    """Who holds the phone may encrypt anything for us: no pass, damage or a text, whole or overwritten."""
    for said in (content, LOYALTY[:at] + content + LOYALTY[at + len(content) :]):
        with contextlib.suppress(NoPass, Damaged):
            assert len(value_in(said)) <= len(said)


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """What a shop writes into its config."""
    keys = tmp_path / "card.keys"
    keys.touch(0o600)
    keys.write_text(f'google = "{KEY.private_numbers().private_value:064x}"\n')
    return {"keys": str(keys), "smart_tap": {"collector": COLLECTOR, "key": "google"}}


def test_a_phone_is_read_on_every_reader(card_reader: CardReader, options: dict[str, Any], tmp_path: Path) -> None:
    """Over the air the pass goes in chained frames; a phone without a pass is told with what to do."""
    with card_reader.watched(tmp_path, **options) as reader:
        reader.state(ReaderState.READY)
        card_reader.insert(phone())
        read = reader.card()
        assert (read.data, read.technology) == (NUMBER, Technology.PHONE)
        card_reader.insert(phone(status=b"\x93\x02"))
        assert reader.failure().reason == "choose_pass"


def test_a_phone_without_a_pass_is_read_as_the_card_that_it_emulates() -> None:
    """An app of the shop's own may stand in for the wallet; without either the reason is told."""

    class Both(WalletPhone):
        def answer(self, apdu: bytes) -> bytes:
            mine = super().answer(apdu)
            return mine if mine[-2:] in (b"\x90\x00", b"\x90\x01") else tag.answer(apdu)

    tag = Type4Card(text_record("2990000000024"))
    wishes = Wishes(smart_tap=MERCHANT)
    kind = kind_of(tag.atr)
    both = Both(NUMBER, TRUSTED, status=b"\x90\x01")
    assert read_phone(wishes, kind, None, both.answer, again=False).text == "2990000000024"
    with pytest.raises(NoPass):
        read_phone(wishes, kind, None, phone(status=b"\x90\x01").answer, again=False)


@pytest.mark.parametrize(("value", "word"), [("00" * 32, "P-256"), ("ff" * 32, "P-256"), ("01" * 16, "16 bytes")])
def test_a_key_that_is_none_is_told_before_a_customer_waits(tmp_path: Path, value: str, word: str) -> None:
    """With the name of the key, and never its value."""
    keys = tmp_path / "card.keys"
    keys.touch(0o600)
    keys.write_text(f'google = "{value}"\n')
    wanted = CardOptions(keys=str(keys), smart_tap=SmartTapKey(collector=COLLECTOR, key="google"))
    with pytest.raises(DriverError, match=word) as caught:
        wishes_of(wanted)
    assert value not in str(caught.value)
    assert caught.value.condition.remedy
