"""Whose points they are: an entry's are on the account of its card, and a reversal takes back what it names."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from ledger.audit.index import pages, place, read
from ledger.facts.cards import Listing
from ledger.rules.cards import account_of
from ledger.rules.records import ON_CARD, bounded
from ledger.tables.engine import Tables
from ledger.tables.source import CARDS, listings
from offline_queue.entry import Entry, Kind, masked

POSTED: Final = "SELECT p.account, r.bytes FROM posting p JOIN record r ON r.no = p.record WHERE p.points <> 0"
UNDOING: Final = """
    SELECT v.record, r.bytes, v.original, o.entry FROM posting v JOIN record r ON r.no = v.record
    LEFT JOIN posting o ON o.record = v.original WHERE v.points <> 0 OR v.original IS NOT NULL"""


def owners(tables: Tables) -> Iterator[str]:
    """What a card earned or spent is on its account, also where that was merged into another since."""
    merged = dict(tables.rows("SELECT no, merged_into FROM account WHERE merged_into IS NOT NULL"))
    for rows in pages(tables.scan(POSTED)):
        told = [(account, entry) for account, raw in rows if (entry := read(raw)) and entry.kind in ON_CARD]
        named = [(account, entry.id, entry.card.number) for account, entry in told if entry.card]
        cards = defaultdict(Listing, _listed(tables, {number for *_, number in named}))
        for account, name, number in named:
            owner = account_of(number, cards.__getitem__)
            if owner != _heir(account, merged):
                yield f"the points of entry {name} are not on the account of its card {masked(number)}"


def reversals(tables: Tables) -> Iterator[str]:
    """A reversal's posting leads to the entry that it names, or to the one that stands for that sale; others to none.

    A person's word on a reversal leads where that led.
    """
    for rows in pages(tables.scan(UNDOING)):
        told = [(record, read(raw), *original) for record, raw, *original in rows]
        named = {bounded(entry.reverses) for _, entry, *_ in told if entry and entry.reverses}
        query = "SELECT entry, first FROM duplicate WHERE entry = ANY(?)"
        stands = dict(tables.rows(query, sorted(named)))
        for record, entry, original, found in told:
            if entry is not None and not _leads(entry, original, found, stands):
                yield f"the posting of {place(record)} takes back another entry than it names"


def _leads(entry: Entry, original: int | None, found: str | None, stands: Mapping[str, str]) -> bool:
    """`found` is the name of the posting at `original`, `stands` what names stand for."""
    if entry.kind is Kind.REVERSE:
        name = bounded(entry.reverses or "")
        return found is not None and found in (name, stands.get(name))
    return original is None or (entry.kind is Kind.CORRECTION and found is not None)


def _listed(tables: Tables, numbers: Collection[str]) -> dict[str, Listing]:
    """These cards, and all that stand for them."""
    found: dict[str, Listing] = {}
    while numbers:
        more = listings(tables.rows(CARDS, sorted(numbers)))
        found.update(more)
        numbers = {listing.successor for listing in more.values() if listing.successor} - found.keys()
    return found


def _heir(account: int, merged: dict[int, int]) -> int:
    """The account itself, or the last of those that it was merged into one after the other."""
    seen = {account}
    while (heir := merged.get(account)) is not None and heir not in seen:
        seen.add(heir)
        account = heir
    return account
