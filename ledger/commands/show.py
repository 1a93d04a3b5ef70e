"""The office's answers as tables for people."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from ledger.port.cards import Registration
from ledger.port.claims import Redeemed
from ledger.port.conflicts import Conflict, Flagged, Settled
from ledger.port.statements import CardWear, Line, Statement
from ledger.port.terminals import Held, Recovery, Terminal
from ledger.port.upkeep import Cleared, Verification
from ledger.rules.arithmetic import counted, points
from ledger.rules.claims import Told
from offline_queue.entry import masked
from offline_queue.legible import legible
from offline_queue.wire_accounts import Lot

WORN: Final = 40
"""From here on the tills ask for a new card."""
INSTANT: Final = timedelta(milliseconds=1)
"""Before its end a day is still the one that ends."""
WHOLE: Final = frozenset({"ID", "Entry", "Right", "Terminal"})
"""Columns that are copied into the next command: they are never broken."""
UNBOUNDED: Final = 2000
"""Characters; more than any row has."""


def registration(done: Registration) -> None:
    card = masked(done.number)
    click.echo(f"{card}: {'an account is open now' if done.opened else 'an account was open already'}.")
    if done.code == "posted":
        click.echo(f"It begins with {points(done.points)}.")
    elif done.code == "duplicate":
        click.echo("Its opening points were given before; they are given once.")
    elif done.code is not None:
        click.echo(legible(f"No points were given: {done.detail}"), err=True)


def config(told: dict[str, Any]) -> None:
    for problem in told["problems"]:
        click.echo(f"{problem['where']}: {problem['what']}", err=True)
    if told["ok"]:
        click.echo(f"{told['file'] or 'No config file: the built-in defaults'}: no mistakes.")


def claim(told: Told) -> None:
    receipt = f", receipt {told.receipt}" if told.receipt else ""
    click.echo(legible(f"{points(told.points)} of a sale at {told.terminal} on {told.occurred_at}{receipt}"))
    if not told.proven:
        click.echo("No enrolled till of this name has signed it: it proves nothing.", err=True)
    credited = f"The points are with {told.credited}." if told.credited else "Nobody has its points yet."
    click.echo(legible(f"entry {told.id}, key {told.idempotency_key}. {credited}"))


def redeemed(told: Redeemed) -> None:
    words = {
        "posted": f"Credited: {points(told.points)}",
        "duplicate": "The sale or another claim has its points already; nothing was credited",
        "card_unknown": "The card has no account: the points are credited when it is registered",
    }
    click.echo(legible(f"{words.get(told.code, told.detail or told.code)}. Entry {told.entry}"))


def statement(account: Statement) -> None:
    held = f", {account.reserved} of them promised to tills" if account.reserved else ""
    click.echo(f"{masked(account.number)}: {points(account.points)}{held}, as of {account.as_of}")
    if account.inactive or account.expired:
        click.echo(f"{account.usable} usable, {account.inactive} not active yet, {account.expired} expired")
    expired = [lot for lot in account.lots if _past(lot.expires_at, account.as_of)]
    if lots := [lot for lot in account.lots if lot not in expired]:
        _print("Lots, the oldest is used first", _lots(lots, account.as_of))
    if expired:
        _print("Expired and not written off yet", _lots(expired, account.as_of))
    wear(account.wear)
    if account.entries:
        _print("Entries", _lines(account.entries))
    if account.waiting:
        _print("Waiting", _lines(account.waiting))


def wear(found: Iterable[CardWear]) -> None:
    for card in found:
        soon = "; replace it soon" if card.wear >= WORN else ""
        where = f"at {card.terminal} on {card.occurred_at}"
        click.echo(legible(f"{masked(card.number)} by {card.technology}: wear {card.wear} of 100 {where}{soon}"))


def cleared(done: Cleared) -> None:
    if done.lots:
        awards, accounts = counted(done.lots, "award"), counted(done.accounts, "account")
        click.echo(f"Expired and written off: {points(done.points)} of {awards} on {accounts}.")
    else:
        click.echo("Nothing that expired long ago is in the books.")


def terminals(tills: list[Terminal]) -> None:
    if not tills:
        click.echo("No till is enrolled yet: tilld ledger enroll TERMINAL PUBLIC_KEY")
        return
    table = _table("Terminal", "Last heard", "Software", "Found", streams="Streams", records="Records", forks="Forks")
    for till in tills:
        counts = (str(till.streams), str(till.records), str(till.forks))
        _row(table, till.name, till.seen_at or "never", till.software or "", ", ".join(till.findings), *counts)
    _print(None, table)


def verification(found: Verification) -> None:
    held = f"{counted(found.records, 'record')} in {counted(found.streams, 'stream')}"
    counts = f"{held}, {counted(found.postings, 'posting')}, {counted(found.accounts, 'account')}"
    if found.ok:
        click.echo(f"All adds up: {counts}; {points(found.liability)} owed.")
        if found.inactive or found.expired:
            click.echo(f"Of these {found.usable} usable, {found.inactive} not active yet, {found.expired} expired.")
        return
    click.echo(f"{counted(len(found.problems), 'problem')} in {counts}:")
    for problem in found.problems:
        click.echo(f"  - {legible(problem)}")
    click.echo("Keep a copy of the books, then compare it with your last good backup.", err=True)


def allowances(rights: list[Held]) -> None:
    if not rights:
        click.echo("No till holds a right to redeem.")
        return
    table = _table("State", "Terminal", "Card", "Granted", "Right", points="Points")
    for right in rights:
        _row(table, right.state, right.terminal, right.card, right.granted_at or "", right.id, str(right.points))
    _print(None, table)


def returned(rights: list[Held]) -> None:
    free = sum(right.points for right in rights)
    click.echo(f"{counted(len(rights), 'right')} returned: {points(free)} free again.")


def recovery(told: Recovery) -> None:
    if not told.on:
        click.echo("Points are promised as ever: no till is waited for.")
        return
    click.echo("The books went back in time. No points are promised until these tills have reported all they hold:")
    for terminal in told.waiting:
        click.echo(f"  - {terminal}")
    click.echo(f"{len(told.reported)} have. Start the others, or: tilld ledger recovery waive TERMINAL", err=True)


def flagged(records: list[Flagged]) -> None:
    if not records:
        click.echo("Nothing waits and nothing needs a look.")
        return
    table = _table("State", "Code", "Terminal", "ID", "What", "Why", points="Points")
    for record in records:
        what = f"{record.kind} on {record.card}" if record.kind and record.card else record.kind or "?"
        asked = "" if record.points is None else str(record.points)
        _row(table, record.state, record.code, record.terminal, record.name, what, record.detail or "", asked)
    _print(None, table)


def conflict(found: Conflict) -> None:
    record = found.record
    what = (
        f"{record.kind} of {points(record.points or 0)} on {record.card or 'no card'}"
        if record.kind
        else "not readable"
    )
    _facts(
        ("Record", f"{record.name}: {what}"),
        ("Verdict", f"{record.state}, {record.code}"),
        ("Why", record.detail),
        ("From", f"{record.terminal}, {found.occurred_at or 'at an unknown time'}"),
        ("Receipt", found.receipt),
        ("Asked", f"{found.asked:+d}, has {found.has:+d}" + (f", reversed {found.undone:+d}" if found.undone else "")),
        ("Account", None if found.balance is None else f"{points(found.balance)}, {found.reserved} of them promised"),
    )
    if found.first is not None:
        _print("It collides with", _lines([found.first]))
    for word in found.words:
        _facts(("Said before", f"{word.author}: {word.reason} ({word.had:+d} -> {word.shall:+d})"))
    for decision, outcome in (("--honour", found.honour), ("--refuse", found.refuse)):
        left = "" if outcome.balance is None else f", the account then has {outcome.balance}"
        _facts((decision, outcome.why_not or f"it has {outcome.shall:+d} in all, {outcome.effect:+d} are posted{left}"))


def settled(done: Settled) -> None:
    if done.repeated:
        click.echo(f"{done.id} was settled like this before; nothing was changed.")
        return
    click.echo(f"{done.id} is settled: {points(done.effect)} by correction {done.correction}.")
    if done.detail:
        click.echo(legible(done.detail), err=True)


def _facts(*told: tuple[str, str | None]) -> None:
    table = Table.grid(padding=(0, 2))
    for name, value in told:
        if value:
            _row(table, name, value)
    _print(None, table)


def _lots(lots: Iterable[Lot], as_of: str) -> Table:
    """With the first and the last day of their points, as the programme's calendar names them."""
    table = _table("Earned", "From", "Through", "Entry", points="Points", left="Left")
    for lot in lots:
        first = lot.active_at[:10] if lot.active_at and not _past(lot.active_at, as_of) else ""
        last = (datetime.fromisoformat(lot.expires_at) - INSTANT).date().isoformat() if lot.expires_at else "for ever"
        _row(table, lot.earned_at, first, last, lot.entry, str(lot.points), str(lot.remaining))
    return table


