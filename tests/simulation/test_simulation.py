"""Whole schedules: tills, customers and faults from a seed, and what must hold in the end.

A seed that fails is replayed by `python -m tests.simulation SEED`; many are run by `python -m tests.simulation 1-5000`.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.network import FAULTS
from tests.simulation.world import run

SCHEDULES = range(1, 121)
SEEDS_FOR_A_BUG = range(1, 251)


def test_no_schedule_loses_or_doubles_a_point() -> None:
    """Whatever is lost, doubled, late or killed: all that was answered is in the books once, and all queues drain."""
    happened = Counter[str]()
    restored = 0
    for seed in SCHEDULES:
        try:
            world = run(seed)
        except AssertionError as error:
            pytest.fail(f"python -m tests.simulation {seed}: {error}")
        restored += world.office.restored
        happened.update(world.happened)
    assert happened.keys() == FAULTS.keys()
    assert restored > 5


def test_same_seed_is_the_same_schedule() -> None:
    """A failure that was seen once can be looked at as often as needed."""
    first, second = run(7), run(7)
    assert first.events == second.events
    assert first.happened == second.happened


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_checker_catches(bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """With any of the protocol's rules taken out, some schedule fails: so the rules are needed and the checks work."""
    for seed in SEEDS_FOR_A_BUG:
        with monkeypatch.context() as patch:
            bug(patch)
            try:
                run(seed)
            except AssertionError:
                return
    pytest.fail(f"{len(SEEDS_FOR_A_BUG)} schedules did not notice it")
