"""Rules of the protocol taken out one at a time: the checks must miss none of them.

A bug says in which load it is looked for, as faults of rights drown where nobody redeems.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
import pytest

from ledger.books import bookkeeping, promises
from ledger.books.bookkeeping import Bookkeeping
from ledger.facts.codes import Code
from ledger.rules import confirming, deciding
from ledger.rules.lineage import Opening
from ledger.sheet import claim_desk
from ledger.sqlite.file import SqliteFile
from ledger.sqlite.tables import SqliteTables
from ledger.tables import lineage, source
from ledger.tables.engine import Tables
from offline_queue import courier, failing, group, journal_marks, lanes, trimming
from offline_queue.entry import Entry
from offline_queue.journal import Origin
from offline_queue.journal_reader import JournalReader
from offline_queue.steps import Answer, Moment, Outcome, SendRecords, SyncState
from offline_queue.store import Appended, Store
from offline_queue.timepiece import Timepiece
from offline_queue.wire import BatchAnswer, BatchHeader, Marks
from terminal.config_offline import Offline, Redeem
from terminal.promises.floor_limits import Limits
from terminal.promises.risk import Risk
from tests.simulation.loads import CLONES, LONE, MIXED, REDEMPTION, Load

T = TypeVar("T")
Patch = pytest.MonkeyPatch
Bug = Callable[[Patch], None]


def any_answer_counts(patch: Patch) -> None:
    """The till believes whatever custody it is told of, for whichever request and stream."""
    real = courier.heard

    def believing(state: SyncState, answer: Answer, moment: Moment) -> Outcome:
        flight = state.outstanding
        if flight is not None and isinstance(answer, BatchAnswer) and isinstance(flight.step, SendRecords):
            answer = msgspec.structs.replace(answer, request=flight.request, stream=flight.step.stream)
        return real(state, answer, moment)

    patch.setattr(courier, "heard", believing)
    patch.setattr(courier.Courier, "_proven", lambda *_: True)


def ledger_without_keys(patch: Patch) -> None:
    """The ledger applies an entry although its idempotency key is in the books."""
    keyed = (Code.DUPLICATE, Code.KEY_MISMATCH)
    rules = {
        kind: tuple(rule for rule in of_kind if rule.code not in keyed) for kind, of_kind in deciding._RULES_OF.items()
    }
    patch.setattr(deciding, "_RULES_OF", rules)


def claim_has_a_key_of_its_own(patch: Patch) -> None:
    """A claim is not judged under the key of the sale that it credits."""
    patch.setattr(claim_desk, "as_sale", lambda entry: entry)
    patch.setattr(source, "as_told", lambda entry: entry)


def marks_never_go_down(patch: Patch) -> None:
    """The till trusts what a ledger had accepted before it was restored from a backup."""
    highest: dict[tuple[str, str], int] = {}
    real = Store.mark

    def mark(store: Store, marks: Mapping[str, Marks], generation: str, *receipts: object) -> None:
        at = str(store._path)
        for stream, said in marks.items():
            highest[at, stream] = max(said.accepted, highest.get((at, stream), 0))
        highest_yet = {stream: Marks(highest[at, stream], said.stable) for stream, said in marks.items()}
        real(store, highest_yet, generation, *receipts)  # type: ignore[arg-type]

    patch.setattr(Store, "mark", mark)


def trimmed_when_accepted(patch: Patch) -> None:
    """The till gives up what the ledger has accepted, whether a backup covers it or not."""
    eager = trimming._STREAMS.replace(", stable, trimmed", ", accepted, trimmed").replace("stable >", "accepted >")
    patch.setattr(trimming, "_STREAMS", eager)


def poison_blocks(patch: Patch) -> None:
    """A batch that fails is sent again as it was, for ever."""
    patch.setattr(failing, "_blamed", lambda state, *_: state)


def streams_go_on(patch: Patch) -> None:
    """A start goes on with the streams that a crash has left open, so a restored disk uses sequence numbers again."""
    real = lanes.begin

    def begin(connection: sqlite3.Connection, origin: Origin, timepiece: Timepiece) -> list[tuple[str, lanes.Head]]:
        opened = connection.execute("SELECT uid, no FROM stream WHERE last IS NULL ORDER BY no").fetchall()
        left = [(uid, lanes._head(connection, no)) for uid, no in opened]
        return left or real(connection, origin, timepiece)

    patch.setattr(lanes, "begin", begin)


def no_genesis(patch: Patch) -> None:
    """Streams do not tell whose children they are."""
    told, opened = lineage.declared, lineage.opened
    orphan: Callable[[Opening], Opening] = lambda opening: msgspec.structs.replace(opening, parent=None)  # noqa: E731

    def orphaned(stream: str, record: bytes) -> Opening | None:
        found = opened(stream, record)
        return orphan(found) if found else None

    patch.setattr(lineage, "declared", lambda head: orphan(told(head)))
    patch.setattr(lineage, "opened", orphaned)


def answered_before_durable(patch: Patch) -> None:
    """The POS hears yes, and every twentieth time the entry is not on the disk."""
    real, count = group.GroupCommit._commit_at_once, 0

    def commit(commits: group.GroupCommit, jobs: Any) -> bool:
        nonlocal count
        count += 1
        if count % 20 == 0 and not any(isinstance(job, group.Act) or job.claims for job in jobs):
            for job in jobs:
                job.replay = Appended("", 0, job.reply, False)
            return True
        return real(commits, jobs)

    patch.setattr(group.GroupCommit, "_commit_at_once", commit)


def ledger_answers_before_commit(patch: Patch) -> None:
    """The ledger acknowledges a batch, and every fifteenth time the transaction is lost."""
    real, count = Bookkeeping.take, 0

    def take(book: Bookkeeping, terminal: str, header: BatchHeader, records: Any) -> BatchAnswer:
        nonlocal count
        count += 1
        if count % 15:
            return real(book, terminal, header, records)
        with pytest.MonkeyPatch.context() as careless:
            careless.setattr(SqliteFile, "write", _rolled_back)
            return real(book, terminal, header, records)

    patch.setattr(Bookkeeping, "take", take)


def _rolled_back(file: SqliteFile, work: Callable[[Tables], T]) -> T:
    file.connection.execute("BEGIN IMMEDIATE")
    try:
        return work(SqliteTables(file.connection))
    finally:
        file.connection.execute("ROLLBACK")


def feed_goes_on_after_a_restore(patch: Patch) -> None:
    """The till keeps its place in the decisions of a ledger that counts them anew."""
    real = journal_marks._move_cursor
    place: dict[int, int] = {}

    def onward(connection: sqlite3.Connection, cursor: int, generation: str) -> None:
        highest = place[id(connection)] = max(cursor, place.get(id(connection), 0))
        real(connection, highest, generation)

    patch.setattr(journal_marks, "_move_cursor", onward)


def restored_ledger_keeps_its_generation(patch: Patch) -> None:
    """Books put back from a copy do not notice by what the tills were told that they are of an earlier day."""
    patch.setattr(bookkeeping, "went_back", lambda *_: False)


def rights_granted_during_recovery(patch: Patch) -> None:
    """Books that went back promise points at once, which they may have promised before."""
    patch.setattr(promises.recovery, "is_on", lambda _: False)


def unsealed_rights_confirmed(patch: Patch) -> None:
    """Rights that were open when a till died hold after its next start, whatever its last records were."""
    real = confirming.way
    trusting: Callable[..., confirming.Way] = lambda *told: min(real(*told), confirming.Way.SEALED)  # noqa: E731
    patch.setattr(confirming, "way", trusting)


def unsealed_end_believed(patch: Patch) -> None:
    """A stream without a seal counts as sealed where nothing contradicts it."""
    real = confirming.way

    def trusting(*told: Any) -> confirming.Way:
        found = real(*told)
        return confirming.Way.SEALED if found is confirming.Way.UNSEALED else found

    patch.setattr(confirming, "way", trusting)


def rights_outlive_their_start(patch: Patch) -> None:
    """A till uses the rights that an earlier start has left before the ledger has confirmed them."""
    from terminal.promises.rights import Right, Rights

    real = Rights.add

    def add(rights: Rights, allowance: Any, **told: Any) -> Right:
        return real(rights, allowance, **{**told, "valid": True})

    patch.setattr(Rights, "add", add)


def rights_are_not_used_up(patch: Patch) -> None:
    """A redemption does not consume its right in its own commit, nor does giving it back."""
    real = group.use_rights

    def careless(connection: sqlite3.Connection, entry: Entry) -> None:
        if entry.allowance is None:
            real(connection, entry)

    patch.setattr(group, "use_rights", careless)


def floor_limit_is_a_guarantee(patch: Patch) -> None:
    """A till that holds rights also promises within floor limits, and takes that for as sure."""
    limits = Limits(10, 20, 60, 5, 72)
    patch.setattr(Offline, "limits", lambda offline: limits if offline.redeem is not Redeem.EARN_ONLY else None)


def what_a_journal_lacks_is_no_loss(patch: Patch) -> None:
    """A mirror gives up copies of streams of which its till's journal knows nothing: they must be with the ledger."""
    real = JournalReader.accepted
    patch.setattr(JournalReader, "accepted", lambda journal, uid: real(journal, uid) if journal.holds(uid) else 2**40)


