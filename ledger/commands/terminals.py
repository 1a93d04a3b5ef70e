"""The office's commands about tills: who is let in, who is shut out, and what was found about them."""

from typing import TYPE_CHECKING

import click

from ledger.commands.command_line import FINE, Unusable, on_books, say
from ledger.rules.arithmetic import counted

if TYPE_CHECKING:
    from ledger.port.book import Book


@click.group(invoke_without_command=True, epilog="Example:  tilld ledger terminals")
@on_books()
def terminals(book: "Book", *, as_json: bool) -> int:
    """List the enrolled tills, what they have delivered and what was found against them."""
    from ledger.commands import show

    say(book.terminals(), show.terminals, as_json=as_json)
    return FINE


@terminals.command(epilog="Example:  tilld ledger terminals acknowledge S001-T01")
@click.argument("name")
@on_books()
def acknowledge(book: "Book", name: str, *, as_json: bool) -> int:
    """Say that somebody has looked at what was found against a till: it is told no more, and may redeem again."""
    count = book.acknowledge(name)
    if count is None:
        raise Unusable(f"no till {name} is enrolled here: tilld ledger terminals lists them")
    done = f"{name}: {counted(count, 'finding')} acknowledged. It is told no more, and the till may redeem again."
    text = done if count else f"{name}: nothing is found against it that nobody has looked at."
    say({"terminal": name, "findings": count}, lambda _: click.echo(text), as_json=as_json)
    return FINE


@click.command(epilog='Example:  tilld ledger revoke S001-T01 --reason "stolen on 3 May"')
@click.argument("terminal")
@click.option("--reason", required=True, help="Why; it is shown with the till.")
@on_books()
def revoke(book: "Book", terminal: str, reason: str, *, as_json: bool) -> int:
    """End a till's key: what it signs from now on is kept, and has no effect.

    What it had delivered before stays. `tilld ledger enroll TERMINAL PUBLIC_KEY --replace` lets it in again, under a
    new key or the same.
    """
    if not book.revoke(terminal, reason[:300]):
        raise Unusable(f"no till {terminal} is enrolled here; tilld ledger terminals lists them.")
    told = f"The key of {terminal} is revoked. Let it in again: tilld ledger enroll {terminal} PUBLIC_KEY --replace"
    say({"terminal": terminal, "revoked": True}, lambda _: click.echo(told), as_json=as_json)
    return FINE


@click.command(epilog="Example:  tilld ledger enroll S001-T01 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
@click.argument("terminal")
@click.argument("public_key")
@click.option("--replace", is_flag=True, help="Accept this key in place of the enrolled one (a new disk or machine).")
@on_books(must_exist=False)
def enroll(book: "Book", terminal: str, public_key: str, *, replace: bool, as_json: bool) -> int:
    """Let a till in: its name and its Ed25519 public key in base64."""
    from ledger.http import gate
    from offline_queue.signing import authorization, parse_authorization

    if parse_authorization(authorization(terminal, "A" * 86 + "==")) is None:
        raise click.UsageError("a terminal's name is 1 to 64 of A-Z a-z 0-9 . _ -")
    if not book.enrol(terminal, gate.public_key(public_key), replace=replace):
        raise Unusable(f"{terminal} is enrolled with another key. If its disk or machine is new, add --replace.")
    say({"terminal": terminal, "enrolled": True}, lambda _: click.echo(f"{terminal} is enrolled."), as_json=as_json)
    return FINE
