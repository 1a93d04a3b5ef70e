"""The invariants, computed again from the records and postings: nothing that was summed up is believed.

What is not computed again: the decisions (policy, limits, allowances and clocks of their time are not kept, so why an
entry was refused or parked stands as it was written), when a sale was where a till's clock was wrong, which lot a
redemption took (only that all moves add up), and lots without dates (the rule may have come later).
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from ledger.audit import cards, dates, index, owners
from ledger.points.programme import Programme
from ledger.port.upkeep import Verification
from ledger.rules.cards import is_merger
from ledger.rules.claims import AWARDS, as_told
from ledger.rules.custody import Branch
from ledger.rules.records import OVERDRAWING
from ledger.rules.write_offs import is_write_off
from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from ledger.tables.source import merged_into
from ledger.tables.streams import BRANCH, TablesStreams
from offline_queue.entry import Entry, Kind, Undecodable, chain, decode, masked

Check = Callable[[Tables], Iterator[str]]
MAX_PROBLEMS = 100
"""Enough to see the kind of damage; a broken file could name millions."""


def verify(tables: Tables, now: int, programme: Programme, key_hash: index.KeyHash) -> Verification:
    """Walks the whole books a few times; memory grows with the number of keys, 100 bytes each. `now` in ms since 1970.

    `programme` has the rules that the lots' dates follow from, `key_hash` is how the engine indexes keys.
    """
    if damage := _some(_storage, tables):
        return Verification(ok=False, records=0, streams=0, accounts=0, postings=0, liability=0, problems=damage)
    problems = [problem for check in _checks(programme, key_hash) for problem in _some(check, tables)]
    count = {
        table: tables.rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - names of our own tables
        for table in ("record", "stream", "account", "posting")
    }
    liability = tables.rows("SELECT CAST(coalesce(sum(points), 0) AS BIGINT) FROM posting")[0][0]
    expired, inactive = dates.parts(tables, now)
    return Verification(
        ok=not problems,
        records=count["record"],
        streams=count["stream"],
        accounts=count["account"],
        postings=count["posting"],
        liability=liability,
        problems=problems,
        usable=liability - expired - inactive,
        inactive=inactive,
        expired=expired,
    )


def _checks(programme: Programme, key_hash: index.KeyHash) -> list[Check]:
    own = [
        _chains,
        _entries,
        _corrected,
        _undecided,
        _balances,
        _lots,
        _spent,
        _dates,
        _reserved,
        _available,
        _reversals,
    ]
    pointers = [owners.owners, owners.reversals, index.names, index.feeds, index.marks, index.waits, index.words]
    of_cards = [cards.successors, cards.mergers, cards.changes]
    of_keys = [partial(check, key_hash=key_hash) for check in (index.claims, index.claimed)]
    return [*own, *pointers, *of_cards, *of_keys, partial(dates.by_rule, programme=programme)]


def _some(check: Check, tables: Tables) -> list[str]:
    """Not more than anybody reads. Where damage ends the check itself, that is a problem as well."""
    found: list[str] = []
    try:
        found.extend(islice(check(tables), MAX_PROBLEMS))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        name = getattr(check, "func", check).__name__.strip("_")
        found.append(f"the check of {name} met what no ledger writes, and could not go on ({type(error).__name__})")
    return found


def _storage(tables: Tables) -> Iterator[str]:
    """The pages and indexes themselves."""
    yield from tables.damage()


def _chains(tables: Tables) -> Iterator[str]:
    """I5: every stream is dense and its chain leads to its head."""
    streams = TablesStreams(tables)
    for terminal, uid, *row in tables.rows(f"SELECT terminal, uid, {BRANCH} FROM stream ORDER BY no"):  # noqa: S608
        branch = Branch(*row)
        past = streams.hashes(branch, branch.base, branch.base)
        if len(past) != 1:
            yield f"stream {uid} of {terminal} has no beginning"
            continue
        digest, seq, bad = past[0], branch.base, None
        for no, held, raw in tables.scan(
            "SELECT no, hash, bytes FROM record WHERE no > ? AND no < ? ORDER BY no",
            *(branch.no << SEQ_BITS, (branch.no + 1) << SEQ_BITS),
        ):
            digest, seq = chain(digest, raw), seq + 1
            if bad is None and (no & SEQ_MASK != seq or digest != held):
                bad = no & SEQ_MASK
        if bad is not None or (seq, digest) != (branch.mark, branch.head):
            yield f"stream {uid} of {terminal}: the chain breaks at record {bad or seq}"


def _entries(tables: Tables) -> Iterator[str]:
    """I2: one effect a key; and no effect that its own record does not explain."""
    keys: set[str] = set()
    said = dict(tables.rows("SELECT record, points FROM correction"))
    spoken_of = {record for (record,) in tables.rows("SELECT corrects FROM correction")}
    rows = tables.scan("SELECT p.record, p.points, r.bytes FROM posting p LEFT JOIN record r ON r.no = p.record")
    for record, points, raw in rows:
        try:
            entry = as_told(decode(raw or b""))
        except Undecodable:
            yield f"the posting of {index.place(record)} has no entry behind it"
            continue
        if points == 0 and record in spoken_of:
            continue  # it had no effect of its own, and is here for what people said of it
        if entry.key in keys:
            yield f"the key {entry.key!r} has more than one effect (entry {entry.id})"
        keys.add(entry.key)
        if not _explained(entry, points, said.get(record)):
            yield f"entry {entry.id} says {entry.kind} {entry.points}, the books {points}"


def _explained(entry: Entry, points: int, said: int | None) -> bool:
    """`said` is the difference that a person's word on an entry makes."""
    if said is not None:
        return points == said
    if entry.kind in AWARDS:
        return points == entry.points
    if entry.kind is Kind.REDEEM:
        return points == -entry.points
    if entry.correction is not None and (is_write_off(entry) or is_merger(entry)):
        return points == entry.correction.points
    return entry.kind is Kind.REVERSE and (entry.points == 0 or abs(points) <= entry.points)


