"""What must hold at the end of every schedule, whatever has happened (the promises of docs/protocol.md)."""

from collections import Counter
from typing import TYPE_CHECKING

from offline_queue.entry import Entry, Kind, State
from offline_queue.journal import AllowanceState

if TYPE_CHECKING:
    from tests.simulation.world import World

SIGN = {Kind.EARN: 1, Kind.REDEEM: -1, Kind.REVERSE: -1}


def check(world: "World") -> None:
    """Raises AssertionError."""
    verified = world.office.book.verify()
    assert verified.ok, verified.problems
    unmoved = world.office.book.generation == world.office.first_generation
    assert unmoved or world.office.restored, "a till believes in custody that the ledger never took"
    told = [entry for till in world.tills for entry in till.told]
    _once(world, told)
    _balances(world, told)
    for till in world.tills:
        chains = till.journal.verify()
        assert chains.ok, chains
        _decided(world, till.name, till.told)
        assert till.journal.allowances(AllowanceState.ASKED, AllowanceState.GRANTED) == []


def _once(world: "World", told: list[Entry]) -> None:
    """Every sale that the POS was answered for is in the books under its key, once, and nothing else is."""
    lines = Counter[str]()
    for card in {entry.card.number for entry in told if entry.card}:
        statement = world.office.book.statement(card)
        assert statement is not None
        lines.update(line.id for line in statement.entries if line.kind in ("earn", "redeem", "reverse"))
        assert statement.waiting == []
    ids_of: dict[str, set[str]] = {}
    for effect, entry in _effects(told):
        ids_of.setdefault(effect, set()).add(entry.id)
    for key, ids in ids_of.items():
        assert sum(lines[name] for name in ids) == 1, f"{key} is {sum(lines[name] for name in ids)} times in the books"
    strangers = set(lines) - set().union(*ids_of.values())
    opening = {line for line in strangers if lines[line] == 1}
    assert len(opening) <= 2, f"{strangers} are in the books and nobody was told"


def _effects(told: list[Entry]) -> list[tuple[str, Entry]]:
    """What each entry brings about: a sale sent through two tills is one sale, whichever of its ids is reversed."""
    key_of = {entry.id: entry.key for entry in told}
    return [(f"undo {key_of[entry.reverses]}" if entry.reverses else entry.key, entry) for entry in told]


def _balances(world: "World", told: list[Entry]) -> None:
    """Points are what was earned less what was used; every right was used or given back."""
    expected = Counter[str]({"2990000000017": 60, "2990000000024": 60})
    for entry in dict(_effects(told)).values():
        assert entry.card
        expected[entry.card.number] += SIGN[entry.kind] * entry.points
    for card, points in expected.items():
        statement = world.office.book.statement(card)
        assert statement is not None or points == 0
        if statement is not None:
            assert (statement.points, statement.reserved) == (points, 0), f"{card}: {statement.points}, not {points}"
            reversals = any(entry.kind is Kind.REVERSE for entry in told)
            assert points >= 0 or reversals or world.office.restored, f"{card} is overdrawn to {points}"


def _decided(world: "World", name: str, told: list[Entry]) -> None:
    """The till knows the ledger's word on each of its entries."""
    till = next(till for till in world.tills if till.name == name)
    for entry in told:
        found = till.journal.find_id(entry.id)
        assert found is not None, f"{entry.key} was answered and is not in the journal"
        assert found.state in (State.POSTED, State.CONFLICT), f"{entry.key} is {found.state}: {found.verdict}"
