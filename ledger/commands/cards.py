"""`tilld ledger card`: the office looks at a card and says what has happened to it, with the server up or down."""

import getpass
from typing import TYPE_CHECKING, Any

import click

from ledger.commands.command_line import ATTENTION, FINE, on_books, say
from ledger.commands.show import wear as show_wear
from ledger.rules.arithmetic import points
from offline_queue.entry import Happening, masked

if TYPE_CHECKING:
    from ledger.port.book import Book
    from ledger.port.cards import CardShown

EXAMPLES = """
\b
Examples:
  tilld ledger card show 2990000000017
  tilld ledger card block 2990000000017 --reason "reported stolen"
  tilld ledger card replace 2990000000017 2990000000024 --reason lost
  tilld ledger card merge 2990000000031 2990000000017 --reason "two cards of one customer"
"""


@click.group(epilog=EXAMPLES)
def card() -> None:
    """Look at a card; activate, block, replace or merge it.

    Each act is an entry in the office's own log. Tills hear of it with their next pass.
    """


def acting(command: Any) -> Any:
    """Gives a command `--reason` and `--author`."""
    author = click.option("--author", metavar="NAME", default=getpass.getuser, help="Who acts [default: you].")
    return author(click.option("--reason", metavar="TEXT", required=True, help="Why; kept with the entry.")(command))


@card.command(epilog="Example:  tilld ledger card show 2990000000017 --json | jq .status")
@click.argument("number")
@on_books()
def show(book: "Book", number: str, *, as_json: bool) -> int:
    """What the card is, which card stands for it, the points behind it, and how worn tills have found it."""
    shown = book.card(number)
    say(shown, _told, as_json=as_json)
    return FINE if shown.account is not None else ATTENTION


@card.command(epilog="Example:  tilld ledger card activate 2990000000017 --reason 'sold today'")
@click.argument("number")
@acting
@on_books()
def activate(book: "Book", number: str, **told: Any) -> int:
    """Open the card's account; what waited for it is credited."""
    return _acted(book, number, Happening.ACTIVATE, **told)


@card.command(epilog="Example:  tilld ledger card block 2990000000017 --reason stolen")
@click.argument("number")
@acting
@on_books()
def block(book: "Book", number: str, **told: Any) -> int:
    """The card may not be used: tills refuse it, and what it earns is held."""
    return _acted(book, number, Happening.BLOCK, **told)


@card.command(epilog="Example:  tilld ledger card unblock 2990000000017 --reason found")
@click.argument("number")
@acting
@on_books()
def unblock(book: "Book", number: str, **told: Any) -> int:
    """The card may be used again; what was held is credited."""
    return _acted(book, number, Happening.UNBLOCK, **told)


@card.command(epilog="Example:  tilld ledger card replace 2990000000017 2990000000024 --reason lost")
@click.argument("number")
@click.argument("successor")
@acting
@on_books()
def replace(book: "Book", number: str, successor: str, **told: Any) -> int:
    """SUCCESSOR takes the card's place: the balance stays, and the old NUMBER follows to the new one for ever."""
    return _acted(book, number, Happening.REPLACE, successor=successor, **told)


@card.command(epilog="Example:  tilld ledger card merge 2990000000031 2990000000017 --reason 'one customer'")
@click.argument("number")
@click.argument("successor")
@acting
@on_books()
def merge(book: "Book", number: str, successor: str, **told: Any) -> int:
    """Put the account of NUMBER into that of SUCCESSOR; a pair of entries explains the points that move."""
    return _acted(book, number, Happening.MERGE, successor=successor, **told)


@card.command(epilog="Example:  tilld ledger card phone 2990000000017 '+33 6 12 34 56 78'")
@click.argument("number")
@click.argument("phone", required=False)
@click.option("--remove", is_flag=True, help="The card is found by no phone number any more.")
@click.option("--author", metavar="NAME", default=getpass.getuser, help="Who acts [default: you].")
@on_books()
def phone(book: "Book", number: str, phone: str | None, *, remove: bool, author: str, as_json: bool) -> int:
    """Let tills find the card by PHONE, in international form.

    A card has one phone number, a phone number up to five cards. The books keep a keyed hash of it alone.
    """
    if remove == (phone is not None):
        raise click.UsageError("Give a PHONE, or --remove.")
    linked = phone is not None
    changed = True
    if phone is None:
        changed = book.unlink_phone(number)
    else:
        book.link_phone(number, phone, author)
    before = "" if changed else "; it was found by none before"
    told = f"{masked(number)} is found by {'this' if linked else 'no'} phone number{before}."
    say({"card": masked(number), "linked": linked, "changed": changed}, lambda _: click.echo(told), as_json=as_json)
    return FINE


def _acted(
    book: "Book",
    number: str,
    happening: Happening,
    *,
    author: str,
    reason: str,
    as_json: bool,
    successor: str | None = None,
) -> int:
    shown = book.happen(number, happening, author, reason, successor)
    say(shown, _told, as_json=as_json)
    if shown.code == "posted":
        return FINE
    click.echo(f"Nothing was changed: {shown.detail}", err=True)
    return ATTENTION


def _told(shown: "CardShown") -> None:
    stands = f"; {masked(shown.stands)} stands for it and is {shown.stands_as}" if shown.stands else ""
    nobody = " (no account: what it earns waits until it is registered or activated)" if shown.account is None else ""
    click.echo(f"{masked(shown.number)}: {shown.status}{nobody}{stands}")
    if shown.points is not None:
        held = f", {shown.reserved} of them promised to tills" if shown.reserved else ""
        click.echo(f"{points(shown.points)}{held}")
    show_wear(shown.wear)