def what_was_promised_is_forgotten(patch: Patch) -> None:
    """When the line is back, a till redeems by whatever the ledger grants, which has not heard of its promises yet."""
    patch.setattr(Risk, "uncovered", lambda *_: None)


BUGS: Final[dict[Bug, tuple[Load, int]]] = {
    any_answer_counts: (MIXED, 300),
    ledger_without_keys: (MIXED, 100),
    claim_has_a_key_of_its_own: (MIXED, 100),
    marks_never_go_down: (MIXED, 300),
    trimmed_when_accepted: (MIXED, 100),
    poison_blocks: (MIXED, 100),
    streams_go_on: (MIXED, 300),
    answered_before_durable: (MIXED, 100),
    ledger_answers_before_commit: (MIXED, 100),
    feed_goes_on_after_a_restore: (MIXED, 300),
    restored_ledger_keeps_its_generation: (MIXED, 300),
    no_genesis: (REDEMPTION, 300),
    rights_granted_during_recovery: (REDEMPTION, 300),
    floor_limit_is_a_guarantee: (REDEMPTION, 100),
    rights_outlive_their_start: (CLONES, 300),
    unsealed_rights_confirmed: (CLONES, 300),
    unsealed_end_believed: (CLONES, 300),
    what_a_journal_lacks_is_no_loss: (MIXED, 300),
    what_was_promised_is_forgotten: (LONE, 300),
}
"""Where each is looked for, and in how many schedules it must be found."""
SHOWN: Final[dict[Bug, int]] = {
    marks_never_go_down: 7,
    streams_go_on: 7,
    answered_before_durable: 10,
    feed_goes_on_after_a_restore: 7,
    restored_ledger_keeps_its_generation: 28,
    rights_granted_during_recovery: 22,
    unsealed_rights_confirmed: 7,
    unsealed_end_believed: 60,
    what_a_journal_lacks_is_no_loss: 37,
    what_was_promised_is_forgotten: 139,
}
"""The schedule that has shown each of these: looked at before the others, and only a saving of time."""
HARMLESS: Final[dict[Bug, tuple[Load, int]]] = {rights_are_not_used_up: (CLONES, 25)}
"""Other rules make up for these: docs/decisions/0024-simulation.md tells which."""
