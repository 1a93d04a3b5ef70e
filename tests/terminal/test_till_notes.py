"""Notes on cards: what a till writes on a card that lies there, and what it makes of another till's note."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.base import Note, NoteWritten, Technology
from offline_queue.entry import Card, Kind
from offline_queue.sync_report import SyncReport
from offline_queue.wire import Marks
from terminal.cards.note_codes import codes_in, packed
from terminal.config_cards import Cards
from terminal.config_claims import Claims
from terminal.inbox import NoteTold
from tests.offline_queue.claimed import code_of, sold
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig

UID, ROOM = "04a1b2c3d4e5f6", 182
STRANGE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with closing(noting(Shop(tmp_path))) as made:
        yield made


def noting(shop: Shop, terminal: str = "S001-T01") -> Shop:
    config = msgspec.structs.replace(shop.config, cards=Cards(notes=True))
    shop.config = msgspec.structs.replace(config, terminal=msgspec.structs.replace(config.terminal, id=terminal))
    return shop


def ledger(till: TillRig, *, reachable: bool) -> None:
    till.send(SyncReport(reachable, None, None, ""))


def lay(till: TillRig, note: bytes = b"", number: str = CARD, room: int = ROOM, later_ms: int = 5000) -> None:
    """A card is presented, long after the one before."""
    till.timepiece.now_ms += later_ms
    till.present(number, technology=Technology.NTAG, uid=UID, slot="slot", note=Note(room, note))
    till.catch_up()


def wished(till: TillRig) -> list[list[str]]:
    """The keys of the sales in each note that was asked for."""
    return [[code.sale.key for code in codes_in(wish.data)] for _, wish in till.wishes]


def take(till: TillRig) -> bytes:
    """The card takes the last note."""
    wish = till.wishes[-1][1]
    till.send(NoteTold("counter", NoteWritten(wish.uid, wish.data)))
    return wish.data


def settle(till: TillRig) -> None:
    """Everything is in the ledger's custody."""
    till.store.mark({head.stream: Marks(head.seq, 0) for head in till.journal.streams()}, "g")


class TestWriting:
    def test_a_sale_without_a_line_goes_onto_the_card_that_lies_there(self, till: TillRig) -> None:
        """Signed by this till, for this card, with what the ledger needs and no receipt."""
        ledger(till, reachable=False)
        lay(till)
        till.sell("K", 30)
        [(reader, wish)] = till.wishes
        assert (reader, wish.slot, wish.uid) == ("counter", "slot", UID)
        [code] = codes_in(wish.data)
        assert (code.sale.key, code.sale.points, code.sale.receipt, code.sale.store) == ("K", 30, None, None)
        assert code.sale.on(CARD)

    def test_nothing_is_written_while_the_ledger_answers(self, till: TillRig) -> None:
        """The sale is there in a moment; when the line breaks meanwhile, the card may still lie there."""
        ledger(till, reachable=True)
        lay(till)
        till.sell("K", 30)
        assert not till.wishes
        ledger(till, reachable=False)
        assert wished(till) == [["K"]]

    def test_the_newest_sale_comes_first_and_each_is_asked_for_once(self, till: TillRig) -> None:
        """Where there is room for one it is the newest; a line that stays broken asks for nothing new."""
        ledger(till, reachable=False)
        lay(till)
        till.sell("K1", 30)
        till.sell("K2", 30)
        ledger(till, reachable=False)
        assert wished(till) == [["K1"], ["K2"]]
        lay(till, take(till), room=374)
        assert wished(till)[-1] == ["K2", "K1"]

    def test_a_card_that_was_lifted_is_written_when_it_comes_again(self, shop: Shop, till: TillRig) -> None:
        """Also after a restart of the till; and nobody is bothered with it."""
        ledger(till, reachable=False)
        lay(till)
        till.sell("K", 30)
        till.send(NoteTold("counter", NoteWritten(UID, till.wishes[-1][1].data, "card_gone", "gone")))
        ledger(till, reachable=False)
        assert (wished(till), till.told("card_note")) == ([["K"]], [])
        till = shop.restart()
        ledger(till, reachable=False)
        lay(till)
        assert wished(till) == [["K"]]

    def test_a_card_that_refuses_is_told_and_the_sale_stands(self, till: TillRig) -> None:
        """A note is a copy: its failure is no failure of a sale."""
        ledger(till, reachable=False)
        lay(till)
        answer = till.sell("K", 30)
        till.send(NoteTold("counter", NoteWritten(UID, b"", "occupied", "The pages hold something else.")))
        [told] = till.told("card_note")
        assert (told["what"], told["reason"]) == ("not_written", "occupied")
        assert till.outcome(answer.id).points == 30
        ledger(till, reachable=False)
        assert len(till.wishes) == 1

    def test_the_note_is_taken_off_when_the_ledger_has_everything(self, till: TillRig) -> None:
        """At once while the card lies there, or when it comes again."""
        ledger(till, reachable=False)
        lay(till)
        till.sell("K", 30)
        note = take(till)
        settle(till)
        ledger(till, reachable=True)
        assert wished(till) == [["K"], []]
        lay(till, note)
        assert wished(till) == [["K"], [], []]
        lay(till, b"")
        assert len(till.wishes) == 3

    def test_what_the_ledger_keeps_is_not_written(self, till: TillRig) -> None:
        """It is in custody already, though not decided, when the line breaks."""
        till.sell("K1", 30)
        settle(till)
        till.sell("K2", 30)
        ledger(till, reachable=False)
        lay(till, room=374)
        assert wished(till) == [["K2"]]

    def test_only_what_earned_on_that_card_goes_onto_it(self, till: TillRig) -> None:
        """Not a redemption, not another customer's sale, not one without a card."""
        ledger(till, reachable=False)
        lay(till)
        till.sell("A", 30, None)
        till.sell("B", 30, OTHER_CARD)
        assert not till.wishes

    def test_receipts_without_codes_do_not_matter(self, shop: Shop) -> None:
        """The shop chose so for receipts."""
        shop.config = msgspec.structs.replace(shop.config, claims=Claims(enabled=False))
        till = shop.start()
        ledger(till, reachable=False)
        lay(till)
        till.sell("K", 30)
        assert wished(till) == [["K"]]

    def test_a_shop_that_wants_no_notes_has_none(self, shop: Shop) -> None:
        """Neither written nor believed."""
        shop.config = msgspec.structs.replace(shop.config, cards=Cards())
        till = shop.start()
        ledger(till, reachable=False)
        lay(till, note_of("S002-T07"))
        till.sell("K", 30)
        assert not till.wishes
        assert till.journal.find_key("claim:K") is None


