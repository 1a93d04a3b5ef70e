"""`verify` against whoever may write anything into the books: one value changed, in books with all there is."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.audit import invariants
from ledger.facts.policy import Policy
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.port.book import Book
from ledger.port.refusals import NotRecorded
from ledger.port.upkeep import Verification
from ledger.sqlite.book import SqliteBook
from ledger.tables.engine import Tables
from offline_queue.entry import CardEvent, Happening, Kind, Resolution
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece

NEW, THIRD, UNKNOWN = "2990000000111", "2990000000555", "2990000000444"
RULE = PointsRule("base@1", points=1, per=100, activation_days=2, expires=Lifetime(days=30))
POLICY = Policy(programme=Programme({RULE.id: RULE}))
PROVEN = {
    "account": "balance reserved",
    "allowance": "points account state",
    "card": "successor",
    "claim": "hash record",
    "correction": "corrects n record had shall points",
    "decision": "terminal n",
    "lot": "record account points remaining expires_at written_off",
    "move": "record lot points account",
    "posting": "record entry points original",
    "record": "no hash bytes",
    "stream": "no terminal base mark head",
    "terminal": "name decided",
}
"""Columns of which no value can be another one, whatever row it is in."""


def lived(book: Book, timepiece: FakeTimepiece) -> None:
    """A bit of everything: dates, write-offs, reversals, words of people, promises, cards that came and went."""
    for number, points in ((CARD, 0), (OTHER_CARD, 0), (THIRD, 7)):
        book.register(number, points)
    till = FakeTill(book)
    earned, spent = till.earn(100), till.redeem(30)
    again = till.earn(5, key=earned.key)
    till.send(earned, till.earn(24, rule=RULE.id), till.earn(50, OTHER_CARD), spent, till.reverse(earned, 20), again)
    till.send(till.reverse(again, 3), till.earn(9, UNKNOWN))
    till.send(till.entry(Kind.CARD_EVENT, 0, OTHER_CARD, event=CardEvent(Happening.REPLACE, NEW)))
    book.happen(THIRD, Happening.MERGE, "anna", "of one household", CARD)
    till.ask("a1", 10)
    assert book.resolve(again.id, Resolution.HONOUR, None, "anna", "saw both receipts").effect == 5
    timepiece.now += 100 * 86_400_000
    assert book.expire().points == 14, "ten are promised to a till"
    assert book.verify().problems == []


class Taken(Exception):
    """Takes a transaction back when all was seen."""


class Forged:
    """Books in which one value at a time is another."""

    def __init__(self, book: SqliteBook, timepiece: FakeTimepiece) -> None:
        self._book, self._timepiece = book, timepiece
        found: dict[str, list[str]] = {}
        query = "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
        for table, column in self._looked(lambda tables: tables.rows(query)):
            found.setdefault(table, []).append(column)
        self.columns = found
        self.rows = {table: self._rows(table) for table in found}

    def _looked(self, look: Callable[[Tables], Any]) -> Any:
        return self._book._engine.read(look)

    def _rows(self, table: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self._looked(lambda tables: tables.rows(f"SELECT * FROM {table}"))]

    def verified(self, table: str, column: str, row: tuple[object, ...], value: object) -> Verification | None:
        """What is said of books with this value instead; None where SQLite itself would not take it."""
        where = " AND ".join(f"{name} IS ?" for name in self.columns[table])
        said: list[Verification] = []

        def forge(tables: Tables) -> None:
            tables.change(f"UPDATE {table} SET {column} = ? WHERE {where}", value, *row)
            hashed = self._book._engine.source(tables).key_hash
            said.append(invariants.verify(tables, self._timepiece.now, POLICY.programme, hashed))
            raise Taken

        try:
            self._book._engine.write(forge)
        except Taken:
            return said[0]
        except NotRecorded:
            return None
        raise AssertionError("forge has ended otherwise")


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forged]:
    timepiece = FakeTimepiece()
    path = tmp_path_factory.mktemp("forged") / "ledger.db"
    with closing(SqliteBook(path, policy=POLICY, timepiece=timepiece)) as book:
        lived(book, timepiece)
        yield Forged(book, timepiece)


def others(value: object) -> list[object]:
    """What else could stand there."""
    if isinstance(value, int):
        return [value + 1, value - 1]
    return [value + "x" if isinstance(value, str) else value + b"x" if isinstance(value, bytes) else 3]


@pytest.mark.parametrize("name", [f"{table}.{column}" for table in PROVEN for column in PROVEN[table].split()])
def test_what_is_proven_cannot_be_changed_unseen(forged: Forged, name: str) -> None:
    """In no row, neither to more nor to less."""
    table, column = name.split(".")
    place, seen = forged.columns[table].index(column), 0
    for row in forged.rows[table]:
        for value in others(row[place]):
            said = forged.verified(table, column, row, value)
            assert said is None or not said.ok, (row, value)
            seen += said is not None
    assert seen


@given(st.data())
@settings(max_examples=200)
def test_verify_comes_to_an_end_whatever_stands_there(forged: Forged, data: st.DataObject) -> None:
    """It says what it found, without a card's number, and leaves the books as they are."""
    table = data.draw(st.sampled_from(sorted(name for name, rows in forged.rows.items() if rows)))
    row, column = data.draw(st.sampled_from(forged.rows[table])), data.draw(st.sampled_from(forged.columns[table]))
    numbers = st.integers(-3, 30) | st.integers(-(2**63), 2**63 - 1)
    said = forged.verified(table, column, row, data.draw(st.none() | numbers | st.text() | st.binary()))
    if said is not None:
        assert said.ok is not bool(said.problems)
        assert not any(number in str(said.problems) for number in (CARD, OTHER_CARD, NEW, THIRD))
