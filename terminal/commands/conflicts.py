"""`tilld conflicts`: what waits for a person at this till, and the decision."""

import getpass
from typing import Any, Final
from urllib.parse import quote

import click

from offline_queue.legible import legible
from terminal.commands import completion
from terminal.commands.client import NotRunning
from terminal.commands.console import Code, Failed, Place, age, answer, answering, columns, details, placed
from terminal.commands.journal import instead_of_the_till, refuse_strange

EXAMPLES: Final = """
\b
Examples:
  tilld conflicts list
  tilld conflicts show 0196fd1c-7c1e-7000-8000-1f0b2a3c4d5e
  tilld conflicts resolve ID --decision honour --reason "two receipts, both right"
  tilld conflicts resolve ID --decision refuse --points -20 --reason "20 of the 50 were used"
"""


@click.group(epilog=EXAMPLES)
def conflicts() -> None:
    """Transactions that the ledger could not post as they are: look, decide, say why."""


@conflicts.command("list", epilog="Example:  tilld conflicts list --json | jq '.entries[].id'")
@click.option("--after", metavar="ID", help="Go on after this transaction.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
@answering
@placed
def list_conflicts(place: Place, after: str | None, limit: int, *, as_json: bool) -> Code:
    """What waits for a decision, the oldest first."""
    query = f"limit={limit}" + (f"&after={quote(after, safe='')}" if after else "")
    try:
        page = place.ask("GET", f"/v1/conflicts?{query}")
    except NotRunning:
        page = _page_from_journal(place, after, limit)
    heading = ("ID", "AGE", "KIND", "POINTS", "CARD", "CODE", "WHAT IT MEANS")
    more = f"\nMore: --after {page['next']}" if page["next"] else ""
    text = (
        columns([heading, *map(_row, page["entries"])]) + more if page["entries"] else "Nothing waits for a decision."
    )
    answer(page, text, as_json=as_json)
    return Code.FINE


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    card, queued = (told["card"] or {}).get("masked", "-"), _decided(told)
    words = f"{told['sentence']} [{queued}]" if queued else told["sentence"]
    return told["id"], age(told["age_s"]), told["kind"], str(told["points"]), card, told["code"], words


def _decided(told: dict[str, Any]) -> str:
    """That a decision is on its way."""
    word = told.get("resolution")
    if not word:
        return ""
    on_its_way = word["state"] in ("queued", "accepted")
    what = f"{word['decision']} by {word['author']}: {word['reason']}"
    return f"resolution queued, {what}" if on_its_way else what


def _page_from_journal(place: Place, after: str | None, limit: int) -> dict[str, Any]:
    with instead_of_the_till(place) as journal:
        refuse_strange(journal, after)
        entries = [_told(place, journal, each) for each in journal.disputed(after, limit)]
    return {"entries": entries, "next": entries[-1]["id"] if len(entries) == limit else None}


def _told(place: Place, journal: Any, found: Any) -> Any:
    """As the running till would tell it, in the language of the same config."""
    from offline_queue.timepiece import SystemTimepiece
    from terminal.commands.mirror import loaded
    from terminal.disputes.disputes import dispute, name_of
    from terminal.wording import plain

    told = dispute(found, journal.resolution_of(name_of(found)), SystemTimepiece().unix_ms())
    return plain(told, loaded(place).terminal.language)


@conflicts.command(epilog="Example:  tilld conflicts show 0196fd1c-7c1e-7000-8000-1f0b2a3c4d5e")
@click.argument("transaction", metavar="ID", shell_complete=completion.conflicts())
@answering
@placed
def show(place: Place, transaction: str, *, as_json: bool) -> Code:
    """One of them, open or settled: what happened, what it means, what can be decided here."""
    try:
        told = place.ask("GET", f"/v1/conflicts/{quote(transaction, safe='')}")
    except NotRunning:
        told = _one_from_journal(place, transaction)
    text = details({**told, "age": age(told["age_s"]), "age_s": None}, _plain)
    answer(told, f"{text}{_next_step(told)}", as_json=as_json)
    return Code.FINE


def _next_step(told: dict[str, Any]) -> str:
    """What to type, where something can be decided here; the ID is this till's own and safe to copy."""
    if told["resolutions"]:
        first, *others = told["resolutions"]
        or_else = f"  (or {others[0]})" if others else ""
        return f"\n\nDecide:  tilld conflicts resolve {told['id']} --decision {first} --reason TEXT{or_else}"
    return "\n\nHead office alone can settle this." if told["state"] in ("parked", "conflict") else ""


def _one_from_journal(place: Place, transaction: str) -> Any:
    with instead_of_the_till(place) as journal:
        found = journal.find_id(transaction)
        if found is None or found.verdict is None:
            raise Failed(f"the ledger has said nothing of a transaction {transaction!r} of this till.", Code.ATTENTION)
        return _told(place, journal, found)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return value.get("masked") or f"{value['decision']} by {value['author']}: {value['reason']} ({value['state']})"
    return ", ".join(value) if isinstance(value, list) else str(value)


@conflicts.command(epilog=EXAMPLES)
@click.argument("transaction", metavar="ID", shell_complete=completion.conflicts())
@click.option("--decision", required=True, type=click.Choice(["honour", "refuse"]), help="It counts, or it does not.")
@click.option("--points", type=int, metavar="N", help="What it shall have had in all: 40, or -40 for a redemption.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the books.")
@click.option("--author", metavar="NAME", default=getpass.getuser, show_default="your user", help="Who decides.")
@answering
@placed
def resolve(
    place: Place, transaction: str, decision: str, points: int | None, reason: str, author: str, *, as_json: bool
) -> Code:
    """Decide on one: recorded here at once, resolved when the ledger has agreed. The same again changes nothing."""
    body = {"decision": decision, "reason": reason, "author": author, "points": points}
    target = f"/v1/conflicts/{quote(transaction, safe='')}/resolution"
    told = place.need("POST", target, body)
    answer(told, legible(told["detail"]), as_json=as_json)
    return Code.FINE