def _corrected(tables: Tables) -> Iterator[str]:
    """An entry has what people said last that it shall have."""
    query = """
        SELECT c.corrects, max(c.n), CAST(sum(c.points) AS BIGINT), coalesce(min(p.points), 0) FROM correction c
        LEFT JOIN posting p ON p.record = c.corrects GROUP BY c.corrects"""
    for record, n, moved, posted in tables.scan(query):
        ((shall,),) = tables.rows("SELECT shall FROM correction WHERE corrects = ? AND n = ?", record, n)
        if posted + moved != shall:
            yield f"{index.place(record)} shall have {shall} points by the last word on it and has {posted + moved}"


def _undecided(tables: Tables) -> Iterator[str]:
    """I1: what is in custody has a decision."""
    for number, mark, base, terminal in tables.rows("SELECT no, mark, base, terminal FROM stream ORDER BY no"):
        covered, end = (number << SEQ_BITS) + base, (number << SEQ_BITS) + mark
        for record, count in tables.scan(
            "SELECT record, count FROM decision WHERE terminal = ? AND record > ? AND record <= ?"
            " ORDER BY record, count DESC",
            *(terminal, covered, end),
        ):
            if record == covered + 1:
                covered = record + count - 1
        if covered != end:
            yield f"{index.place(covered + 1)} was taken and never decided"


def _balances(tables: Tables) -> Iterator[str]:
    """I3: a balance is the sum of its postings."""
    query = """
        SELECT a.no, a.balance, CAST(coalesce(sum(p.points), 0) AS BIGINT) FROM account a
        LEFT JOIN posting p ON p.account = a.no GROUP BY a.no HAVING a.balance <> coalesce(sum(p.points), 0)"""
    for account, balance, posted in tables.scan(query):
        yield f"account {_name(tables, account)} says {balance} points, its entries {posted}"
    for (record,) in tables.scan("SELECT record FROM posting WHERE account NOT IN (SELECT no FROM account)"):
        yield f"the posting of {index.place(record)} is on no account"


