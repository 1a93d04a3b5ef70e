"""Apple VAS: the published trace, and whole taps against a phone written from the public descriptions."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from drivers.apple_vas import Merchant, cryptogram_in, get_data_command, key_id, meet, opened, read_pass
from drivers.atr import kind_of
from drivers.base import DriverError, ReaderState, Technology
from drivers.card_options import AppleVas, CardOptions, wishes_of
from drivers.ndef import Damaged
from drivers.passes import NoPass, Reason
from drivers.smart_tap import Merchant as Collector
from drivers.wishes import Wishes, read_phone
from tests.virtual.apple_phone import ApplePhone
from tests.virtual.card_reader import CardReader
from tests.virtual.cards import Type4Card, text_record
from tests.virtual.wallet_phone import WalletPhone

PASS_TYPE = "pass.example.loyalty"
NUMBER = "2990000000017"
NOW_S = 1_790_000_000
KEY, NEXT_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
MERCHANT = Merchant(PASS_TYPE, (NEXT_KEY, KEY), 900)
SELECTED = "6f1d50084170706c655061799f210201009f2404e9caede39f23040000003e9000"
GIVEN = (
    "70549f2a009f274ec0b77375d3f37956d84a538f28ac2a04b38ddc1a67d3647a4dd30abd736ea1cea8038388692e89db99e4746d872de782"
    "395640c536e79a75c47a9343da0af3937f06eeca7a865c4ad05a2c543ad29000"
)
"""kormax/apple-vas, README, "Communication example": what an iPhone answered."""


def phone(value: str = NUMBER, now_s: int = NOW_S, **changes: Any) -> ApplePhone:
    return ApplePhone(value, PASS_TYPE, KEY.public_key(), now_s, **changes)


def reason_of(held: ApplePhone, merchant: Merchant = MERCHANT) -> Reason:
    with pytest.raises(NoPass) as caught:
        read_pass(merchant, held.answer, NOW_S)
    return caught.value.reason


def test_the_published_trace_is_understood() -> None:
    """The phone is Apple's, and its cryptogram is for a key whose private half nobody has published."""
    meet(bytes.fromhex(SELECTED))
    cryptogram = cryptogram_in(bytes.fromhex(GIVEN))
    assert len(cryptogram) == 4 + 32 + 4 + len("6d1UlFpnOc50iVKRaboDOK") + 16
    with pytest.raises(NoPass, match="c0b77375"):
        opened(MERCHANT, cryptogram)


def test_the_request_names_the_pass_as_the_published_trace_does() -> None:
    """The same: SHA-256 of pass.com.passkit.pksamples.nfcdemo; fields as proxmark3's cmdhfvas.c sends them."""
    assert get_data_command("pass.com.passkit.pksamples.nfcdemo").hex() == (
        "80ca010136" + "9f22020100" + "9f280400000000" + "9f260400000002"
        "9f252003b57cdb3eca0984ba9abdc2fb45d86626d87b39d33c5c6dbbc313a6347a3146" + "00"
    )


@pytest.mark.parametrize("older", [False, True], ids=["name-in-the-key", "name-beside"])
@pytest.mark.parametrize("value", [NUMBER, "x", "x" * 64], ids=["number", "shortest", "longest"])
def test_a_pass_is_read_from_both_kinds_of_phones(value: str, older: bool) -> None:
    """In two exchanges, with whichever of the merchant's keys it was encrypted for."""
    held = phone(value, older=older)
    assert read_pass(MERCHANT, held.answer, NOW_S) == value
    assert [apdu[1] for apdu in held.asked] == [0xA4, 0xCA]


def test_the_sign_of_the_phones_key_does_not_matter() -> None:
    """It tells one coordinate only; half of all keys have the other sign."""
    for _ in range(12):
        assert read_pass(MERCHANT, phone().answer, NOW_S) == NUMBER


