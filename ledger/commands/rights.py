"""`tilld ledger allowances` and `tilld ledger recovery`: what holds points back, and who still has to report."""

import getpass
from typing import TYPE_CHECKING

import click

from ledger.commands.command_line import ATTENTION, FINE, on_books, say

if TYPE_CHECKING:
    from ledger.port.book import Book

WARNING = (
    "If a till, or a copy of its disk, still has such a right, its points can be used twice: once there and once by"
    " whoever is promised them now. The balance is negative then, and flagged. Be sure that none of them runs."
)


@click.group(epilog="Example:  tilld ledger allowances list --terminal S001-T01")
def allowances() -> None:
    """Rights to redeem that tills hold, and their return when a till is gone."""


@allowances.command("list", epilog="Example:  tilld ledger allowances list --json | jq 'map(.points) | add'")
@click.option("--terminal", metavar="NAME", help="Only those of this till.")
@on_books()
def listed(book: "Book", terminal: str | None, *, as_json: bool) -> int:
    """Rights that hold points back, the oldest first; `locked` ones were given up after a crash or a copy."""
    from ledger.commands import show

    say(book.allowances(terminal), show.allowances, as_json=as_json)
    return FINE


@allowances.command(
    "return", epilog="Example:  tilld ledger allowances return --terminal S001-T01 --reason 'till burnt'"
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--terminal", metavar="NAME", help="All that this till holds.")
@click.option("--reason", required=True, help="Why nobody can use them any more; it is written into the books.")
@click.option("--author", default=getpass.getuser, show_default="the user", help="Who says so.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_books()
def returned(
    book: "Book", ids: tuple[str, ...], terminal: str | None, reason: str, author: str, *, yes: bool, as_json: bool
) -> int:
    """Free the points of rights whose holder cannot give them back: its disk burnt, or it crashed without a seal."""
    from ledger.commands import show

    if bool(ids) == (terminal is not None):
        raise click.UsageError("name rights by ID, or a till with --terminal")
    if not (1 <= len(reason) <= 300 and 1 <= len(author) <= 64):
        raise click.UsageError("a reason has 1 to 300 characters, an author 1 to 64")
    chosen = list(ids) or [right.id for right in book.allowances(terminal)]
    click.echo(WARNING, err=True)
    if chosen and not yes:
        click.confirm(f"Return {len(chosen)} of them?", abort=True, err=True)
    say(book.return_allowances(chosen, author, reason), show.returned, as_json=as_json)
    return FINE


@click.group(epilog="Example:  tilld ledger recovery show")
def recovery() -> None:
    """Whether the books went back in time, and wait for tills before they promise points again."""


@recovery.command("show", epilog="Example:  tilld ledger recovery show  (exit code 1 while tills are waited for)")
@on_books()
def shown(book: "Book", *, as_json: bool) -> int:
    """Tell which tills have not reported yet."""
    from ledger.commands import show

    told = book.recovery()
    say(told, show.recovery, as_json=as_json)
    return ATTENTION if told.on else FINE


@recovery.command(epilog="Example:  tilld ledger recovery waive S001-T07   (without a name: wait for nobody)")
@click.argument("terminals", nargs=-1, metavar="[TERMINAL]...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_books()
def waive(book: "Book", terminals: tuple[str, ...], *, yes: bool, as_json: bool) -> int:
    """Wait no longer for these tills: what they were promised after the backup is forgotten, and may be used twice."""
    from ledger.commands import show

    waiting = terminals or book.recovery().waiting
    click.echo(f"Points promised to {', '.join(waiting) or 'nobody'} since the backup may be used twice.", err=True)
    if waiting and not yes:
        click.confirm("Promise points all the same?", abort=True, err=True)
    told = book.waive_recovery(terminals)
    say(told, show.recovery, as_json=as_json)
    return ATTENTION if told.on else FINE
