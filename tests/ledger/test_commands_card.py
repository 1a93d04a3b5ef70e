"""`tilld ledger card` as the office meets it, on both engines."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner, Result

from ledger.cli import ledger
from ledger.commands.command_line import books
from offline_queue.entry import Card, Kind
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill

NEW = "2990000000111"


@pytest.fixture
def url(database: str) -> str:
    with closing(books(database, must_exist=False)()) as book:
        book.register(CARD, 100)
        book.register(OTHER_CARD, 20)
    return database


def run(url: str, *arguments: str) -> Result:
    result = CliRunner().invoke(ledger, ["card", *arguments, "--database", url], standalone_mode=False)
    assert result.exception is None, result.exception
    return result


def told(url: str, *arguments: str) -> dict[str, object]:
    shown: dict[str, object] = json.loads(run(url, *arguments, "--json").stdout)
    return shown


def test_a_card_goes_through_its_life(url: str) -> None:
    """Each act says what the card is afterwards."""
    reason = ("--reason", "as told", "--author", "anna")
    assert told(url, "block", CARD, *reason)["status"] == "blocked"
    assert told(url, "unblock", CARD, *reason)["status"] == "active"
    assert told(url, "replace", CARD, NEW, *reason)["stands"] == NEW
    merged = told(url, "merge", OTHER_CARD, NEW, *reason)
    assert (merged["status"], merged["points"]) == ("merged", 120)
    assert told(url, "show", CARD)["points"] == 120


def test_a_worn_card_is_seen_before_it_dies(url: str) -> None:
    """What tills have last found of this very card; the one that takes its place is new."""
    with closing(books(url, must_exist=True)()) as book:
        till = FakeTill(book, 2)
        reads = [Card(CARD, "ntag", "contactless", 80), Card(CARD, "ntag", "contactless", 62), Card(CARD, "qr")]
        till.send(*(till.entry(Kind.EARN, 1, card=read) for read in reads))
    [worn] = told(url, "show", CARD)["wear"]  # type: ignore[misc, attr-defined]
    assert (worn["technology"], worn["wear"], worn["terminal"]) == ("ntag", 62, "S001-T02")
    shown = run(url, "show", CARD).stdout
    assert "by ntag: wear 62 of 100" in shown
    assert "replace it soon" in shown
    assert CARD not in shown
    assert told(url, "replace", CARD, NEW, "--reason", "worn")["wear"]
    assert told(url, "show", NEW)["wear"] == []


def test_people_read_masked_numbers(url: str) -> None:
    """And how many points there are."""
    shown = run(url, "replace", CARD, NEW, "--reason", "lost").stdout
    assert CARD not in shown
    assert NEW not in shown
    assert "100 points" in shown


def test_what_cannot_be_needs_attention(url: str) -> None:
    """Exit code 1 and the reason; an unknown card is one to activate."""
    refused = run(url, "merge", CARD, NEW, "--reason", "x")
    assert refused.return_value == 1
    assert "no account" in refused.stderr
    assert run(url, "show", NEW).return_value == 1
    assert told(url, "activate", NEW, "--reason", "sold")["status"] == "active"


def test_a_reason_is_needed(url: str) -> None:
    """The log keeps it."""
    result = CliRunner().invoke(ledger, ["card", "block", CARD, "--database", url])
    assert result.exit_code == 2
    assert "--reason" in result.output