def note_of(terminal: str, key: str = "K", number: str = CARD, signed_by: Ed25519PrivateKey = STRANGE_KEY) -> bytes:
    """A note as another till writes it."""
    return packed([code_of(sold(key=key, terminal=terminal, card=Card(number), receipt=None), signed_by).raw], ROOM)


class TestFinding:
    def test_a_note_of_another_till_is_recorded_once(self, shop: Shop, till: TillRig) -> None:
        """However often the card comes, and over a restart; the cashier is told."""
        for _ in range(3):
            lay(till, note_of("S002-T07"))
        [told] = till.told("card_note")
        assert (told["what"], told["points"], told["card"]["masked"]) == ("found", 249, "•••• 0017")
        assert "S002-T07" in told["detail"]
        till = shop.restart()
        lay(till, note_of("S002-T07"))
        found = till.journal.find_key("claim:K")
        assert found is not None
        entry = found.entry
        assert (entry.kind, entry.points, entry.card) == (Kind.CLAIM, 249, Card(CARD, "ntag", "scanned"))
        assert [found.entry.key for found in till.journal.undecided() if found.entry.kind is Kind.CLAIM] == ["claim:K"]
        assert not till.told("card_note")

    def test_a_note_of_our_own_is_nothing_new(self, till: TillRig) -> None:
        """The sale is in our journal."""
        ledger(till, reachable=False)
        lay(till)
        till.sell("K", 30)
        lay(till, take(till))
        assert till.journal.find_key("claim:K") is None
        assert [(told["what"], told["sales"]) for told in till.told("card_note")] == [("written", 1)]

    def test_a_till_that_lost_its_disk_takes_its_own_note_for_the_ledger_to_prove(self, tmp_path: Path) -> None:
        """The same terminal, the same key, an empty journal."""
        burnt, anew = (noting(Shop(tmp_path / name)) for name in ("burnt", "anew"))
        for shop in (burnt, anew):
            shop.folder.mkdir()
        with closing(burnt), closing(anew):
            till = burnt.start()
            ledger(till, reachable=False)
            lay(till)
            till.sell("K", 30)
            again = anew.start()
            lay(again, take(till))
            found = again.journal.find_key("claim:K")
            assert found is not None
            assert found.entry.points == 30

    def test_the_note_stays_until_the_ledger_has_it(self, till: TillRig) -> None:
        """The finder's disk may burn too; then it is taken off, so that no third till brings it again."""
        ledger(till, reachable=True)
        note = note_of("S002-T07")
        lay(till, note)
        assert not till.wishes
        settle(till)
        ledger(till, reachable=True)
        assert [wish.data for _, wish in till.wishes] == [b""]

    def test_what_proves_nothing_stays_where_it_is(self, till: TillRig) -> None:
        """A forged code of this till's, another customer's, and no code at all: nothing is recorded, nothing lost."""
        forged = note_of("S001-T01")
        for note in (forged, note_of("S002-T07", number=OTHER_CARD), b"\xff" * 40, bytes(ROOM)):
            lay(till, note)
        assert till.journal.find_key("claim:K") is None
        assert not till.told("card_note")
        settle(till)
        ledger(till, reachable=True)
        lay(till, forged)
        assert not till.wishes