def test_keys_are_named_by_their_coordinate() -> None:
    """Two keys, two names of four bytes."""
    assert len(key_id(KEY)) == 4
    assert key_id(KEY) != key_id(NEXT_KEY)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": b"\x6a\x83"}, Reason.NO_PASS),
        ({"status": b"\x62\x87"}, Reason.LOCKED),
        ({"status": b"\x69\x85"}, Reason.REFUSED),
        ({"status": b""}, Reason.REFUSED),
        ({"version": b"\x02\x00"}, Reason.REFUSED),
        ({"label": b"AndroidPay"}, Reason.ANOTHER_WALLET),
    ],
)
def test_a_phone_that_gives_no_pass_says_why(changes: dict[str, Any], reason: Reason) -> None:
    """None of this kind, locked, refused, or no iPhone at all."""
    assert reason_of(phone(**changes)) is reason


def test_a_terminal_without_the_key_learns_which_key_it_lacks() -> None:
    """The name of the key helps the technician; nothing of the pass is seen."""
    assert reason_of(phone(), MERCHANT._replace(keys=(NEXT_KEY,))) is Reason.NOT_TRUSTED


@pytest.mark.parametrize(("off_s", "read"), [(0, True), (900, True), (-900, True), (901, False), (-901, False)])
def test_a_pass_of_another_time_is_refused(off_s: int, read: bool) -> None:
    """An answer that was recorded yesterday is worth nothing today; a clock a little wrong is forgiven."""
    held = phone(now_s=NOW_S + off_s)
    if read:
        assert read_pass(MERCHANT, held.answer, NOW_S) == NUMBER
    else:
        assert reason_of(held) is Reason.OLD
        assert read_pass(MERCHANT._replace(tolerance_s=0), held.answer, NOW_S) == NUMBER


@pytest.mark.parametrize("at", [36, 40, 50, -16, -1])
def test_a_pass_that_was_changed_on_its_way_is_damage(at: int) -> None:
    """Time, text and check value: no byte can be changed unnoticed."""
    with pytest.raises(Damaged):
        read_pass(MERCHANT, phone(damage=at).answer, NOW_S)


def test_a_pass_for_another_merchant_is_not_opened() -> None:
    """Its name is part of what is encrypted: the key alone is not enough."""
    cryptogram = cryptogram_in(phone().answer(get_data_command(PASS_TYPE)))
    with pytest.raises(Damaged, match="another merchant"):
        opened(MERCHANT._replace(pass_type="pass.example.other"), cryptogram)


@pytest.mark.parametrize("value", ["", "12\n34", "\x00", "\xff"])
def test_a_message_that_is_no_text_is_damage(value: str) -> None:
    """What goes to the till is one line that can be shown."""
    with pytest.raises(Damaged):
        read_pass(MERCHANT, phone(value).answer, NOW_S)


@given(st.lists(st.binary(max_size=120), max_size=4))
def test_any_answers_are_survived(answers: list[bytes]) -> None:
    """A phone may say anything at any step: a reason or damage, never a crash and never a pass."""
    left: Iterator[bytes] = iter(answers)
    with pytest.raises((NoPass, Damaged)):
        read_pass(MERCHANT, lambda _: next(left, b"\x6f\x00"), NOW_S)


@given(st.binary(max_size=130))
def test_any_cryptogram_for_our_key_is_damage(rest: bytes) -> None:
    """Points off the curve, cut off, too long, or simply not encrypted with our key."""
    with pytest.raises(Damaged):
        opened(MERCHANT, key_id(KEY) + rest)


