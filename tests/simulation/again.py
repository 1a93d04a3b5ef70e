"""I10: the same calls in the same order lead to the same books, so what is decided follows from the log alone."""

from typing import Final

from tests.simulation.office import Office, driven_again

TABLES: Final = {
    "decision": "SELECT * FROM decision ORDER BY terminal, n",
    "posting": "SELECT * FROM posting ORDER BY record",
    "move": "SELECT * FROM move ORDER BY record, lot",
    "lot": "SELECT * FROM lot ORDER BY record",
    "account": "SELECT * FROM account ORDER BY no",
    "card": "SELECT * FROM card ORDER BY number",
    "allowance": "SELECT * FROM allowance ORDER BY id",
    "waiting": "SELECT * FROM waiting ORDER BY record",
    "correction": "SELECT * FROM correction ORDER BY corrects, n",
    "change": "SELECT * FROM change ORDER BY n",
    "stream": "SELECT * FROM stream ORDER BY no",
}


def i10_again(office: Office) -> None:
    """Raises AssertionError."""
    book = driven_again(office.log, office.folder, office.policy)
    try:
        for table, query in TABLES.items():
            first, second = office.rows(query), book._engine.connection.execute(query).fetchall()  # type: ignore[attr-defined]
            differing = [pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]][:1]
            assert first == second, f"I10: driven again, {table} differs: {differing or (len(first), len(second))}"
    finally:
        book.close()