def _past(moment: str | None, as_of: str) -> bool:
    return moment is not None and datetime.fromisoformat(moment) <= datetime.fromisoformat(as_of)


def _lines(entries: Iterable[Line]) -> Table:
    table = _table("Sold", "Kind", "Terminal", "Receipt", "Decision", "Entry", points="Points")
    for line in entries:
        what = f"{line.kind} of {line.reverses or line.corrects}" if line.reverses or line.corrects else line.kind
        what = f"{what}: {line.reason}" if line.reason else what
        moved = f"{line.points:+d}"
        _row(table, line.occurred_at, what, line.terminal, line.receipt or "", line.code, line.id, moved)
    return table


def _table(*words: str, **numbers: str) -> Table:
    """Columns of words on the left, of numbers right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for word in words:
        table.add_column(word, overflow="fold", no_wrap=word in WHOLE)
    for number in numbers.values():
        table.add_column(number, justify="right", no_wrap=True)
    return table


def _row(table: Table, *cells: str) -> None:
    """Texts from records are shown as they are, what a terminal would obey as its escape."""
    table.add_row(*map(legible, cells))


def _print(title: str | None, table: Table) -> None:
    """Nothing in a text is markup. Into a pipe or a file lines go as long as they are."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = UNBOUNDED
    if title:
        click.echo(f"\n{title}")
    with console.capture() as drawn:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))
