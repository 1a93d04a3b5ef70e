"""Cards and codes that prove themselves at the till: taken once, whatever the customer or a copyist does."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from drivers.base import CardRead, EntryMode, Technology
from offline_queue.timepiece import Timepiece
from terminal.cards.rotating_codes import card_key, password
from terminal.config import Config, Terminal
from terminal.config_cards import Cards, Codes, Sdm
from terminal.inbox import Answered, CardPresented, TransactionAsked
from terminal.pos import CardNumber, TransactionRequest
from tests.terminal.rig import CARD, HandTimepiece, Shop, TillRig, said
from tests.virtual.dynamic import DynamicTag

META, FILE, MASTER = bytes(range(16)), bytes(range(16, 32)), b"the programme's key."
ADDRESS = "https://l.example/t"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    keys = tmp_path / "card.keys"
    keys.touch(mode=0o600)
    keys.write_text(f'sdm-meta = "{META.hex()}"\nsdm-file = "{FILE.hex()}"\ncodes = "{MASTER.hex()}"\n')
    with closing(Shop(tmp_path)) as shop:
        shop.config = Config(
            terminal=Terminal(language="en"),
            cards=Cards(keys=str(keys)),
            sdm=Sdm(ADDRESS),
            codes=Codes("{number}:{totp_value_0}"),
        )
        yield shop


@pytest.fixture
def tag() -> DynamicTag:
    return DynamicTag(ADDRESS, META, FILE)


def tap(till: TillRig, address: str, uid: str | None = "04de5f1eacc040", **fields: str) -> None:
    mode = EntryMode(fields.get("mode", "contactless"))
    till.send(CardPresented("counter", CardRead(Technology.TYPE_4, mode, address, uid)))


def reasons(till: TillRig) -> list[str]:
    return [told["reason"] for told in till.told("card_unreadable")]


def later(timepiece: Timepiece, seconds: int) -> None:
    assert isinstance(timepiece, HandTimepiece)
    timepiece.now_ms += 1000 * seconds


def test_a_tap_counts_once(shop: Shop, tag: DynamicTag) -> None:
    """The message of an earlier tap is refused, at once, later, and by the next start of the till."""
    till = shop.start()
    tag.taps = 5
    first = tag.address()
    tap(till, first)
    (told,) = till.told("card_read")
    assert told["card"]["number"] == "04DE5F1EACC040"
    later(till.timepiece, 5)
    tap(till, first)
    tag.taps = 4
    tap(till, tag.address())
    till = shop.restart()
    tap(till, first)
    assert reasons(till) == ["replayed"]
    tag.taps = 6
    tap(till, tag.address())
    assert len(till.told("card_read")) == 1


def test_the_count_goes_with_the_sale(shop: Shop, tag: DynamicTag) -> None:
    """So that the ledger sees a message that two tills have taken while they were offline."""
    till, subjects = shop.start(), []
    for taps, uid in ((5, "04de5f1eacc040"), (6, "04de5f1eacc040"), (7, "04de5f1eacc041")):
        tag.taps, tag.uid = taps, bytes.fromhex(uid)
        later(till.timepiece, 5)
        tap(till, tag.address(), uid=uid)
        card, reply = CardNumber(read_id=till.told("card_read")[-1]["read_id"]), Future[Answered]()
        till.till.handle(TransactionAsked(TransactionRequest("earn", card, points=1), f"sale-{taps}", reply))
        found = till.journal.find_id(said(till.heard(reply)).id)
        assert found is not None
        assert found.entry.card is not None
        proof = found.entry.card.proof
        assert proof is not None
        assert proof.counter == taps
        subjects.append(proof.subject)
    assert subjects[0] == subjects[1] != subjects[2]


def test_a_nervous_double_tap_is_one_presentation(shop: Shop, tag: DynamicTag) -> None:
    """Though the card writes another message at each tap."""
    till = shop.start()
    for taps in (1, 2, 3):
        tag.taps = taps
        tap(till, tag.address())
        till.timepiece.now_ms += 400
    assert len(till.told("card_read")) == 1
    assert reasons(till) == []
    later(till.timepiece, 1)
    tag.taps = 4
    tap(till, tag.address())
    assert len(till.told("card_read")) == 2


def test_a_copy_of_a_message_is_refused(shop: Shop, tag: DynamicTag) -> None:
    """On another chip, as a picture, or with one digit changed; a chip that hides its serial number is taken."""
    till = shop.start()
    tap(till, tag.address(), uid="04ffffffffffff")
    tap(till, tag.address(), mode="scanned")
    tap(till, tag.address()[:-1] + "x")
    assert reasons(till) == ["not_authentic"] * 3
    assert till.told("card_read") == []
    tap(till, tag.address(), uid="08a1b2c3")
    assert len(till.told("card_read")) == 1


def test_the_number_may_stand_in_the_encrypted_file(shop: Shop) -> None:
    """Then it is the printed number, proven by the tap."""
    config = shop.config
    shop.config = Config(config.terminal, cards=config.cards, sdm=Sdm(ADDRESS, file="enc", number="file"))
    till = shop.start()
    tap(till, DynamicTag(ADDRESS, META, FILE, taps=1, data=CARD.encode().ljust(16, b"\0")).address())
    tap(till, DynamicTag(ADDRESS, META, FILE, taps=2, data=bytes(16)).address())
    (told,) = till.told("card_read")
    assert told["card"]["number"] == CARD
    assert reasons(till) == ["no_number"]


def code_at(unix_s: int, number: str = CARD) -> str:
    return f"{number}:{password(card_key(MASTER, number), unix_s // 30, 8)}"


def test_a_rotating_code_counts_once_and_a_picture_of_it_not_at_all(shop: Shop) -> None:
    """A second scan of the same period is refused with what to do; the next period's code is taken."""
    till = shop.start()
    now_s = till.timepiece.now_ms // 1000
    till.present(code_at(now_s))
    later(till.timepiece, 5)
    till.present("2990000000024:12345678")
    till.present(code_at(now_s))
    later(till.timepiece, 30)
    till.present(code_at(now_s + 35))
    later(till.timepiece, 300)
    till.present(code_at(now_s))
    assert [told["card"]["number"] for told in till.told("card_read")] == [CARD, CARD]
    assert reasons(till) == ["stale_code", "replayed", "stale_code"]


def test_a_code_that_changes_under_the_scanner_is_one_presentation(shop: Shop) -> None:
    """The phone lies there while its period ends."""
    till = shop.start()
    start_s = till.timepiece.now_ms // 1000
    for second in range(0, 70, 1):
        till.timepiece.now_ms = (start_s + second) * 1000
        till.present(code_at(start_s + second))
        till.timepiece.now_ms += 500
        till.present(code_at(start_s + second))
    assert len(till.told("card_read")) == 1
    assert reasons(till) == []


def test_a_proof_of_one_card_is_nothing_to_another(shop: Shop) -> None:
    """Each card has its own memory."""
    till = shop.start()
    now_s = till.timepiece.now_ms // 1000
    till.present(code_at(now_s))
    till.present(code_at(now_s, "2990000000024"))
    assert len(till.told("card_read")) == 2
