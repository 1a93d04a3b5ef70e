"""Commands on one card: what it is, and what has happened to it."""

from typing import Any
from urllib.parse import quote

import click

from offline_queue.legible import legible
from terminal.commands.console import Code, Place, answer, answering, placed, remark

UNREACHED = (
    "The ledger was not reached: this is as last known. What is recorded at this till is sent when it is back;"
    " try again then."
)
UNKNOWN = (
    "The ledger knows no such card. What it earns is kept, and credited once it is a customer's:"
    " tilld card activate NUMBER."
)
EXAMPLES = """
\b
Examples:
  tilld card show 2990000000017
  tilld card block 2990000000017 --reason "reported stolen"
  tilld card replace 2990000000017 2990000000024
  tilld card resync 2990000000017
  tilld card find '06 12 34 56 78'
"""


@click.group(epilog=EXAMPLES)
def card() -> None:
    """Look at a card; activate, block or replace it.

    What is said of a card is on the disk before it is answered, holds at this till at once, and is sent to the ledger
    like a sale: it works offline too.
    """


def _stating(command: Any) -> Any:
    """Gives a command `--reason` and `--operator`."""
    reason = click.option("--reason", metavar="TEXT", help="Why; kept with the event.")
    return reason(click.option("--operator", metavar="NAME", help="Who says so; kept with the event.")(command))


@card.command(epilog="Example:  tilld card show 2990000000017 --json | jq .status")
@click.argument("number")
@answering
@placed
def show(place: Place, number: str, *, as_json: bool) -> Code:
    """The card and its points, as the ledger says or as last known."""
    return _shown(place, "GET", _target(number), as_json=as_json)


@card.command(epilog="Example:  tilld card resync 2990000000017  (exit code 1 when the ledger was not reached)")
@click.argument("number")
@answering
@placed
def resync(place: Place, number: str, *, as_json: bool) -> Code:
    """Fetch from the ledger what the card is now."""
    return _shown(place, "POST", f"{_target(number)}/resync", as_json=as_json)


@card.command(epilog="Example:  tilld card find '06 12 34 56 78'")
@click.argument("phone")
@answering
@placed
def find(place: Place, phone: str, *, as_json: bool) -> Code:
    """The cards that head office has linked to a PHONE number; only the ledger knows them."""
    told = place.need("POST", "/v1/phone-lookups", {"phone": phone})
    answer(told, legible("\n".join(card["number"] for card in told["cards"])), as_json=as_json)
    return Code.FINE


@card.command(epilog="Example:  tilld card activate 2990000000017")
@click.argument("number")
@_stating
@answering
@placed
def activate(place: Place, number: str, reason: str | None, operator: str | None, *, as_json: bool) -> Code:
    """The card is a customer's from now on; what waited for it is credited."""
    return _said(place, number, "activate", {"reason": reason, "operator": operator}, as_json=as_json)


@card.command(epilog="Example:  tilld card block 2990000000017 --reason lost")
@click.argument("number")
@_stating
@answering
@placed
def block(place: Place, number: str, reason: str | None, operator: str | None, *, as_json: bool) -> Code:
    """The card may not be used; what it earns elsewhere meanwhile is held."""
    return _said(place, number, "block", {"reason": reason, "operator": operator}, as_json=as_json)


@card.command(epilog="Example:  tilld card unblock 2990000000017 --reason found")
@click.argument("number")
@_stating
@answering
@placed
def unblock(place: Place, number: str, reason: str | None, operator: str | None, *, as_json: bool) -> Code:
    """The card may be used again; what was held is credited."""
    return _said(place, number, "unblock", {"reason": reason, "operator": operator}, as_json=as_json)


@card.command(epilog="Example:  tilld card replace 2990000000017 2990000000024")
@click.argument("number")
@click.argument("successor")
@_stating
@answering
@placed
def replace(
    place: Place, number: str, successor: str, reason: str | None, operator: str | None, *, as_json: bool
) -> Code:
    """SUCCESSOR takes the card's place: the balance stays, and the old NUMBER follows to the new one for ever."""
    told = {"successor": successor, "reason": reason, "operator": operator}
    return _said(place, number, "replace", told, as_json=as_json)


def _target(number: str) -> str:
    return f"/v1/cards/{quote(number, safe='')}"


def _said(place: Place, number: str, happening: str, told: dict[str, str | None], *, as_json: bool) -> Code:
    body = {name: value for name, value in told.items() if value is not None}
    done = place.need("POST", f"{_target(number)}/{happening}", body)
    successor = f" by {done['successor']['masked']}" if done.get("successor") else ""
    text = f"{done['card']['masked']} is {done['status']}{successor} at this till; recorded as {done['id']}."
    answer(done, legible(text), as_json=as_json)
    return Code.FINE


def _shown(place: Place, method: str, target: str, *, as_json: bool) -> Code:
    told = place.need(method, target)
    answer(told, "\n".join(map(legible, _lines(told))), as_json=as_json)
    if told["reached"] and told["known"]:
        return Code.FINE
    remark(UNKNOWN if told["reached"] else UNREACHED)
    return Code.ATTENTION


def _lines(told: dict[str, Any]) -> list[str]:
    balance, successor = told["balance"], told["successor"]
    used = f"; {successor['masked']} is used for it" if successor else ""
    lines = [f"card      {told['card']['masked']}: {told['status']}{used}"]
    if balance is not None:
        about = "about " if balance["estimate"] else ""
        lines.append(f"points    {about}{balance['points']}, as of {balance['as_of'] or 'never'}")
    return lines
