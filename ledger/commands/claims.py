"""`tilld ledger claim`: codes on receipts, looked at and credited by the office, with the server up or down."""

import getpass
import sys
from typing import TYPE_CHECKING

import click

from ledger.commands.command_line import ATTENTION, FINE, Unusable, on_books, say

if TYPE_CHECKING:
    from ledger.port.book import Book
    from offline_queue.claim_codes import Code


@click.group()
def claim() -> None:
    """Codes on receipts that prove a sale."""


@claim.command("verify", epilog="Example:  tilld ledger claim verify < typed-lines.txt")
@click.argument("code", required=False)
@on_books()
def verify_claim(book: "Book", code: str | None, *, as_json: bool) -> int:
    """Tell what CODE says, whether an enrolled till signed it, and who has its points."""
    from ledger.commands import show
    from ledger.rules.claims import told

    found = _code(code)
    claimed = told(found, book.terminal_keys(found.sale.terminal), book.credited(found.sale.id))
    say(claimed, show.claim, as_json=as_json)
    return FINE if claimed.proven else ATTENTION


@claim.command("redeem", epilog="Example:  tilld ledger claim redeem 2990000000017 < typed-lines.txt")
@click.argument("number")
@click.argument("code", required=False)
@click.option("--author", metavar="NAME", default=getpass.getuser, help="Who acts [default: you].")
@on_books()
def redeem_claim(book: "Book", number: str, code: str | None, *, author: str, as_json: bool) -> int:
    """Credit the sale that CODE tells of to the card NUMBER, once."""
    from ledger.commands import show
    from offline_queue.claim_codes import PREFIX

    if number.upper().startswith(PREFIX):
        raise click.UsageError("the card's NUMBER comes first, then the CODE of the receipt.")

    redeemed = book.redeem_claim(_code(code), number, author)
    say(redeemed, show.redeemed, as_json=as_json)
    return FINE if redeemed.code == "posted" else ATTENTION


def _code(text: str | None) -> "Code":
    """Of the argument, or typed. Raises Unusable."""
    from offline_queue.claim_codes import MAX_CHARACTERS, Unreadable, read

    try:
        return read(text if text is not None else sys.stdin.read(MAX_CHARACTERS + 1))
    except Unreadable as error:
        raise Unusable(f"this claim code cannot be read: {error}. No points moved.") from error
