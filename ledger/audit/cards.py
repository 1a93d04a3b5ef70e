"""The invariants of cards and of mergers, computed again from the books."""

from collections.abc import Iterator

from ledger.facts.cards import CardStatus, Listing
from ledger.tables.changes import end
from ledger.tables.engine import Tables
from ledger.tables.source import CARDS, LISTING, listings
from offline_queue.entry import masked

MARKED = f"SELECT {LISTING} FROM card WHERE marked IS NOT NULL ORDER BY number"  # noqa: S608 - our own columns


def successors(tables: Tables) -> Iterator[str]:
    """Every card that is forwarded leads to one that is not, and to the same account."""
    for row in tables.scan(MARKED):
        (number, listing), *_ = listings([row]).items()
        if (listing.successor is None) is (listing.marked is not CardStatus.BLOCKED):
            by = masked(listing.successor) if listing.successor else "nobody"
            yield f"card {masked(number)} is {listing.status} by {by}"
        last = _last(tables, number, listing)
        if last is None:
            yield f"card {masked(number)} is forwarded in a circle"
        elif listing.account is not None and listing.account != last.account:
            yield f"card {masked(number)} and the card that stands for it are of two accounts"


def mergers(tables: Tables) -> Iterator[str]:
    """An account that was merged holds nothing any more, and no card is left on it."""
    query = """
        SELECT a.no FROM account a WHERE a.merged_into IS NOT NULL AND (a.balance <> 0 OR a.reserved <> 0
        OR EXISTS (SELECT 1 FROM card c WHERE c.account = a.no) OR EXISTS (SELECT 1 FROM lot l WHERE l.account = a.no)
        OR NOT EXISTS (SELECT 1 FROM account b WHERE b.no = a.merged_into)) ORDER BY a.no"""
    for (account,) in tables.scan(query):
        yield f"account {account} was merged into another and still holds something"


def changes(tables: Tables) -> Iterator[str]:
    """What tills were told is numbered without a hole, and no card was told of more than there is."""
    ((count, first, last),) = tables.rows("SELECT count(*), coalesce(min(n), 1), coalesce(max(n), 0) FROM change")
    if (first, last) != (1, count) or last != end(tables):
        yield f"the feed of changes has {count} from {first} to {last}, and its counter says {end(tables)}"
    for (number,) in tables.scan("SELECT number FROM card WHERE told > ? ORDER BY number", last):
        yield f"card {masked(number)} refers to a change that nobody was told"


def _last(tables: Tables, number: str, listing: Listing) -> Listing | None:
    """The card at the end of the chain; None where it has no end."""
    seen = {number}
    while listing.successor is not None:
        number = listing.successor
        if number in seen:
            return None
        seen.add(number)
        listing = listings(tables.rows(CARDS, [number])).get(number, Listing())
    return listing
