"""Rules of the protocol taken out one at a time: the checker must miss none of them."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import pytest

import ledger.rules
from ledger import bookkeeping
from ledger.facts import Code
from offline_queue import courier, journal_marks, streams
from offline_queue.entry import Entry
from offline_queue.steps import Answer, Moment, Outcome, SendRecords, SyncState
from offline_queue.store import Appended, Store
from offline_queue.wire import BatchAnswer, Marks


def any_answer_counts(patch: pytest.MonkeyPatch) -> None:
    """The till believes whatever custody it is told of, for whichever request and stream."""
    real = courier.heard

    def believing(state: SyncState, answer: Answer, moment: Moment) -> Outcome:
        flight = state.outstanding
        if flight is not None and isinstance(answer, BatchAnswer) and isinstance(flight.step, SendRecords):
            answer = msgspec.structs.replace(answer, request=flight.request, stream=flight.step.stream)
        return real(state, answer, moment)

    patch.setattr(courier, "heard", believing)


def ledger_without_keys(patch: pytest.MonkeyPatch) -> None:
    """The ledger applies an entry although its idempotency key is in the books."""
    keyed = (Code.DUPLICATE, Code.KEY_MISMATCH)
    rules = {
        kind: tuple(rule for rule in of_kind if rule.code not in keyed)
        for kind, of_kind in ledger.rules._RULES_OF.items()
    }
    patch.setattr(ledger.rules, "_RULES_OF", rules)


def marks_never_go_down(patch: pytest.MonkeyPatch) -> None:
    """The till trusts what a ledger had accepted before it was restored from a backup."""
    highest: dict[str, int] = {}
    real = Store.mark

    def mark(store: Store, marks: Mapping[str, Marks], generation: str, *receipts: object) -> None:
        for stream, said in marks.items():
            highest[stream] = max(said.accepted, highest.get(stream, 0))
        highest_yet = {stream: Marks(highest[stream], said.stable) for stream, said in marks.items()}
        real(store, highest_yet, generation, *receipts)  # type: ignore[arg-type]

    patch.setattr(Store, "mark", mark)


def poison_blocks(patch: pytest.MonkeyPatch) -> None:
    """A batch that fails is sent again as it was, for ever."""
    patch.setattr(streams, "_blamed", lambda state, *_: state)


def answered_before_durable(patch: pytest.MonkeyPatch) -> None:
    """The POS hears yes, and every twentieth time the entry is not on the disk."""
    real, count = Store.append, 0

    def append(store: Store, entry: Entry, reply: bytes, digest: bytes) -> Appended:
        nonlocal count
        count += 1
        return Appended("", 0, reply, False) if count % 20 == 0 else real(store, entry, reply, digest)

    patch.setattr(Store, "append", append)


def feed_goes_on_after_a_restore(patch: pytest.MonkeyPatch) -> None:
    """The till keeps its place in the decisions of a ledger that counts them anew."""
    real = journal_marks._move_cursor
    place = {"highest": 0}

    def onward(connection: object, cursor: int, generation: str) -> None:
        place["highest"] = max(cursor, place["highest"])
        real(connection, place["highest"], generation)  # type: ignore[arg-type]

    patch.setattr(journal_marks, "_move_cursor", onward)


def restored_ledger_keeps_its_generation(patch: pytest.MonkeyPatch) -> None:
    """Books put back from a copy do not notice by what the tills were told that they are of an earlier day."""
    patch.setattr(bookkeeping, "went_back", lambda *_: False)


BUGS: Final[list[Callable[[pytest.MonkeyPatch], None]]] = [
    any_answer_counts,
    ledger_without_keys,
    marks_never_go_down,
    poison_blocks,
    answered_before_durable,
    feed_goes_on_after_a_restore,
    restored_ledger_keeps_its_generation,
]
