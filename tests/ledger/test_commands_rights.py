"""`tilld ledger allowances` and `tilld ledger recovery`, as the office meets them."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner, Result

from ledger.cli import ledger
from ledger.commands.command_line import books
from tests.ledger.fake_till import CARD, FakeTill
from tests.ledger.holder import Holder, go_back


@pytest.fixture
def url(database: str) -> str:
    """Books whose only till crashed with a right to 30 points and holds another to 40."""
    with closing(books(database, must_exist=False)()) as book:
        book.register(CARD, 100)
        holder = Holder(book, FakeTill(book))
        holder.sync()
        holder.ask("a1", 30)
        holder.restart(sealed=False)
        holder.sync()
        holder.ask("a2", 40)
    return database


def run(url: str, *arguments: str, **options: str) -> Result:
    return CliRunner().invoke(ledger, [*arguments, "--database", url], **options)  # type: ignore[arg-type]


def listed(url: str) -> list[tuple[str, str, int]]:
    told = json.loads(run(url, "allowances", "list", "--json").stdout)
    return [(right["id"], right["state"], right["points"]) for right in told]


def test_rights_are_listed_with_their_cards_masked(url: str) -> None:
    """For people and for scripts."""
    assert listed(url) == [("a1", "locked", 30), ("a2", "open", 40)]
    shown = run(url, "allowances", "list", "--terminal", "S001-T01").stdout
    assert "a1" in shown
    assert CARD not in shown
    assert "No till" in run(url, "allowances", "list", "--terminal", "S001-T99").stdout


def test_a_right_is_returned_after_a_warning(url: str) -> None:
    """The office is told what it may cost and asked; no is no."""
    refused = run(url, "allowances", "return", "a1", "--reason", "one disk", input="n\n")
    assert refused.exit_code == 1
    assert "used twice" in refused.stderr
    assert len(listed(url)) == 2
    done = run(url, "allowances", "return", "a1", "--reason", "one disk", "--yes")
    assert "30 points free again" in done.stdout
    assert listed(url) == [("a2", "open", 40)]


def test_all_rights_of_a_till_that_burnt(url: str) -> None:
    """By its name."""
    done = run(url, "allowances", "return", "--terminal", "S001-T01", "--reason", "burnt", "--yes", "--json")
    assert {right["id"] for right in json.loads(done.stdout)} == {"a1", "a2"}
    assert listed(url) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("allowances", "return", "--reason", "r", "--yes"),
        ("allowances", "return", "a1", "--terminal", "S001-T01", "--reason", "r", "--yes"),
        ("allowances", "return", "a1", "--yes"),
        ("allowances", "return", "a1", "--reason", "", "--yes"),
        ("allowances", "return", "zz", "--reason", "r", "--yes"),
        ("recovery", "waive", "S001-T99", "--yes"),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, arguments: tuple[str, ...]) -> None:
    """With exit code 2, and nothing is changed."""
    assert run(url, *arguments).exit_code == 2
    assert len(listed(url)) == 2


def test_a_recovery_is_shown_and_waived(url: str) -> None:
    """Exit code 1 while tills are waited for."""
    assert run(url, "recovery", "show").exit_code in (0, None)
    with closing(books(url, must_exist=True)()) as book:
        go_back(book)
    shown = run(url, "recovery", "show")
    assert "S001-T01" in shown.stdout
    assert json.loads(run(url, "recovery", "show", "--json").stdout)["on"] is True
    assert run(url, "recovery", "waive", input="n\n").exit_code == 1
    assert "as ever" in run(url, "recovery", "waive", "--yes").stdout
    assert json.loads(run(url, "recovery", "show", "--json").stdout)["on"] is False
