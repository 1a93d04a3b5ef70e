"""The journal against a plain dictionary, through anything a till may do to it."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from offline_queue.counted import in_points
from offline_queue.entry import Entry, Lane, State
from offline_queue.journal import KeyReused, RightsRefused
from offline_queue.wire import Marks
from tests.offline_queue.sales import open_store, put, redemption, reversal, right, sale, verdict


class Journal(RuleBasedStateMachine):
    """`model` holds for each key what the journal must say of it."""

    entries = Bundle("entries")
    rights = Bundle("rights")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.path = self.folder / "journal.db"
        self.model: dict[str, tuple[Entry, bytes, State]] = {}
        self.taken_back: dict[str, int] = {}
        self.places: dict[str, tuple[str, int]] = {}

    @initialize()
    def start(self) -> None:
        self.store = open_store(self.path)
        self.reader = self.store.reader()

    def teardown(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def stop(self) -> None:
        self.reader.close()
        self.store.close()

    def recorded(self, entry: Entry, reply: bytes) -> Entry:
        appended = put(self.store, entry, reply)
        assert not appended.replayed
        self.model[entry.key] = (entry, reply, State.QUEUED)
        self.places[entry.key] = (appended.stream, appended.seq)
        return entry

    @rule(target=entries, reply=st.binary(max_size=20), points=st.integers(1, 50))
    def earn(self, reply: bytes, points: int) -> Entry:
        return self.recorded(sale(points=points), reply)

    @rule(entry=entries)
    def replay(self, entry: Entry) -> None:
        again = put(self.store, sale(key=entry.key, points=1), b"another answer")
        assert again.replayed
        assert again.reply == self.model[entry.key][1]
        assert (again.stream, again.seq) == self.places[entry.key]

    @rule(entry=entries)
    def reuse(self, entry: Entry) -> None:
        with pytest.raises(KeyReused, match=entry.id):
            put(self.store, sale(key=entry.key), digest=b"another")

    @rule(entry=entries, points=st.integers(1, 60))
    def reverse(self, entry: Entry, points: int) -> None:
        taken = self.taken_back.get(entry.id, 0)
        back = reversal(entry, points)
        if taken + points <= entry.points:
            self.recorded(back, b"reversed")
            self.taken_back[entry.id] = taken + points
        else:
            left = entry.points - taken
            why = f"{in_points(left).en} left" if left else "has been reversed already"
            with pytest.raises(RightsRefused, match=why):
                put(self.store, back)

    @rule(target=rights, granted=st.booleans())
    def ask(self, granted: bool) -> tuple[str, bool]:
        allowance = right(f"right {len(self.reader.allowances())}")
        self.store.ask_allowance(allowance)
        self.store.answer_allowance(allowance.id, granted)
        return allowance.id, granted

    @rule(held=consumes(rights))
    def redeem_twice(self, held: tuple[str, bool]) -> None:
        identity, granted = held
        if granted:
            self.recorded(redemption(identity), b"redeemed")
        with pytest.raises(RightsRefused, match="is consumed" if granted else "is refused"):
            put(self.store, redemption(identity))

    @rule(entry=entries, state=st.sampled_from([State.POSTED, State.PARKED, State.CONFLICT, State.RESOLVED]))
    def decide(self, entry: Entry, state: State) -> None:
        stream, seq = self.places[entry.key]
        code = "card_unknown" if state is State.PARKED else "overdrawn"
        self.store.settle([verdict(stream, seq, seq, state, code=code)], self.reader.cursor() + 1, "g1")
        self.model[entry.key] = (*self.model[entry.key][:2], state)

    @rule(lane=st.sampled_from(Lane))
    def custody(self, lane: Lane) -> None:
        head = {head.stream: head for head in self.reader.streams()}[self.store.stream(lane)]
        self.store.mark({head.stream: Marks(head.seq, 0)}, "g1")
        for key, (stream, _) in self.places.items():
            entry, reply, state = self.model[key]
            if stream == head.stream and state is State.QUEUED:
                self.model[key] = (entry, reply, State.ACCEPTED)

    @rule()
    def reopen(self) -> None:
        self.stop()
        self.start()

    @invariant()
    def every_entry_stands_as_the_model_says(self) -> None:
        if not hasattr(self, "store"):
            return
        found = {one.entry.key: (one.entry, one.reply, one.state) for one in self.reader.list(None, 10_000)}
        assert found == self.model
        totals = self.reader.totals()
        assert totals.queued == sum(state is State.QUEUED for _, _, state in self.model.values())
        disputed = {key for key, (_, _, state) in self.model.items() if state is State.CONFLICT}
        assert totals.conflicts == len(disputed)
        assert {one.entry.key for one in self.reader.disputed(None, 10_000)} == disputed
        assert totals.accepted_undecided == sum(state is State.ACCEPTED for _, _, state in self.model.values())

    @invariant()
    def the_chains_hold(self) -> None:
        if hasattr(self, "store"):
            assert self.reader.verify().ok


TestJournal = Journal.TestCase
TestJournal.settings = settings(max_examples=20, stateful_step_count=25)
