"""`tilld claim`: the code of a sale, what a code says, and crediting a sale by it."""

import sys
from typing import Any, Final
from urllib.parse import quote

import click

from offline_queue.claim_codes import MAX_CHARACTERS, read
from offline_queue.legible import legible
from terminal.commands import completion
from terminal.commands.console import Code, Place, answer, answering, columns, placed

EXAMPLES: Final = """
\b
Examples:
  tilld claim show 0196fd1c-... --qr
  tilld claim verify "TILLD1:RRQT..."
  tilld claim redeem --card 2990000000017 < typed-lines.txt
"""


@click.group(epilog=EXAMPLES)
def claim() -> None:
    """Codes on receipts that prove a sale, and credit it once."""


@claim.command(epilog="Example:  tilld claim show 0196fd1c-7c1e-7000-8000-1f0b2a3c4d5e --qr")
@click.argument("transaction", shell_complete=completion.transactions())
@click.option("--qr", is_flag=True, help="Draw the QR code in this window.")
@answering
@placed
def show(place: Place, transaction: str, *, qr: bool, as_json: bool) -> Code:
    """Print the code of TRANSACTION (its id), for scanners and to type."""
    told = place.need("GET", f"/v1/transactions/{quote(transaction, safe='')}")
    if "claim" not in told:
        answer({"id": told["id"], "claim": None}, "This transaction has no claim code.", as_json=as_json)
        return Code.ATTENTION
    text, lines = told["claim"], read(told["claim"]).lines
    picture = [_drawn(text)] if qr else []
    shown = {"id": told["id"], "claim": text, "lines": lines}
    answer(shown, "\n".join([*picture, text, "", *lines]), as_json=as_json)
    return Code.FINE


def _drawn(text: str) -> str:
    from terminal.claims.picture import for_terminal

    return for_terminal(text)


@claim.command(epilog='Example:  tilld claim verify "TILLD1:RRQT..."   (or on stdin, also as typed line by line)')
@click.argument("code", required=False)
@answering
@placed
def verify(place: Place, code: str | None, *, as_json: bool) -> Code:
    """Tell what CODE says and whether this till can prove it (exit code 1 where it cannot)."""
    told = place.need("POST", "/v1/claims/verify", {"code": _given(code)})
    answer(told, sale_text(told), as_json=as_json)
    return Code.FINE if told["proof"] == "proven" and told["claimed"] is None else Code.ATTENTION


@claim.command(epilog="Example:  tilld claim redeem --card 2990000000017 < typed-lines.txt")
@click.argument("code", required=False)
@click.option("--card", required=True, metavar="NUMBER", help="The card for its points.")
@answering
@placed
def redeem(place: Place, code: str | None, card: str, *, as_json: bool) -> Code:
    """Credit the sale of CODE to a card: once, however often it is sent."""
    told = place.need("POST", "/v1/claims", {"code": _given(code), "card": {"number": card}})
    answer(told, legible(told["detail"]), as_json=as_json)
    return Code.FINE


def sale_text(told: dict[str, Any]) -> str:
    """For people."""
    rows = [
        ("SALE", told["id"]),
        ("points", str(told["points"])),
        ("till", told["terminal"]),
        ("at", told["occurred_at"]),
        ("receipt", " ".join(filter(None, (told["receipt"], told["store"]))) or "-"),
        ("card", _made_with(told)),
    ]
    return f"{columns(rows)}\n{legible(told['detail'])}"


def _made_with(told: dict[str, Any]) -> str:
    if told["on_card"]:
        return "one of the customer's"
    return "none: any card may claim it" if told["claimed"] is None else "none"


def _given(code: str | None) -> str:
    """The code of the command line, or all that comes on stdin. Raises UsageError."""
    text = code if code is not None else sys.stdin.read(MAX_CHARACTERS + 1)
    if not text.strip():
        raise click.UsageError("Give the CODE, or send it on stdin.")
    if len(text) > MAX_CHARACTERS:
        raise click.UsageError(f"No claim code has more than {MAX_CHARACTERS} characters.")
    return text
