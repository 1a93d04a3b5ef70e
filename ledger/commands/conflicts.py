"""`tilld ledger conflicts`: the office looks at what is in dispute and settles it, with the server up or down."""

from typing import TYPE_CHECKING, Final

import click

from ledger.commands.command_line import ATTENTION, FINE, Unusable, on_books, say

if TYPE_CHECKING:
    from ledger.port.book import Book

CONFLICTS_EXAMPLES: Final = """
\b
Examples:
  tilld ledger conflicts
  tilld ledger conflicts show ID
  tilld ledger conflicts resolve ID --honour --author Anne --reason "two receipts, both right"
  tilld ledger conflicts resolve ID --refuse --author Anne --reason "rung up twice"
"""


@click.group(invoke_without_command=True, epilog=CONFLICTS_EXAMPLES)
@on_books()
def conflicts(book: "Book", *, as_json: bool) -> int:
    """List the records that wait for something or need a person's look; show one, settle one."""
    return _listed(book, as_json=as_json)


@conflicts.command("list", epilog="Example:  tilld ledger conflicts list --json | jq '.[].name'")
@on_books()
def list_conflicts(book: "Book", *, as_json: bool) -> int:
    """The same list."""
    return _listed(book, as_json=as_json)


def _listed(book: "Book", *, as_json: bool) -> int:
    from ledger.commands import show

    say(book.flagged(), show.flagged, as_json=as_json)
    return FINE


@conflicts.command("show", epilog="Example:  tilld ledger conflicts show 0197a0c2-0c00-7000-8000-000000000001")
@click.argument("name", metavar="ID")
@on_books()
def show_conflict(book: "Book", name: str, *, as_json: bool) -> int:
    """All that one needs to decide: the record, what it collides with, the account, what each decision would do.

    ID is that of the entry, or STREAM:SEQ as the list tells it.
    """
    from ledger.commands import show

    found = book.conflict(name)
    if found is None:
        raise Unusable(f"no entry {name!r} is in these books. `tilld ledger conflicts` lists those in dispute.")
    say(found, show.conflict, as_json=as_json)
    return FINE


@conflicts.command("resolve", epilog=CONFLICTS_EXAMPLES)
@click.argument("name", metavar="ID")
@click.option("--honour", "decision", flag_value="honour", help="It counts as it was asked for.")
@click.option("--refuse", "decision", flag_value="refuse", help="It does not count.")
@click.option("--points", type=int, metavar="N", help="What it shall have had in all: 40, or -40 for a redemption.")
@click.option("--author", required=True, metavar="NAME", help="Who decides.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; the shop reads it.")
@on_books()
def resolve_conflict(
    book: "Book", name: str, decision: str | None, points: int | None, author: str, reason: str, *, as_json: bool
) -> int:
    """Settle an entry by a correction of the office's own; the latest word counts, nothing is edited.

    Ends with 1 where there is no account that it could be posted on.
    """
    from ledger.commands import show
    from ledger.port.refusals import Refused
    from offline_queue.entry import Resolution

    if decision is None:
        raise click.UsageError("Say --honour or --refuse.")
    try:
        done = book.resolve(name, Resolution(decision), points, author, reason)
    except Refused as error:
        if error.problem.code != "no_account":
            raise
        click.echo(f"Nothing was changed: {error}. Register the card first: tilld ledger register NUMBER", err=True)
        return ATTENTION
    say(done, show.settled, as_json=as_json)
    return FINE
