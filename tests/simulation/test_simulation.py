"""Whole schedules: tills, customers and faults from a seed, and what must hold in the end.

A failure says the line that replays it; `python -m tests.simulation --load redemption 1-5000` runs many over all cores.
"""

from functools import lru_cache

import pytest

from tests.simulation.bugs import BUGS, Bug
from tests.simulation.loads import LOADS, MIXED, REDEMPTION
from tests.simulation.network import FAULTS
from tests.simulation.run import Tally, over_all_cores
from tests.simulation.world import run

SCHEDULES = {"mixed": 120, "redemption": 100, "floor": 30}


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
    assert found.restored > 20
    assert found.copied > 50
    assert found.burnt > 20
    assert found.trimmed > 20
    assert found.told > 1000


def test_redemptions_are_under_pressure() -> None:
    """Most schedules have no excuse for an overdraft, and rights are used, put back and asked for anew."""
    found = tally("redemption")
    assert found.strict > SCHEDULES["redemption"] / 2
    assert found.told > 500


@pytest.mark.parametrize("load", [MIXED, REDEMPTION], ids=lambda load: load.name)
def test_same_seed_is_the_same_schedule(load: object) -> None:
    """A failure that was seen once can be looked at as often as needed."""
    first, second = run(7), run(7)
    assert first.events == second.events
    assert first.line.happened == second.line.happened
    assert first.told == second.told


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_checks_catch(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any of the protocol's rules taken out, some schedule fails: so the rules are needed and the checks work."""
    load, most = BUGS[bug]
    for seed in range(1, most + 1):
        with monkeypatch.context() as patch:
            bug(patch)
            try:
                run(seed, load)
            except Exception:
                return
    pytest.fail(f"{most} schedules of load {load.name} did not notice it")
