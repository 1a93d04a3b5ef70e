"""What bears on records besides cards and accounts, in the tables: terminals, receipts, clocks, offline days."""

from collections.abc import Mapping, Sequence

from ledger.facts.case import Enrolled, Shown
from ledger.rules.instants import Anchor
from ledger.rules.records import bounded
from ledger.sheet.offline_days import Day
from ledger.tables.engine import Tables
from ledger.tables.hashes import short_hash

MAX_MS = 2**62


def enrolled(tables: Tables, terminals: Sequence[str]) -> dict[str, Enrolled]:
    query = """
        SELECT t.name, k.revoked_at, t.breaches FROM terminal t
        LEFT JOIN terminal_key k ON k.terminal = t.name AND k.public_key = t.public_key WHERE t.name = ANY(?)"""
    rows = tables.rows(query, terminals)
    return {name: Enrolled(revoked_at is not None, breaches) for name, revoked_at, breaches in rows}


def count_breaches(tables: Tables, terminals: Mapping[str, Enrolled]) -> None:
    for name, terminal in terminals.items():
        tables.change("UPDATE terminal SET breaches = breaches + ? WHERE name = ?", terminal.more, name)


def receipts(tables: Tables, names: Mapping[str, int]) -> dict[str, int]:
    """The record that earned on each receipt, where one has."""
    hashes = {short_hash(name): name for name in names}
    rows = tables.rows("SELECT hash, record FROM receipt WHERE hash = ANY(?)", list(hashes))
    held = dict(rows)
    return {name: held[hash_] for hash_, name in hashes.items() if hash_ in held}


def receipt_rows(names: Mapping[str, int]) -> list[tuple[int, int]]:
    """In the order in which they are held."""
    return sorted({short_hash(name): record for name, record in names.items()}.items())


def let_receipts_go(tables: Tables, names: Mapping[str, int]) -> None:
    query = "DELETE FROM receipt WHERE hash = ANY(?) AND record = ANY(?) RETURNING record"
    tables.rows(query, [short_hash(name) for name in names], list(names.values()))


def shown(tables: Tables, subjects: Sequence[str]) -> dict[str, Shown]:
    hashes = {short_hash(subject): subject for subject in subjects}
    query = "SELECT subject, counter, terminal, shown_at FROM card_count WHERE subject = ANY(?)"
    return {hashes[subject]: Shown(*told) for subject, *told in tables.rows(query, list(hashes))}


def keep_shown(tables: Tables, changed: Mapping[str, Shown]) -> None:
    """In the order in which they are held."""
    rows = sorted((short_hash(subject), one.counter, one.terminal, one.at) for subject, one in changed.items())
    tables.insert(
        "card_count",
        rows,
        "ON CONFLICT (subject) DO UPDATE SET counter = excluded.counter, terminal = excluded.terminal,"
        " shown_at = excluded.shown_at WHERE excluded.counter > card_count.counter",
    )


def anchors(tables: Tables, boots: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Anchor]:
    """By terminal and boot."""
    rows = tables.rows(
        "SELECT terminal, boot, monotonic_ms, ledger_ms FROM anchor WHERE terminal = ANY(?) AND boot = ANY(?)",
        *([terminal for terminal, _ in boots], [bounded(boot) for _, boot in boots]),
    )
    found = {(terminal, boot): Anchor(*clocks) for terminal, boot, *clocks in rows}
    return {boot: found[boot[0], bounded(boot[1])] for boot in boots if (boot[0], bounded(boot[1])) in found}


def anchor(tables: Tables, terminal: str, boot: str, clocks: Anchor) -> None:
    """The first of each boot stays: so the same sale is placed at the same time whenever it is heard of."""
    if 0 <= clocks.monotonic_ms < MAX_MS:
        row = (terminal, bounded(boot), clocks.monotonic_ms, clocks.ledger_ms)
        tables.insert("anchor", [row], "ON CONFLICT (terminal, boot) DO NOTHING")


def offline_days(tables: Tables, days: Sequence[Day]) -> dict[Day, int]:
    """Points redeemed without an allowance by account and day. Asked when the accounts are held."""
    rows = tables.rows(
        "SELECT account, day, points FROM offline_day WHERE account = ANY(?) AND day = ANY(?)",
        *([account for account, _ in days], [bounded(day) for _, day in days]),
    )
    found = {(account, day): points for account, day, points in rows}
    return {day: found[day[0], bounded(day[1])] for day in days if (day[0], bounded(day[1])) in found}


def count_offline(tables: Tables, days: Mapping[Day, int]) -> None:
    rows = {(account, bounded(day)): points for (account, day), points in days.items()}
    tables.insert(
        "offline_day",
        [(account, day, points) for (account, day), points in rows.items()],
        "ON CONFLICT (account, day) DO UPDATE SET points = excluded.points",
    )