def _lots(tables: Tables) -> Iterator[str]:
    """I3: a balance is the sum of its lots, and each lot the sum of what was done to it."""
    query = """
        SELECT a.no, a.balance, CAST(coalesce(sum(l.remaining), 0) AS BIGINT) FROM account a
        LEFT JOIN lot l ON l.account = a.no GROUP BY a.no HAVING a.balance <> coalesce(sum(l.remaining), 0)"""
    for account, balance, held in tables.scan(query):
        yield f"account {_name(tables, account)} says {balance} points, its lots {held}"
    query = """
        SELECT record, remaining, told FROM (
            SELECT l.record, l.points, l.remaining, l.points + CAST(coalesce(sum(m.points), 0) AS BIGINT) AS told
            FROM lot l
            LEFT JOIN move m ON m.account = l.account AND m.lot = l.record
            GROUP BY l.account, l.record, l.points, l.remaining) AS lots
        WHERE remaining <> told OR abs(remaining) > abs(points) OR remaining * points < 0"""
    for record, remaining, left in tables.scan(query):
        yield f"the lot of {index.place(record)} says {remaining} points, its moves {left}"


def _spent(tables: Tables) -> Iterator[str]:
    """I3: what an entry gives makes a lot, and what it takes or repays moves lots. A merger leaves them as they are."""
    query = """
        SELECT p.record, p.points, p.points - s.told, r.bytes FROM posting p JOIN record r ON r.no = p.record
        JOIN (SELECT q.record, coalesce(l.points, 0) + CAST(coalesce(sum(m.points), 0) AS BIGINT) AS told
              FROM posting q LEFT JOIN lot l ON l.record = q.record LEFT JOIN move m ON m.record = q.record
              GROUP BY q.record, l.points) AS s ON s.record = p.record
        WHERE p.points <> s.told"""
    for record, points, beside, raw in tables.scan(query):
        entry = index.read(raw)
        if points != beside or entry is None or not is_merger(entry):
            yield f"the posting of {index.place(record)} says {points} points, its lot and its moves {points - beside}"


def _dates(tables: Tables) -> Iterator[str]:
    """What may be used follows from the lots' own dates, and what was written off from entries of the office."""
    for account in dates.windows(tables):
        yield f"account {_name(tables, account)} overlooks the dates of its lots"
    yield from dates.write_offs(tables)


def _reserved(tables: Tables) -> Iterator[str]:
    """I4: what is reserved is what open allowances hold."""
    query = """
        SELECT a.no, a.reserved, CAST(coalesce(sum(w.points), 0) AS BIGINT) FROM account a
        LEFT JOIN allowance w ON w.account = a.no AND w.state IN ('open', 'locked') GROUP BY a.no
        HAVING a.reserved <> coalesce(sum(w.points), 0)"""
    for account, reserved, promised in tables.scan(query):
        yield f"account {_name(tables, account)} holds {reserved} points back, its allowances {promised}"


def _available(tables: Tables) -> Iterator[str]:
    """I4: more is promised than there is only where a flagged entry took it."""
    codes = ", ".join(f"'{code}'" for code in sorted(OVERDRAWING))
    query = f"SELECT 1 FROM posting WHERE account = ANY(?) AND code IN ({codes}) LIMIT 1"  # noqa: S608 - our own codes
    for account, balance, reserved in tables.rows("SELECT no, balance, reserved FROM account WHERE balance < reserved"):
        if tables.rows(query, [account, *merged_into(tables, account)]):
            continue
        yield f"account {_name(tables, account)} has {balance} points, {reserved} promised, and nothing says why"


def _reversals(tables: Tables) -> Iterator[str]:
    """I12: reversals take no more than the original gave, and in the other direction, unless a person said so."""
    query = """
        SELECT o.entry, o.points, CAST(sum(v.points) AS BIGINT) FROM posting v JOIN posting o ON o.record = v.original
        WHERE NOT EXISTS (SELECT 1 FROM correction c WHERE c.corrects = o.record)
        AND NOT EXISTS (
            SELECT 1 FROM posting w JOIN correction c ON c.corrects = w.record OR c.record = w.record
            WHERE w.original = o.record)
        GROUP BY o.record, o.entry, o.points
        HAVING abs(sum(v.points)) > abs(o.points) OR sum(v.points) * o.points > 0"""
    for entry, points, undone in tables.scan(query):
        yield f"entry {entry} moved {points} points and its reversals {undone}"


def _name(tables: Tables, account: int) -> str:
    """By the card that stands for it, masked; where it has none by its number."""
    rows = tables.rows("SELECT number FROM card WHERE account = ? ORDER BY marked IS NOT NULL, number", account)
    return masked(rows[0][0]) if rows else str(account)
