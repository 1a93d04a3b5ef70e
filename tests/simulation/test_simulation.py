"""Whole schedules: tills, customers and faults from a seed, and what must hold in the end.

A failure says the line that replays it; `python -m tests.simulation --load redemption 1-5000` runs many over all cores.
"""

from functools import lru_cache

import pytest

from offline_queue.journal import AllowanceState
from tests.simulation.bugs import BUGS, HARMLESS, SHOWN, Bug
from tests.simulation.loads import LOADS, MIXED, REDEMPTION, Load
from tests.simulation.network import FAULTS
from tests.simulation.run import Tally, first_caught, over_all_cores
from tests.simulation.world import run

SCHEDULES = {"mixed": 75, "redemption": 75, "clones": 25, "floor": 25, "lone": 25}


@lru_cache
def tally(load: str) -> Tally:
    """The short form: seeds from 1 on."""
    found = Tally()
    for share in over_all_cores(load, range(1, SCHEDULES[load] + 1)):
        found.add(share)
    return found


@pytest.mark.parametrize("load", LOADS)
def test_no_schedule_breaks_a_promise(load: str) -> None:
    """Whatever is lost, doubled, late, killed, copied, put back or burnt: I1 to I12 hold."""
    assert not tally(load).failures, "\n".join(map(str, tally(load).failures))


def test_schedules_see_every_fault() -> None:
    """A fault that never strikes proves nothing: lines, ledgers and disks all fail, and tills give up old records."""
    found = tally("mixed")
    assert found.happened.keys() == FAULTS.keys()
    assert found.restored > 15
    assert found.copied > 40
    assert found.burnt > 20
    assert found.trimmed > 20
    assert found.told > 700


def test_redemptions_are_under_pressure() -> None:
    """Most schedules have no excuse for an overdraft, and rights are used, put back and asked for anew."""
    found = tally("redemption")
    assert found.strict > SCHEDULES["redemption"] / 2
    assert found.told > 400


@pytest.mark.parametrize("load", [MIXED, REDEMPTION], ids=lambda load: load.name)
def test_same_seed_is_the_same_schedule(load: Load) -> None:
    """A failure that was seen once can be looked at as often as needed."""
    first, second = run(7, load), run(7, load)
    assert first.events == second.events
    assert first.line.happened == second.line.happened
    assert first.told == second.told


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_checks_catch(bug: Bug) -> None:
    """With any of the protocol's rules taken out, some schedule fails: so the rules are needed and the checks work."""
    load, most = BUGS[bug]
    assert first_caught(bug.__name__, load.name, (SHOWN.get(bug, 1), *range(1, most + 1))) is not None


@pytest.mark.parametrize("bug", HARMLESS, ids=lambda bug: bug.__name__)
def test_harmless_without(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some rules are a second line behind others. Their bug is planted all the same: what it replaces is not called."""
    load, most = HARMLESS[bug]
    assert first_caught(bug.__name__, load.name, range(1, most + 1)) is None
    bug(monkeypatch)
    world = run(2, load)
    used = [told for told in world.told.values() if told.promise]
    states = [right.state for machine in world.ever for right in machine.rights_left]
    assert used
    assert AllowanceState.CONSUMED not in states
