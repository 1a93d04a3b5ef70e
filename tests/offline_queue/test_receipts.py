"""Receipts of custody: what the ledger signs it can never deny, and nothing unsigned is taken for custody."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.books.receipts import Signer
from ledger.sqlite.book import SqliteBook
from offline_queue.courier import Courier, Exchange
from offline_queue.entry import Lane, State
from offline_queue.receipts import Receipt, genuine, proves
from offline_queue.requests import Identity
from offline_queue.steps import Rest, SendRecords
from offline_queue.store import Store
from offline_queue.wire import BatchAnswer, BatchHeader, Custody, Hello, Marks, OrderCode, Welcome
from tests.offline_queue.journals import CARD, TIMEPIECE, opened, sell
from tests.simulation.book_ledger import BookLedger

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
TILL = "S001-T01"
AT = "2026-03-02T09:15:00.000Z"

Change = Callable[[BatchAnswer], BatchAnswer]


def receipt(seq: int = 3, head: bytes = b"h" * 32, stream: str = "s") -> Custody:
    return SIGNER.custody(TILL, stream, seq, head, AT)


def answer(custody: Custody | None, accepted: int = 3) -> BatchAnswer:
    return BatchAnswer("r", "s", "g", accepted, 0, custody)


class TestProof:
    def test_a_receipt_proves_custody_to_whoever_has_the_key(self) -> None:
        """The signature is over terminal, stream, place, chain and time."""
        assert proves(answer(receipt()), TILL, SIGNER.public_key)

    @settings(max_examples=60)
    @given(
        field=st.sampled_from(["seq", "head", "at", "signature"]),
        junk=st.text(max_size=8),
        number=st.integers(0, 2**40),
    )
    def test_a_changed_receipt_proves_nothing(self, field: str, junk: str, number: int) -> None:
        """Whatever is changed, however it is changed."""
        honest = receipt()
        changed = msgspec.structs.replace(honest, **{field: number if field == "seq" else junk})
        assert genuine(changed, TILL, "s", SIGNER.public_key) == (changed == honest)

    @pytest.mark.parametrize(
        "told",
        [
            answer(None),
            answer(receipt(), accepted=4),
            answer(receipt(stream="other")),
            answer(STRANGER.custody(TILL, "s", 3, b"h" * 32, AT)),
            answer(SIGNER.custody("S001-T02", "s", 3, b"h" * 32, AT)),
        ],
    )
    def test_what_does_not_fit_is_no_custody(self, told: BatchAnswer) -> None:
        """None at all, another mark, stream, terminal or key."""
        assert not proves(told, TILL, SIGNER.public_key)
        assert proves(told, TILL, None), "a ledger that has never named a key owes none"

    @pytest.mark.parametrize("key", ["", "no key", "AAAA"])
    def test_what_is_no_key_proves_nothing(self, key: str) -> None:
        """A config's typing error takes nothing for custody."""
        assert not genuine(receipt(), TILL, "s", key)


class Line(BookLedger):
    """Answers of the books, changed on their way as a test says."""

    def __init__(self, book: SqliteBook) -> None:
        super().__init__(book, TILL)
        self.batch: Change = lambda told: told
        self.welcome: Callable[[Welcome], Welcome] = lambda told: told

    def hello(self, hello: Hello) -> Welcome:
        return self.welcome(super().hello(hello))

    def send(self, header: BatchHeader, records: object) -> BatchAnswer:
        return self.batch(super().send(header, records))  # type: ignore[arg-type]


