"""Codes that customers bring to head office."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.cli import ledger
from ledger.port.book import Book
from ledger.port.refusals import Refused
from ledger.sqlite.book import SqliteBook
from offline_queue.claim_codes import Code, issue
from offline_queue.claimed_sale import sale_of
from offline_queue.entry import Entry, State, decode
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, points_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
UNKNOWN = "2990000000031"


@pytest.fixture
def burnt(book: Book) -> FakeTill:
    """The till that sold, with a key that it can sign by."""
    return FakeTill(book, 9, PUBLIC)


def code_of(sale: Entry, key: Ed25519PrivateKey = KEY) -> Code:
    return issue(sale_of(sale), key)


def test_code_of_a_till_that_burnt_is_credited_once(book: Book, burnt: FakeTill) -> None:
    """The sale was never heard of; the same code again, for this card or another, credits nothing."""
    sale = burnt.earn(30, card=None)
    first = book.redeem_claim(code_of(sale), CARD, "anna")
    assert (first.state, first.code, first.points, points_of(book)) == (State.POSTED, "posted", 30, 30)
    for card in (CARD, OTHER_CARD):
        again = book.redeem_claim(code_of(sale), card, "anna")
        assert (again.code, again.points) == ("duplicate", 0)
    assert (points_of(book), points_of(book, OTHER_CARD)) == (30, 0)
    assert book.verify().ok


def test_sale_that_comes_later_is_a_duplicate(book: Book, burnt: FakeTill) -> None:
    """The till was mended after all: its sale and the office's claim have one effect."""
    sale = burnt.earn(30, card=None)
    book.redeem_claim(code_of(sale), CARD, "anna")
    burnt.send(sale)
    assert (burnt.verdict(sale).code, points_of(book)) == ("duplicate", 30)


def test_sale_that_waits_without_a_card_is_credited(book: Book, burnt: FakeTill) -> None:
    """The claim lends it its card."""
    sale = burnt.earn(30, card=None)
    burnt.send(sale)
    assert book.redeem_claim(code_of(sale), CARD, "anna").state is State.POSTED
    assert points_of(book) == 30


def test_card_without_an_account_waits(book: Book, burnt: FakeTill) -> None:
    """Nothing is refused: the points come when the card is registered."""
    waiting = book.redeem_claim(code_of(burnt.earn(30, card=None)), UNKNOWN, "anna")
    assert (waiting.state, waiting.code) == (State.PARKED, "card_unknown")
    book.register(UNKNOWN)
    assert points_of(book, UNKNOWN) == 30


def test_code_that_proves_nothing_is_refused_and_leaves_nothing(book: Book, burnt: FakeTill) -> None:
    """Signed by a stranger, or of a sale on another card: the office is told why, and no entry is made."""
    forged = code_of(burnt.earn(30, card=None), Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(Refused, match="not signed by terminal"):
        book.redeem_claim(forged, CARD, "anna")
    with pytest.raises(Refused, match="another card") as refusal:
        book.redeem_claim(code_of(burnt.earn(30)), OTHER_CARD, "anna")
    assert refusal.value.problem.code == "claim_unproven"
    assert (book.flagged(), points_of(book)) == ([], 0)


@pytest.mark.parametrize(("number", "author"), [("", "anna"), ("2" * 65, "anna"), (CARD, ""), (CARD, "a" * 65)])
def test_who_claims_for_which_card_is_said(book: Book, burnt: FakeTill, number: str, author: str) -> None:
    """Neither may be missing, nor be longer than a name; nothing is written otherwise."""
    with pytest.raises(Refused) as refusal:
        book.redeem_claim(code_of(burnt.earn(30, card=None)), number, author)
    assert refusal.value.problem.code == "malformed"
    assert book.verify().records == 0


@pytest.mark.parametrize("author", ["a", "a" * 64])
def test_who_acted_is_in_the_log(book: Book, burnt: FakeTill, author: str) -> None:
    """By the whole name."""
    book.redeem_claim(code_of(burnt.earn(30, card=None)), CARD, author)
    ((raw,),) = book._engine.read(lambda tables: tables.rows("SELECT bytes FROM record"))  # type: ignore[attr-defined]
    assert decode(bytes(raw)).operator == author


def test_command(tmp_path: Path) -> None:
    """Exit code 0 when points were credited, 1 when they were not; garbage is a mistake."""
    path = tmp_path / "books.db"
    book = SqliteBook(path)
    book.register(CARD)
    code = code_of(FakeTill(book, 9, PUBLIC).earn(30, card=None))
    book.close()
    place, run = ["--database", f"sqlite:///{path}"], CliRunner().invoke
    first = run(ledger, ["claim", "redeem", CARD, *place], input="\n".join(code.lines), standalone_mode=False)
    assert (first.return_value, "Credited: 30 points" in first.output) == (0, True)
    again = run(ledger, ["claim", "redeem", CARD, code.text, "--json", *place], standalone_mode=False)
    assert (again.return_value, '"duplicate"' in again.output) == (1, True)
    garbage = run(ledger, ["claim", "redeem", CARD, "TILLD1:XX", *place])
    assert (garbage.exit_code, "cannot be read" in garbage.output) == (2, True)
