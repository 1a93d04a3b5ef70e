"""The office's commands on the books, with the server up or down."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from ledger.commands.command_line import ATTENTION, FINE, on_books, say
from ledger.rules.arithmetic import counted
from offline_queue.entry import masked

if TYPE_CHECKING:
    from ledger.port.book import Book


@click.command(epilog="Example:  tilld ledger register 2990000000017 --points 100")
@click.argument("number")
@click.option("--points", type=click.IntRange(1), help="Opening points, given once per card however often you ask.")
@on_books(must_exist=False)
def register(book: "Book", number: str, points: int | None, *, as_json: bool) -> int:
    """Open an account for a card; what waited for it is credited."""
    from ledger.commands import show

    done = book.register(number, points or 0)
    say(done, show.registration, as_json=as_json)
    return ATTENTION if done.code == "key_mismatch" else FINE


ACCOUNT_EXAMPLES: Final = """
\b
Examples:
  tilld ledger account 2990000000017 --json | jq .points
  tilld ledger account 2990000000017 --explain    to read to a customer: how the points came about
"""


@click.command(epilog=ACCOUNT_EXAMPLES)
@click.argument("number")
@click.option("--explain", is_flag=True, help="Every entry with its sum, its rule, its lots and who corrected it.")
@on_books()
def account(book: "Book", number: str, *, explain: bool, as_json: bool) -> int:
    """Tell a card's points: its lots and every entry behind them.

    With --explain it ends with 1 when entries, lots and balance differ. Give the --config of the server: the sums
    follow from its rules.
    """
    from ledger.commands import show, show_explanation

    if explain and (explanation := book.explanation(number)) is not None:
        say(explanation, show_explanation.explanation, as_json=as_json)
        return FINE if explanation.adds_up else ATTENTION
    statement = book.statement(number)
    if statement is not None:
        say(statement, show.statement, as_json=as_json)
        return FINE
    if as_json:
        click.echo(msgspec.json.encode({"number": number, "known": False}).decode())
    click.echo(f"No account for {masked(number)}. Open one: tilld ledger register NUMBER", err=True)
    return ATTENTION


@click.command(epilog="Example:  tilld ledger expire --json | jq .points")
@on_books()
def expire(book: "Book", *, as_json: bool) -> int:
    """Write off points that expired long ago; the server does it by itself once a day.

    What may be used follows from the dates alone: this only keeps what the programme owes true. How long ago is
    `write_off_after_days` in the config.
    """
    from ledger.commands import show

    done = book.expire()
    while done.following is not None:
        done = done.plus(book.expire(done.following))
    say(done, show.cleared, as_json=as_json)
    return FINE


BACKUP_EXAMPLES: Final = """
\b
Examples:
  tilld ledger backup /mnt/backup/ledger.db    SQLite books, with the server up or down
  tilld ledger backup --begin                  PostgreSQL books: before pg_basebackup ...
  tilld ledger backup --declare                ... and when it is complete and kept
"""


@click.command(epilog=BACKUP_EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--begin", is_flag=True, help="Note what is held now: a backup with PostgreSQL's own tools follows.")
@click.option("--declare", is_flag=True, help="That backup is complete and kept.")
@on_books()
def backup(book: "Book", file: Path | None, *, begin: bool, declare: bool, as_json: bool) -> int:
    """Copy the books, and let tills give up what the copy holds.

    Restore the newest backup only: tills have no copy any more of what an older one lacks. Keep ledger.key with it.
    Of two that were begun before one was declared the first counts, for it holds the least.
    """
    if (file is not None) + begin + declare != 1:
        raise click.UsageError("give one of FILE, --begin and --declare")
    if file is not None and file.exists() and not file.is_file():
        raise click.UsageError(f"{file} is no file, and the backup would take its place")
    if begin:
        noted = book.begin_backup()
        done = f"Noted what was held at {noted}. Make the backup, then --declare it."
        say({"begun": True, "noted": noted}, lambda _: click.echo(done), as_json=as_json)
        return FINE
    streams = book.backup(file) if file is not None else book.declare_backup()
    told = {"file": str(file) if file else None, "streams": streams}
    say(told, lambda _: click.echo(_backed_up(file, streams)), as_json=as_json)
    return FINE


def _backed_up(file: Path | None, streams: int) -> str:
    where = f"The books are in {file}; keep ledger.key with it." if file else "Declared."
    return f"{where} {counted(streams, 'stream')} covered further than before."


@click.command(epilog="Example:  tilld ledger verify  (exit code 1 when anything does not add up)")
@on_books()
def verify(book: "Book", *, as_json: bool) -> int:
    """Compute every chain, sum, date, index and promise again from the records.

    Not computed again are the decisions themselves: what was known when they were made is not kept.
    """
    from ledger.commands import show

    verification = book.verify()
    say(verification, show.verification, as_json=as_json)
    return FINE if verification.ok else ATTENTION
