"""The storm of docs/scale.md in small: it must go on telling what that page says."""

import xml.etree.ElementTree as ET

import pytest

from bench.storm import SALES, WAYS, Outcome, Storm, Way, ideal_s, picture

TILLS = 300
ALIGNED, JITTER, ADMISSION = WAYS


def storm(way: Way, capacity: int) -> tuple[Storm, Outcome]:
    it = Storm(way, TILLS, capacity)
    return it, it.run()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_till_delivers_everything_in_the_end(way: Way) -> None:
    """Whatever the waits: nothing is lost in a storm, it is only late."""
    simulated, outcome = storm(way, 6)
    assert len(outcome.drained) == TILLS
    assert all(till.held == till.accepted == SALES for till in simulated.tills)


def test_a_ledger_with_a_door_answers_nobody_too_late() -> None:
    """At half of what its tills need, where jitter alone answers most of them in vain: within twice the work alone."""
    _, outcome = storm(ADMISSION, 3)
    _, without = storm(JITTER, 3)
    assert (outcome.in_vain, outcome.timed_out) == (0, 0)
    assert outcome.turned_away > 0 < without.in_vain
    assert max(outcome.drained) < 2 * 1000 * ideal_s(TILLS, 3) < max(without.drained)


def test_jitter_is_what_keeps_tills_apart() -> None:
    """The same core without chance comes back in step."""
    assert max(storm(JITTER, 6)[1].drained) < max(storm(ALIGNED, 6)[1].drained) / 2


def test_the_same_storm_twice_is_the_same() -> None:
    """Chance is drawn from a seed, so that a figure can be looked into."""
    assert storm(ADMISSION, 3)[1] == storm(ADMISSION, 3)[1]


def test_the_picture_is_well_formed() -> None:
    """A panel for each ledger, a curve for each way."""
    told = {capacity: [storm(way, capacity)[1] for way in WAYS] for capacity in (6, 3)}
    drawing = ET.fromstring(picture(told, TILLS))
    panels = drawing.findall("{http://www.w3.org/2000/svg}g")
    assert [len(panel.findall("./{*}path[@fill='none']")) for panel in panels] == [len(WAYS)] * 2
