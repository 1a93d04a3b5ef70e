"""What the till makes of the ledger's verdicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts.codes import Code
from ledger.rules.deciding import RULES
from offline_queue.conflicts import (
    MEANINGS,
    POSTED,
    ConflictKind,
    kind_of,
    meaning,
    needs_people,
    sentence,
    verdict_state,
)
from offline_queue.entry import State
from offline_queue.wire_feeds import Verdict


def verdict(code: str, state: State) -> Verdict:
    return Verdict(1, "s", 1, 1, state, code)


def test_till_knows_the_ledgers_codes_in_the_same_order() -> None:
    """The order of precedence is one and the same on both sides."""
    told = [str(code) for code in Code]
    assert [*map(str, ConflictKind), POSTED] == told[: told.index(POSTED) + 1]
    ruled = [str(code) for code in dict.fromkeys(rule.code for rule in RULES)]
    assert ruled == [code for code in told if code in ruled]


@pytest.mark.parametrize("kind", ConflictKind)
def test_every_kind_is_said_in_both_languages(kind: ConflictKind) -> None:
    """A cashier never sees a bare code."""
    said = MEANINGS[kind].said
    assert said.fr.endswith(".")
    assert said.en.endswith(".")
    assert said.fr != said.en


@given(code=st.text(max_size=20), state=st.sampled_from(State))
def test_code_of_a_later_version_is_for_people(code: str, state: State) -> None:
    """Whatever code comes, it is said in words; one that nobody knows here asks for a look unless it is posted."""
    assert sentence(code).fr
    assert sentence(code).en
    if kind_of(code) is None and code != POSTED:
        assert meaning(code).looked_at
        assert needs_people(verdict(code, state)) == (state not in (State.POSTED, State.RESOLVED))


@pytest.mark.parametrize(
    ("code", "state", "looked_at"),
    [
        ("posted", State.POSTED, False),
        ("card_unknown", State.PARKED, False),
        ("original_unknown", State.PARKED, False),
        ("key_mismatch", State.PARKED, True),
        ("overdrawn", State.CONFLICT, True),
        ("duplicate", State.POSTED, False),
        ("overdrawn", State.RESOLVED, False),
    ],
)
def test_only_what_somebody_must_decide_counts_as_a_conflict(code: str, state: State, looked_at: bool) -> None:
    """An earn that waits for its card settles by itself; two sales under one key do not."""
    assert needs_people(verdict(code, state)) is looked_at


@pytest.mark.parametrize("state", [State.QUEUED, State.ACCEPTED])
def test_verdict_that_decides_nothing_is_a_conflict(state: State) -> None:
    """A ledger that answers `queued` contradicts itself: people look."""
    assert verdict_state(verdict("posted", state)) is State.CONFLICT