class Shop:
    """A till's journal and the books, with a courier of any version in between."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: Store = opened(folder)
        self.journal = self.store.reader()
        self.book = self.books(SIGNER)
        self.book.register(CARD)
        self.line = Line(self.book)

    def books(self, signer: Signer | None, newest: int = 2) -> SqliteBook:
        return SqliteBook(self.folder / "books.db", signer=signer, newest=newest)

    def moved(self, signer: Signer | None, newest: int = 2) -> None:
        """The ledger is started again, with another key or as another version."""
        self.book.close()
        self.book = self.books(signer, newest)
        self.line = Line(self.book)

    def courier(self, protocols: tuple[int, int] = (1, 2), key: str | None = None) -> Courier:
        identity = Identity(TILL, SIGNER.public_key, "tilld/test", key, protocols)
        return Courier(self.store, self.journal, self.line, TIMEPIECE, identity, lambda *_: None)

    def run(self, courier: Courier) -> list[Exchange]:
        """Until there is nothing to say; what came of each request."""
        done = []
        while not isinstance(result := courier.step(), Rest):
            done.append(result)
        return done

    def receipt(self, lane: Lane = Lane.BULK) -> Receipt | None:
        return self.journal.receipt(self.store.stream(lane))

    def state_of(self, entry_id: str) -> State:
        found = self.journal.find_id(entry_id)
        assert found is not None
        return found.state

    def close(self) -> None:
        self.journal.close()
        self.store.close()
        self.book.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.close()


class TestKeeping:
    def test_the_newest_receipt_is_kept_with_the_mark(self, shop: Shop) -> None:
        """It is durable, verifies, and is over the chain that the till has itself."""
        courier = shop.courier()
        for count in (1, 2):
            sell(shop.store, f"sale-{count}")
            shop.run(courier)
            kept = shop.receipt()
            assert kept is not None
            assert (kept.custody.seq, kept.key) == (count + 1, SIGNER.public_key)
            stream = shop.store.stream(Lane.BULK)
            assert kept.custody.head == shop.journal.hash_at(stream, count + 1).hex()
            assert genuine(kept.custody, TILL, stream, SIGNER.public_key)

    @pytest.mark.parametrize(
        "forge",
        [
            lambda told: msgspec.structs.replace(told, custody=None),
            lambda told: msgspec.structs.replace(told, accepted=told.accepted - 1),
            lambda told: msgspec.structs.replace(
                told, custody=SIGNER.custody(TILL, told.stream, told.accepted, b"\0" * 32, AT)
            ),
            lambda told: msgspec.structs.replace(
                told, custody=STRANGER.custody(TILL, told.stream, told.accepted, b"\0" * 32, AT)
            ),
        ],
    )
    def test_an_answer_that_proves_nothing_is_no_answer(self, shop: Shop, forge: Change) -> None:
        """No receipt, one for less, over another chain, by a stranger: the records stay queued."""
        courier, sold = shop.courier(), sell(shop.store, "sale-1")
        shop.line.batch = forge
        assert "does not prove" in (shop.run(courier)[-1].trouble or "")
        assert (shop.state_of(sold.id), shop.receipt()) == (State.QUEUED, None)
        shop.line.batch = lambda told: told
        courier.hasten()
        shop.run(courier)
        assert shop.state_of(sold.id) is State.POSTED

    def test_another_key_stops_the_till_with_an_alarm(self, shop: Shop) -> None:
        """The key of the first contact is remembered over restarts; a stranger gets no record."""
        shop.run(shop.courier())
        for signer in (STRANGER, None):
            shop.moved(signer)
            sell(shop.store, f"sale with {signer}")
            courier = shop.courier()
            done = shop.run(courier)
            assert courier.state.alarm == "ledger_key"
            assert not any(isinstance(exchange.step, SendRecords) for exchange in done)
            shop.store.remember("sync.backoff", "null")

    def test_a_key_in_the_config_goes_before_the_one_remembered(self, shop: Shop) -> None:
        """The way on after ledger.key is gone for good; and the way not to trust the first contact."""
        shop.run(shop.courier())
        shop.moved(STRANGER)
        sold = sell(shop.store, "sale-1")
        shop.run(shop.courier(key=STRANGER.public_key))
        assert shop.state_of(sold.id) is State.POSTED
        assert shop.courier().state.ledger_key == STRANGER.public_key

    def test_a_ledger_that_holds_less_than_it_signed_for_is_told_of(self, shop: Shop) -> None:
        """Under the same generation that breaks its word: the records are sent again, people hear of it."""
        courier, sold = shop.courier(), sell(shop.store, "sale-1")
        shop.run(courier)
        nothing = {stream: Marks(0, 0) for stream in (shop.store.stream(lane) for lane in Lane)}
        shop.line.welcome = lambda told: msgspec.structs.replace(told, streams=nothing)
        courier.hasten()
        shop.run(courier)
        assert [order.code for order in courier.state.findings] == [OrderCode.CUSTODY_BROKEN]
        assert shop.state_of(sold.id) is State.POSTED

    def test_a_ledger_that_was_put_back_is_told_of(self, shop: Shop) -> None:
        """Another generation is honest: the technician hears how much is sent again, and nothing is lost."""
        courier, sold = shop.courier(), sell(shop.store, "sale-1")
        shop.run(courier)
        shop.book.close()
        for file in shop.folder.glob("books.db*"):
            file.unlink()
        shop.moved(SIGNER)
        shop.book.register(CARD)
        courier = shop.courier()
        shop.run(courier)
        (found,) = courier.state.findings
        assert (found.code, "3 records" in found.detail) == (OrderCode.LEDGER_RESTORED, True), found.detail
        assert shop.state_of(sold.id) is State.POSTED


class TestVersions:
    @pytest.mark.parametrize(
        ("till", "ledger", "agreed"), [((1, 1), 2, 1), ((1, 2), 1, 1), ((1, 2), 2, 2), ((1, 1), 1, 1)]
    )
    def test_old_and_new_work_together(self, shop: Shop, till: tuple[int, int], ledger: int, agreed: int) -> None:
        """An old till with a new ledger and the reverse: sales are booked; receipts are for two that know them."""
        shop.moved(SIGNER, newest=ledger)
        heard: list[int] = []
        shop.line.welcome = lambda told: heard.append(told.protocol) or told  # type: ignore[func-returns-value]
        courier, sold = shop.courier(till), sell(shop.store, "sale-1")
        shop.run(courier)
        assert set(heard) == {agreed}
        assert shop.state_of(sold.id) is State.POSTED
        assert (shop.receipt() is not None) == (agreed == 2)

    def test_no_version_in_common_is_an_alarm(self, shop: Shop) -> None:
        """The till keeps queueing until one of them is updated."""
        shop.moved(SIGNER, newest=1)
        courier, sold = shop.courier((2, 2)), sell(shop.store, "sale-1")
        shop.run(courier)
        assert courier.state.alarm == "protocol"
        assert shop.state_of(sold.id) is State.QUEUED

    def test_a_till_that_is_updated_gets_receipts(self, shop: Shop) -> None:
        """The version is agreed anew at each hello, and so is the key."""
        sell(shop.store, "sale-1")
        shop.run(shop.courier((1, 1)))
        assert shop.receipt() is None
        sell(shop.store, "sale-2")
        shop.run(shop.courier())
        assert shop.receipt() is not None
