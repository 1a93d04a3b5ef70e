"""`tilld ledger conflicts`: what a person sees before deciding, and what the decision does."""

import json
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ledger.cli import ledger
from ledger.commands.command_line import books
from tests.ledger.fake_till import CARD, FakeTill, points_of

UNKNOWN = "2990000000031"


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(ledger, ["conflicts", *arguments, "--database", url], standalone_mode=False)


def told(url: str, *arguments: str) -> Any:
    result = run(url, *arguments, "--json")
    assert result.exception is None, result.output
    return json.loads(result.stdout)


@pytest.fixture
def url(database: str) -> str:
    """Books with two sales under one key, a sale on an unknown card, and garbage."""
    with closing(books(database, must_exist=False)()) as book:
        book.register(CARD)
        till = FakeTill(book)
        first = till.earn(10)
        till.send(first, till.earn(40, key=first.key), till.redeem(7, UNKNOWN), b"garbage")
    return database


def names(url: str) -> dict[str, str]:
    return {flag["code"]: flag["name"] for flag in told(url)}


def test_show_tells_all_that_is_needed_to_decide(url: str) -> None:
    """The record, what it collides with, the account, and what each decision would do; a look changes nothing."""
    name = names(url)["key_mismatch"]
    found = told(url, "show", name)
    assert found["record"]["code"] == "key_mismatch"
    assert (found["asked"], found["has"], found["balance"]) == (40, 0, 10)
    assert found["first"]["points"] == 10
    assert found["honour"] == {"shall": 40, "effect": 40, "balance": 50, "why_not": None}
    assert found["refuse"] == {"shall": 0, "effect": 0, "balance": 10, "why_not": None}
    shown = run(url, "show", name).stdout
    assert "40 are posted" in shown.replace("+", "")
    assert CARD not in shown
    assert names(url)["key_mismatch"] == name


def test_the_word_of_the_office_counts_once(url: str) -> None:
    """The points move, the list shortens, the same word again says so, another one is the latest."""
    name = names(url)["key_mismatch"]
    word = ("--author", "Anne", "--reason", "both receipts are right")
    done = told(url, "resolve", name, "--honour", *word)
    assert (done["effect"], done["repeated"]) == (40, False)
    assert "key_mismatch" not in names(url)
    assert told(url, "resolve", name, "--honour", *word)["repeated"] is True
    assert told(url, "resolve", name, "--refuse", "--points", "5", *word)["effect"] == -35
    assert [said["shall"] for said in told(url, "show", name)["words"]] == [40, 5]
    with closing(books(url, must_exist=True)()) as book:
        assert points_of(book) == 15
        assert book.verify().problems == []


def test_what_cannot_be_read_is_named_by_its_place(url: str) -> None:
    """The list tells a name that works."""
    name = names(url)["undecodable"]
    assert name.endswith(":4")
    told(url, "resolve", name, "--refuse", "--author", "Anne", "--reason", "a test of the till")
    assert "undecodable" not in names(url)


def test_without_an_account_the_next_step_is_said(url: str) -> None:
    """Exit code 1, nothing is changed, and the command that helps."""
    name = names(url)["card_unknown"]
    assert told(url, "show", name)["honour"]["why_not"]
    result = run(url, "resolve", name, "--honour", "--author", "Anne", "--reason", "seen")
    assert (result.return_value, "tilld ledger register" in result.stderr) == (1, True)
    assert UNKNOWN not in result.stderr
    assert names(url)["card_unknown"] == name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resolve", "x", "--honour", "--author", "A", "--reason", "r"), "neither an entry"),
        (("resolve", "x", "--author", "A", "--reason", "r"), "--honour or --refuse"),
        (("resolve", "x", "--honour", "--author", "A" * 65, "--reason", "r"), "neither an entry"),
        (("show", "x"), "no entry 'x'"),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2 and what to do instead."""
    result = CliRunner().invoke(ledger, ["conflicts", *arguments, "--database", url])
    assert result.exit_code == 2
    assert words in result.output


def test_an_author_without_a_name_is_refused(url: str) -> None:
    """Who decides is part of the books for ever."""
    result = CliRunner().invoke(
        ledger,
        [
            "conflicts",
            "resolve",
            names(url)["key_mismatch"],
            "--honour",
            "--author",
            "",
            "--reason",
            "r",
            "--database",
            url,
        ],
    )
    assert (result.exit_code, "who decides" in result.output) == (2, True)
