"""Ranges of verdicts against the plain way: a state for each entry."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import Lane, State
from offline_queue.seen import Seen, word_of
from offline_queue.stretches import stretches
from offline_queue.wire import Marks
from offline_queue.wire_feeds import Verdict
from tests.offline_queue.sales import open_store, put, sale, verdict

DECIDED = st.sampled_from([State.POSTED, State.PARKED, State.CONFLICT, State.RESOLVED])


@given(
    st.integers(1, 30), st.integers(0, 35), st.booleans(), st.lists(st.tuples(st.integers(1, 9), DECIDED)), st.data()
)
def test_stretches_cover_every_entry_once(
    head: int, accepted: int, sealed: bool, gaps: list[tuple[int, State]], data: st.DataObject
) -> None:
    """Each entry is in one stretch, in the state of its verdict or of the mark; genesis and seal are in none."""
    verdicts, at = list[Verdict](), 1
    for gap, state in gaps:
        first = at + gap - 1
        at = first + data.draw(st.integers(1, 5))
        verdicts.append(verdict("s", first, at - 1, state))
    plain = {}
    for seq in range(2, head + (0 if sealed else 1)):
        said = [v.state for v in verdicts if v.first <= seq <= v.last]
        plain[seq] = said[0] if said else State.ACCEPTED if seq <= accepted else State.QUEUED
    found = [
        (seq, s.state) for s in stretches(head, accepted, verdicts, sealed=sealed) for seq in range(s.first, s.last + 1)
    ]
    assert found == list(plain.items())


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 13), st.integers(0, 4), DECIDED), max_size=12), st.integers(0, 13))
def test_settling_is_overwriting(said: list[tuple[int, int, State]], forgotten: int) -> None:
    """Of any verdicts in any order the last on an entry holds; a restored ledger forgets from its mark on."""
    with TemporaryDirectory() as folder, closing(open_store(Path(folder, "journal.db"))) as store:
        for _ in range(11):
            put(store, sale())
        bulk, plain = store.stream(Lane.BULK), dict.fromkeys(range(2, 13), State.ACCEPTED)
        store.mark({bulk: Marks(12, 0)}, "g1")
        with closing(store.reader()) as reader:
            for n, (first, more, state) in enumerate(said, 1):
                store.settle([verdict(bulk, first, first + more, state, n)], n, "g1")
                plain |= {seq: state for seq in range(first, first + more + 1) if seq in plain}
            assert {found.seq: found.state for found in reader.list(None, 99)} == plain
            store.mark({bulk: Marks(min(forgotten, 12), 0)}, "g2")
            plain |= dict.fromkeys(range(max(forgotten + 1, 2), 13), State.QUEUED)
            assert {found.seq: found.state for found in reader.list(None, 99)} == plain


@given(st.sets(st.text(max_size=20), max_size=200))
def test_what_was_added_has_been_seen(keys: set[str]) -> None:
    """The filter may take a new key for an old one, but never an old one for new."""
    seen = Seen()
    for key in keys:
        seen.add(word_of(key))
    assert all(word_of(key) in seen for key in keys)


def test_few_new_keys_are_taken_for_old_ones() -> None:
    """With 50,000 keys in it the filter lets nearly every new one pass."""
    seen = Seen()
    for n in range(50_000):
        seen.add(word_of(f"S001-T01-{n}"))
    mistaken = sum(word_of(f"S002-T01-{n}") in seen for n in range(10_000))
    assert mistaken < 50
