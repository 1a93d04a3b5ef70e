"""After the books went back in time: no promise until every till has told again what it holds.

A right that was granted after the backup was made is forgotten here and good at its till. So nothing is promised to
anybody until each enrolled terminal has said hello under the new generation and has delivered all that it declared, or
a person waives it. Whoever changes the generation begins a recovery: `recovered` names the last one that needs none.
"""

from collections.abc import Mapping
from typing import Final

from ledger.port.terminals import Recovery
from ledger.tables.engine import Tables
from offline_queue.wire import Hello, Marks

_TERMINALS = """
    SELECT t.name, t.reported IS NOT NULL AND t.reported = f.value FROM terminal t, fact f
    WHERE f.name = 'generation' AND length(t.public_key) > 0 AND NOT EXISTS (
        SELECT 1 FROM terminal_key k
        WHERE k.terminal = t.name AND k.public_key = t.public_key AND k.revoked_at IS NOT NULL)
    ORDER BY t.name"""
_FORMER: Final = "generation was "
_ENDED = """
    INSERT INTO fact SELECT 'recovered', value FROM fact WHERE name = 'generation'
    ON CONFLICT (name) DO UPDATE SET value = excluded.value"""


def delivered(hello: Hello, generation: str, marks: Mapping[str, Marks]) -> bool:
    """Whether these books hold all that the till has. It adopts a generation only after it has declared everything."""
    here = (told.stream in marks and marks[told.stream].accepted >= told.seq for told in hello.streams)
    return hello.generation == generation and all(here)


def is_on(tables: Tables) -> bool:
    """Whether the books went back in time and somebody is still waited for."""
    named = tables.rows("SELECT DISTINCT value FROM fact WHERE name IN ('generation', 'recovered')")
    return len(named) > 1 and any(not reported for _, reported in tables.rows(_TERMINALS))


def is_news(tables: Tables, generation: str) -> bool:
    """Whether these books hear for the first time of another generation of theirs, and nothing explains it."""
    if tables.rows("SELECT 1 FROM fact WHERE name = ?", _FORMER + generation):
        return False
    remember(tables, generation)
    return not is_on(tables)


def remember(tables: Tables, generation: str) -> None:
    """A generation that these books, or a copy that went on from them, had once."""
    tables.insert("fact", [(_FORMER + generation, "")], "ON CONFLICT (name) DO NOTHING")


def told(tables: Tables) -> Recovery:
    terminals = tables.rows(_TERMINALS)
    waiting, reported = ([name for name, done in terminals if bool(done) is wanted] for wanted in (False, True))
    on = is_on(tables)
    return Recovery(on, waiting if on else [], reported if on else [])


def report(tables: Tables, terminal: str) -> None:
    """The terminal has delivered everything, or is not waited for; after the last one the recovery is over."""
    query = "UPDATE terminal SET reported = (SELECT value FROM fact WHERE name = 'generation') WHERE name = ?"
    tables.change(query, terminal)
    if not is_on(tables):
        tables.change(_ENDED)
