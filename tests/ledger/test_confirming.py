"""When a right may be taken along: the pure rules, one by one and as a whole."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts.rights import Right, RightState
from ledger.rules.confirming import Link, Way, believed, confirm, home, present, unsealed, way
from offline_queue.entry import Lane, Parent
from offline_queue.wire import StreamHead

OLD = Link("old", mark=9, head="aa", sealed=True, children=1, machine="m")
NEW = Link("new", mark=1, head="bb", machine="m", parent=Parent("old", 9, "aa"))
RIGHT = Right("a1", "T1", "old", "card", 80, 1, RightState.OPEN)
replace = msgspec.structs.replace


def links(**of_old: object) -> list[Link]:
    return [NEW, replace(OLD, **of_old)]


def test_a_sealed_end_that_is_wholly_here_proves_enough() -> None:
    """And the stream itself needs no proof."""
    assert way(links(), "old") is Way.SEALED
    assert way([NEW], "new") is Way.SEALED


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        (Way.UNSEALED, {"sealed": False}),
        (Way.UNKNOWN, {"mark": 8}),
        (Way.BROKEN, {"mark": 10}),
        (Way.BROKEN, {"head": "cc"}),
        (Way.BROKEN, {"flagged": True}),
        (Way.BROKEN, {"children": 2}),
        (Way.BROKEN, {"sealed": False, "machine": "other"}),
        (Way.BROKEN, {"sealed": False, "machine": None}),
        (Way.BROKEN, {"sealed": False, "machine": ""}),
    ],
)
def test_each_doubt_has_its_consequence(found: Way, changes: dict[str, object]) -> None:
    """The end has no seal; its last records are missing; others come instead; somebody else goes on from it."""
    assert way(links(**changes), "old") is found


def test_a_beginning_that_is_only_announced_waits_for_its_genesis() -> None:
    """Its machine is not known yet, so an end without a seal cannot be judged."""
    announced = replace(NEW, machine=None, mark=0)
    assert way([announced, replace(OLD, sealed=False)], "old") is Way.UNKNOWN


def test_a_way_that_leads_elsewhere_is_no_way() -> None:
    """It ends at a stream without a parent; where it only cannot be followed on, more may come."""
    assert way(links(), "somewhere") is Way.BROKEN
    assert way(links(parent=Parent("older", 3, "dd")), "somewhere") is Way.UNKNOWN
    assert way([], "old") is Way.UNKNOWN


def test_the_worst_step_counts() -> None:
    """One crash among many clean stops is a crash."""
    newest = Link("newest", 1, "ee", machine="m", parent=Parent("new", 1, "bb"))
    assert way([newest, replace(NEW, children=1), OLD], "old") is Way.UNSEALED
    assert unsealed([newest, replace(NEW, children=1), OLD]) == "new"
    assert unsealed([newest, replace(NEW, sealed=True), OLD]) is None


def test_what_holds_is_bound_to_the_present_stream() -> None:
    """So the next start has to prove only its own step."""
    word = confirm(RIGHT, links(), 0, 0)
    assert (word.holds, home(word.right)) == (True, "new")
    assert confirm(word.right, [NEW], 0, 0) == word


def test_what_was_believed_once_counts_against_the_cap_for_ever() -> None:
    """A clean restart behind a crash proves nothing of the crash: the end that was believed stays noted."""
    believed_before = replace(RIGHT, stream="older", bound="old", trusted="older")
    word = confirm(believed_before, links(), 0, 0)
    assert (word.holds, word.right.trusted, home(word.right)) == (True, "older", "new")
    again = confirm(replace(believed_before, trusted=None), links(sealed=False), 0, 100)
    assert (again.holds, again.right.trusted) == (True, "old")


def test_what_cannot_be_told_is_not_told() -> None:
    """Neither yes nor no, and nothing changes."""
    word = confirm(RIGHT, links(mark=3), 0, 0)
    assert (word.holds, word.right) == (None, RIGHT)


@pytest.mark.parametrize("state", [RightState.LOCKED, RightState.CONSUMED, RightState.RELEASED, RightState.REFUSED])
def test_an_ended_right_does_not_hold(state: RightState) -> None:
    """Whatever the way."""
    assert confirm(replace(RIGHT, state=state), links(), 0, 100).holds is False


@given(found=st.sampled_from(Way), spent=st.integers(0, 200), cap=st.integers(0, 200))
def test_only_a_seal_or_the_cap_is_believed(found: Way, spent: int, cap: int) -> None:
    """The cap covers the sum of what was believed over the same end."""
    expected = found is Way.SEALED or (found is Way.UNSEALED and spent + RIGHT.points <= cap)
    assert believed(found, RIGHT, spent, cap) is expected


def head(stream: str, parent: str | None = None, *, lane: Lane = Lane.URGENT, sealed: bool = False) -> StreamHead:
    return StreamHead(stream, lane, 1, "00", 0, sealed, Parent(parent, 1, "00") if parent else None)


def test_the_present_stream_is_the_open_one_that_nothing_follows() -> None:
    """A killed start's stream is open too, but followed; two such streams are none."""
    assert present([head("a"), head("b", "a"), head("c", lane=Lane.BULK)]) == "b"
    assert present([head("a", sealed=True)]) is None
    assert present([head("a"), head("b")]) is None
    assert present([]) is None
