"""What a record may wait for, under names that come from outside."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.records import (
    MAX_NUMBER,
    bounded,
    entry_awaited,
    plausible,
    waits_for_card,
    waits_for_claim,
    waits_for_entry,
    waits_for_record,
    waits_for_unblocking,
)

names = st.text(max_size=2 * MAX_NUMBER)


@given(names, names)
def test_a_name_is_bounded_and_no_two_become_one(one: str, other: str) -> None:
    """As it is as long as any that tills make; a longer one by its hash, so that no index grows with it."""
    assert len(bounded(one)) <= MAX_NUMBER
    assert (bounded(one) == one) == (len(one) <= MAX_NUMBER)
    assert (bounded(one) == bounded(other)) == (one == other)


def test_the_hash_of_a_long_name_is_the_same_for_ever() -> None:
    """It stands in books that an older tilld wrote."""
    assert bounded("n" * MAX_NUMBER) == "n" * MAX_NUMBER
    assert bounded("n" * (MAX_NUMBER + 1)) == "#270f83acfca2df2cc2ec9c02e1b9cb4c"


@given(names)
def test_each_reason_to_wait_is_of_its_own_kind(name: str) -> None:
    """A card, an entry and a claim of the same name wake each other's records not."""
    reasons = [wait(name) for wait in (waits_for_card, waits_for_entry, waits_for_claim, waits_for_unblocking)]
    assert len(set(reasons)) == len(reasons)
    assert [entry_awaited(reason) for reason in reasons] == [None, bounded(name), None, None]
    assert entry_awaited(waits_for_record(7)) is None


def test_what_may_open_an_account() -> None:
    """Any number that can be printed and is not too long."""
    assert all(plausible(number) for number in ("1", "2990000000017", "x" * MAX_NUMBER))
    assert not any(plausible(number) for number in ("", "x" * (MAX_NUMBER + 1), "1\n", "\x1b[2J", "\u202e17"))
