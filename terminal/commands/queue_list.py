"""`tilld queue list`: the transactions of a till, from the beginning on or the newest of them."""

import heapq
import sys
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

import click
import msgspec

from offline_queue.entry import State
from terminal.commands.client import NotRunning
from terminal.commands.console import Code, Place, answer, answering, columns, placed
from terminal.commands.journal import instead_of_the_till, refuse_strange

LIST_EXAMPLES: Final = """
\b
Examples:
  tilld queue list --last 10
  tilld queue list --only queued --json | jq '.entries[].id'
"""
PAGE: Final = 1000
"""As many as the till gives at once."""


@click.command("list", epilog=LIST_EXAMPLES)
@click.option("--only", type=click.Choice([each.value for each in State]), help="Entries in this state.")
@click.option("--after", metavar="ID", help="Go on after this transaction.")
@click.option("--limit", type=click.IntRange(1, PAGE), default=100, show_default=True, help="How many at most.")
@click.option("--last", type=click.IntRange(1, PAGE), metavar="N", help="The N newest instead, the newest last.")
@answering
@placed
def list_entries(
    place: Place, only: str | None, after: str | None, limit: int, last: int | None, *, as_json: bool
) -> Code:
    """Transactions of this till, stream by stream, the oldest first."""
    if last is not None and after is not None:
        raise click.UsageError("--last looks from the end and --after from the beginning; choose one.")
    try:
        page = _newest(place, only, last) if last else _page(place, only, after, limit)
    except NotRunning:
        page = _page_from_journal(place, only, after, limit, last)
    heading = ("ID", "WHEN", "KIND", "POINTS", "CARD", "STATE", "VERDICT")
    rows = [_row(entry) for entry in page["entries"]]
    more = f"\nMore: --after {page['next']}" if page["next"] else ""
    text = columns([heading, *rows]) + more if rows else "Nothing."
    answer(page, text, as_json=as_json)
    return Code.FINE


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    card = (entry["card"] or {}).get("masked", "-")
    points = str(entry["points"])
    return entry["id"], entry["occurred_at"], entry["kind"], points, card, entry["state"], entry.get("verdict") or "-"


def _page(place: Place, only: str | None, after: str | None, limit: int) -> Any:
    wanted = {"limit": str(limit), "after": after, "state": only}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items() if value is not None)
    return place.ask("GET", f"/v1/queue?{query}")


def _newest(place: Place, only: str | None, count: int) -> dict[str, Any]:
    """Out of all streams, page by page."""
    page = _page(place, only, None, PAGE)
    newest = latest(page["entries"], count)
    while page["next"] is not None:
        page = _page(place, only, page["next"], PAGE)
        newest = latest([*newest, *page["entries"]], count)
    return {"entries": newest, "next": None}


def latest(entries: Iterable[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """By the time of the transaction, the newest last."""
    return heapq.nlargest(count, entries, key=lambda entry: (entry["occurred_at"], entry["id"]))[::-1]


def _page_from_journal(
    place: Place, only: str | None, after: str | None, limit: int, last: int | None
) -> dict[str, Any]:
    from terminal.questions import outcome

    with instead_of_the_till(place) as journal:
        refuse_strange(journal, after)
        found = journal.list(after, sys.maxsize if last else limit, [State(only)] if only else None)
    entries = [msgspec.to_builtins(outcome(each)) for each in found]
    if last:
        return {"entries": latest(entries, last), "next": None}
    return {"entries": entries, "next": entries[-1]["id"] if len(entries) == limit else None}
