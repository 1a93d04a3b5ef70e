"""The page that somebody reads to a customer on the telephone: how the points came about, entry by entry."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import click

from ledger.port.explanation import Explanation, LotMove, Step, Waiting
from ledger.rules.arithmetic import counted, points
from offline_queue.entry import masked
from offline_queue.legible import legible

INSTANT: Final = timedelta(milliseconds=1)
"""Before its end a day is still the one that ends."""
DID: Final = {
    "earn": "earned",
    "claim": "claimed from a receipt",
    "redeem": "redeemed",
    "reverse": "taken back",
    "correction": "corrected",
}


def explanation(told: Explanation) -> None:
    """Texts of records are shown as they are, what a terminal would obey as its escape."""
    for line in _page(told):
        click.echo(legible(line))


def _page(told: Explanation) -> Iterator[str]:
    yield f"Card {masked(told.number)} ({told.status}): {points(told.points)} on {_time(told.as_of)}"
    yield f"  {told.usable} may be used now, {told.inactive} later, {told.expired} have expired."
    for promise in told.promises:
        since = f" since {_time(promise.granted_at)}" if promise.granted_at else ""
        yield f"  {points(promise.points)} of them are held back for till {promise.terminal}{since} ({promise.state})."
    yield ""
    for number, step in enumerate(told.steps, 1):
        yield from _step(number, step)
    if told.waiting:
        yield "Waiting, without effect so far:"
        for waiting in told.waiting:
            yield from _waiting(waiting)
    yield _sums(told)


def _step(number: int, step: Step) -> Iterator[str]:
    where = ", ".join(
        part for part in (f"till {step.terminal}", step.store, step.receipt and f"receipt {step.receipt}") if part
    )
    did = "given back" if step.kind == "reverse" and step.points > 0 else DID.get(step.kind, step.kind)
    yield f"{number:3}. {_time(step.at)}, {where}: {did} {step.points:+d}, balance {step.balance}"
    if step.sum:
        rule = f" (rule {step.rule})" if step.rule else ""
        yield f"     {step.sum}{rule}"
    if step.told_at:
        yield f"     The till's clock was wrong: it said {_time(step.told_at)}."
    yield from _cause(step)
    for lot in step.lots:
        yield f"     {_lot(lot)}"
    for remark in step.remarks:
        yield f"     Remark: {remark}"
    yield f"     Entry {step.entry}, in the books since {_time(step.posted_at)}"
    yield ""


def _cause(step: Step) -> Iterator[str]:
    if step.reverses:
        yield f"     Takes back entry {step.reverses}"
    if step.author:
        of = f" about entry {step.corrects}" if step.corrects else ""
        yield f"     {step.author}{of}: {step.reason}"
    if step.shall is not None and step.had is not None:
        yield f"     It shall have {step.shall:+d} in all instead of {step.had:+d}"


def _lot(lot: LotMove) -> str:
    if lot.made and lot.points < 0:
        return f"{points(-lot.points)} were not there: an overdraft, which later points repay"
    if lot.made:
        return f"{points(lot.points)} to use {_span(lot)}"
    of = f"the points of entry {lot.entry} ({_day(lot.earned_at)}), to use {_span(lot)}"
    return f"{points(-lot.points)} off {of}" if lot.points < 0 else f"{points(lot.points)} back on {of}"


def _span(lot: LotMove) -> str:
    first = f"from {_day(lot.active_at)}" if lot.active_at else "at once"
    if lot.expires_at is None:
        return f"{first}, for ever"
    last = datetime.fromisoformat(lot.expires_at) - INSTANT
    return f"{first}, through {_day(last.isoformat())}"


def _waiting(waiting: Waiting) -> Iterator[str]:
    receipt = f", receipt {waiting.receipt}" if waiting.receipt else ""
    did = f"{waiting.kind} of {points(waiting.points)}"
    where = f"{_time(waiting.occurred_at)}, till {waiting.terminal}{receipt}"
    yield f"  -  {where}: {did} ({waiting.state}, {waiting.code})"
    if waiting.why:
        yield f"     {waiting.why}"
    yield f"     Settle it with: tilld ledger conflicts show {waiting.name}"


def _sums(told: Explanation) -> str:
    steps = len(told.steps)
    made = f"{counted(steps, 'entry', 'entries')} {'makes' if steps == 1 else 'make'} {told.by_entries}"
    sums = f"{made}, what is left of them {told.by_lots}, the balance is {told.points}"
    return f"Sum: {sums}." if told.adds_up else f"Sum: {sums}. THIS DOES NOT ADD UP: run tilld ledger verify."


def _time(told: str) -> str:
    try:
        return datetime.fromisoformat(told).strftime("%-d %B %Y, %H:%M")
    except ValueError:
        return told


def _day(told: str) -> str:
    return datetime.fromisoformat(told).strftime("%-d %B %Y")