@given(st.data())
def test_any_change_of_an_honest_answer_is_survived(data: st.DataObject) -> None:
    """Bits turned, bytes cut off: the number itself, a reason or damage; never another number."""
    answer = bytearray(phone().answer(get_data_command(PASS_TYPE)))
    for at in data.draw(st.lists(st.integers(0, len(answer) * 8 - 1), min_size=1, max_size=4)):
        answer[at // 8] ^= 1 << at % 8
    cut = data.draw(st.integers(0, len(answer)))
    with contextlib.suppress(NoPass, Damaged):
        assert opened(MERCHANT, cryptogram_in(bytes(answer[:cut]))).text == NUMBER


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """What a shop writes into its config."""
    keys = tmp_path / "card.keys"
    keys.touch(0o600)
    keys.write_text(f'apple = "{KEY.private_numbers().private_value:064x}"\n')
    return {"keys": str(keys), "apple_vas": {"pass_type": PASS_TYPE, "keys": ["apple"], "enabled": True}}


def test_a_phone_is_read_on_every_reader(card_reader: CardReader, options: dict[str, Any], tmp_path: Path) -> None:
    """It is asked for the wallets first, and never for payment; without a pass it is told what to do."""
    with card_reader.watched(tmp_path, **options) as reader:
        reader.state(ReaderState.READY)
        held = phone(now_s=int(time.time()))
        card_reader.insert(held)
        read = reader.card()
        assert (read.data, read.technology) == (NUMBER, Technology.PHONE)
        names = [apdu[5:-1] for apdu in held.asked if apdu[:2] == b"\x00\xa4"]
        assert names[0] == b"OSE.VAS.01"
        assert b"2PAY.SYS.DDF01" not in names
        card_reader.insert(phone(status=b"\x62\x87"))
        assert reader.failure().reason == "phone_locked"
        card_reader.insert(phone(now_s=NOW_S - 10**8))
        assert reader.failure().reason == "pass_of_another_time"


def test_a_shop_with_both_wallets_reads_both() -> None:
    """Whichever phone comes, and neither is told what the other said."""
    google = ec.generate_private_key(ec.SECP256R1())
    wishes = Wishes(smart_tap=Collector(7, 1, google), apple_vas=MERCHANT, now_s=lambda: NOW_S)
    kind = kind_of(phone().atr)
    android = WalletPhone("2990000000024", {(7, 1): google.public_key()})
    assert read_phone(wishes, kind, None, phone().answer, again=False).text == NUMBER
    assert read_phone(wishes, kind, None, android.answer, again=False).text == "2990000000024"
    with pytest.raises(NoPass) as caught:
        read_phone(wishes, kind, None, phone(status=b"\x62\x87").answer, again=False)
    assert caught.value.reason is Reason.LOCKED


def test_a_phone_without_a_pass_is_read_as_the_card_that_it_emulates() -> None:
    """An app of the shop's own may stand in for the wallet."""

    class Both(ApplePhone):
        def answer(self, apdu: bytes) -> bytes:
            mine = super().answer(apdu)
            return mine if mine[-2:] in (b"\x90\x00", b"\x6a\x83") else tag.answer(apdu)

    tag = Type4Card(text_record("2990000000024"))
    both = Both(NUMBER, PASS_TYPE, KEY.public_key(), NOW_S, status=b"\x6a\x83")
    assert read_phone(Wishes(apple_vas=MERCHANT), kind_of(tag.atr), None, both.answer, again=False).text == (
        "2990000000024"
    )


def test_nothing_is_asked_of_an_iphone_unless_it_is_switched_on(options: dict[str, Any]) -> None:
    """A table that was copied from the manual does not start a protocol that needs an agreement; nor are keys read."""
    table = options["apple_vas"]
    assert wishes_of(msgspec.convert(options, CardOptions)).apple_vas is not None
    for off in (table | {"enabled": False}, {k: v for k, v in table.items() if k != "enabled"}):
        wishes = wishes_of(msgspec.convert({"keys": os.devnull, "apple_vas": off}, CardOptions))
        assert wishes.apple_vas is None
        held = phone()
        read_phone(wishes, kind_of(held.atr), None, held.answer, again=False)
        assert 0xCA not in [apdu[1] for apdu in held.asked]


@pytest.mark.parametrize("table", [{"pass_type": "example"}, {"keys": []}, {"tolerance_s": -1}, {"pass_type": "pass."}])
def test_a_table_that_cannot_work_is_told(options: dict[str, Any], table: dict[str, Any]) -> None:
    """Before a customer waits."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options["apple_vas"] | table, AppleVas)


def test_a_missing_key_is_told_by_its_name(options: dict[str, Any]) -> None:
    """All keys of the list must be there."""
    wrong = options | {"apple_vas": options["apple_vas"] | {"keys": ["apple", "older"]}}
    with pytest.raises(DriverError, match="'older'"):
        wishes_of(msgspec.convert(wrong, CardOptions))
