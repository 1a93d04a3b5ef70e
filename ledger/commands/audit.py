"""`tilld ledger export`: the books for auditors."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from ledger.commands.command_line import FINE, Unusable, on_books

if TYPE_CHECKING:
    from ledger.books.receipts import Signer
    from ledger.port.book import Book

EXPORT_EXAMPLES: Final = """
\b
Examples:
  tilld ledger export books.jsonl --key ledger.key
  tilld ledger export --terminal S001-T01 - | gzip > S001-T01.jsonl.gz
  tilld queue verify --file books.jsonl
"""


@click.command(epilog=EXPORT_EXAMPLES)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), metavar="OUT|-")
@click.option("--terminal", metavar="NAME", help="Only what this till recorded.")
@click.option("--stream", metavar="STREAM", help="Only this stream.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Sign for it: ledger.key.")
@on_books()
def export(
    book: "Book", out: Path, terminal: str | None, stream: str | None, key: Path | None, *, as_json: bool
) -> int:
    """Write every record in custody and what was decided of it, as JSON Lines that a stranger can verify.

    A table of docs/protocol.md tells the lines. They hold whole card numbers: keep them as you keep the books.
    """
    if as_json and str(out) == "-":
        raise click.UsageError("The export is JSON Lines itself; name a file to have a summary with --json.")
    signer = _signer(key) if key else None
    with _private(out) as file:
        written = book.export(file, terminal, stream, signer)
    if as_json:
        click.echo(f'{{"records": {written}}}')
    else:
        click.echo(f"{written} records in {'the export' if str(out) == '-' else out}.", err=True)
    return FINE


def _signer(key: Path) -> "Signer":
    """Raises Unusable."""
    from ledger.books.receipts import Signer
    from offline_queue.terminal_key import KeyUnusable

    try:
        return Signer.kept_in(key)
    except (KeyUnusable, OSError) as error:
        raise Unusable(str(error)) from error


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone, or stdout. Raises Unusable."""
    from offline_queue.private_file import written_privately

    if str(path) == "-":
        yield sys.stdout.buffer
        return
    try:
        with written_privately(path) as out:
            yield out
    except OSError as error:
        raise Unusable(f"cannot write {path}: {error.strerror}. The books are untouched.") from error
