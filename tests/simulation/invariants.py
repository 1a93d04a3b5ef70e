"""The promises of docs/protocol.md, checked at the end of every schedule. Each function raises AssertionError.

I5, I6 and I8 are watched while they happen too, and I7 only then (witness.py); I9 is the end of world.py, I10 is
again.py.
"""

import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from ledger.rules.own_entries import OFFICE
from ledger.rules.records import OVERDRAWING
from offline_queue.entry import GENESIS_HASH, Kind, State, chain
from offline_queue.journal import AllowanceState
from terminal.config_offline import Redeem
from terminal.pos import Promise
from tests.simulation.books import KEYED, SEQ_BITS, Books, read
from tests.simulation.truth import Told

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

AWARDS = (Kind.EARN, Kind.CLAIM)
GUARANTEED = (Promise.ONLINE, Promise.HELD)


def check(world: "World") -> None:
    books = read(world.office)
    for invariant in (
        i1_once,
        i1_nothing_else,
        i2_keys,
        i3_sums,
        i4_end,
        i4_promises,
        i5_streams,
        i6_trimmed,
        i8_receipts,
    ):
        invariant(world, books)
    i11_durable(world, books)
    i12_reversals(world, books)
    for machine in world.machines:
        decided(machine, books)


def i1_once(world: "World", books: Books) -> None:
    """I1: what a POS was answered is in the books once or stands there with a reason, unless its only copy burnt."""
    kept = {told.id for machine in world.machines for told in machine.disk.kept}
    for told in world.told.values():
        records = books.records_of.get(told.id, [])
        if not records:
            assert told.id not in kept, f"I1: {told} is lost: no ledger has it, and its till lives"
            # Books that were put back may lack what comes before a copy, and then it waits for that.
            if not world.office.restored:
                assert told.id not in world.mirrored, f"I1: {told} is lost although a mirror had it"
            world.burnt.add(told.id)
        for record in records:
            _stands(told, record, books)


def _stands(told: Told, record: int, books: Books) -> None:
    assert record in books.verdicts, f"I1: {told} was taken and never decided"
    state, code = books.verdicts[record]
    effects = books.effects_of.get(told.sale, [])
    spoken_of = record in books.spoken_of or any(other in books.spoken_of for other in effects)
    if state == State.POSTED and not spoken_of and books.posted.get(record) != 0:
        assert len(effects) == 1, f"I1: {told} is {len(effects)} times in the books: {code} {books.detail(record)}"


def i1_nothing_else(world: "World", books: Books) -> None:
    """I1: no point in the books that nobody was told of, or that its own entry does not explain."""
    for record, points in books.posted.items():
        entry = books.entries[record]
        if entry.terminal == OFFICE:
            continue
        assert entry.id in world.told, f"I1: entry {entry.id} ({entry.kind} {points}) is in the books, nobody was told"
        if entry.kind is Kind.REVERSE:
            assert abs(points) <= entry.points, f"I1: {entry.id} moved {points}"
        elif record not in books.spoken_of or points:
            expected = entry.points if entry.kind in AWARDS else -entry.points
            assert points == expected, f"I1: {entry.kind} {entry.id} of {entry.points} moved {points}"


def i2_keys(world: "World", books: Books) -> None:
    """I2: an idempotency key, of a sale or of its claims, has at most one effect."""
    for key, records in books.effects_of.items():
        assert len(records) <= 1, f"I2: {key} has {len(records)} effects"


def i3_sums(world: "World", books: Books) -> None:
    """I3: balance = sum of entries = sum of lots; all together the programme's liability. And by verify()."""
    rows = world.office.rows(
        "SELECT no, balance, (SELECT coalesce(sum(points), 0) FROM posting WHERE account = no),"
        " (SELECT coalesce(sum(remaining), 0) FROM lot WHERE account = no) FROM account"
    )
    for account, balance, posted, lots in rows:
        assert balance == posted == lots, f"I3: account {account}: {balance}, entries {posted}, lots {lots}"
    verified = world.office.book.verify()
    assert verified.ok, f"I3: {verified.problems}"
    assert verified.liability == sum(books.posted.values()), "I3: the liability is not the sum of all entries"


def i4_now(world: "World") -> None:
    """I4: nothing is promised that is not there. Only where the world excuses it may a flagged entry overdraw.

    What a till promises within floor limits may be held back as well: by the right that it asked for and did not hear
    of, and gives back unused. While books that were put back wait for a till, its redemptions come before the sales
    whose points they used.
    """
    twice = world.load.offline.redeem is Redeem.FLOOR
    if world.excused or (twice and world.office.book.recovery().on):
        return
    for account, balance, reserved in world.office.rows("SELECT no, balance, reserved FROM account"):
        promised = 0 if twice else reserved
        assert balance >= promised, f"I4: account {account} has {balance} points and {promised} are promised"


def i4_end(world: "World", books: Books) -> None:
    """I4: every right that holds points back is known to its till.

    Unless that till's disk was lost or copied, or what it said of the right is flagged (its key was revoked).
    """
    i4_now(world)
    states = AllowanceState.ASKED, AllowanceState.GRANTED
    rights = {right.id for machine in world.machines for right in machine.journal.allowances(*states)}
    rights |= {
        entry.allowance or ""
        for record, entry in books.entries.items()
        if entry.allowance and books.verdicts[record][0] != State.POSTED
    }
    for right, terminal in world.office.rows("SELECT id, terminal FROM allowance WHERE state = 'open'"):
        assert right in rights or terminal in world.copied, f"I4: right {right} of {terminal} is held back for nobody"


def i4_promises(world: "World", books: Books) -> None:
    """I4: a redemption by a right is good, whatever became of its till. Books that went back have forgotten rights."""
    if world.excused or world.office.restored:
        return
    for told in world.told.values():
        for record in books.records_of.get(told.id, []) if told.promise in GUARANTEED else []:
            _, code = books.verdicts[record]
            found = {code, *books.reasons[record]} & OVERDRAWING
            assert not found, f"I4: {told} was promised {told.promise}, and is {found}"


def i5_streams(world: "World", books: Books) -> None:
    """I5: each stream is dense and its chain leads to its head; and nobody believes in custody that never was."""
    unmoved = world.office.book.generation == world.office.first_generation
    assert unmoved or world.office.restored, "I5: a till believes in custody that the ledger never took"
    hashes: dict[int, dict[int, bytes]] = {}
    for no in sorted(books.branches):
        branch = books.branches[no]
        past = hashes[branch.grown_from] if branch.grown_from else {0: GENESIS_HASH}
        hashes[no] = {seq: digest for seq, digest in past.items() if seq <= branch.base}
        digest = hashes[no][branch.base]
        for seq in range(branch.base + 1, branch.mark + 1):
            assert (no << SEQ_BITS) + seq in books.raw, f"I5: {branch.uid} lacks record {seq}"
            raw, held = books.raw[(no << SEQ_BITS) + seq]
            digest = hashes[no][seq] = chain(digest, raw)
            assert digest == held, f"I5: the chain of {branch.uid} breaks at {seq}"
        assert digest == branch.head, f"I5: the chain of {branch.uid} does not lead to its head"
    world.hashes = {
        (books.branches[no].uid, seq, digest.hex()) for no, held in hashes.items() for seq, digest in held.items()
    }


def i6_trimmed(world: "World", books: Books) -> None:
    """I6: a till has given up nothing that the ledger has not called stable, and what it gave up is in the books."""
    for machine in world.machines:
        with closing(sqlite3.connect(machine.disk.folder / "journal.db")) as journal:
            rows = journal.execute("SELECT uid, stable, trimmed FROM stream").fetchall()
        world.trimmed += sum(trimmed for _, _, trimmed in rows)
        for uid, stable, trimmed in rows:
            assert trimmed <= stable, f"I6: {machine.name} gave up {trimmed} of {uid}, stable are {stable}"
            assert trimmed <= world.witness.stable[uid], f"I6: {machine.name} gave up {trimmed} of {uid} unasked"
            held = max((b.mark for b in books.branches.values() if b.uid == uid), default=0)
            assert trimmed <= held, f"I6: {machine.name} gave up {trimmed} of {uid}, the books have {held}"


def i8_receipts(world: "World", books: Books) -> None:
    """I8: what the ledger has signed for it has, unless all of it burnt: its books and the till's disk."""
    alive = {(head.stream, head.seq) for machine in world.machines for head in machine.journal.streams(all=True)}
    for receipt in world.witness.receipts:
        if (receipt.stream, receipt.seq, receipt.head) not in world.hashes:
            assert world.office.restored, f"I8: {receipt} is contradicted and no books were put back"
            has_it = any(uid == receipt.stream and seq >= receipt.seq for uid, seq in alive)
            assert not has_it, f"I8: {receipt} is contradicted, and the till has it still"


def i11_durable(world: "World", books: Books) -> None:
    """I11: what the POS was answered is in the journal, after every kill, unless it was given up to the ledger."""
    for machine in world.machines:
        for told in machine.disk.kept:
            there = machine.journal.find_id(told.id) is not None or told.id in books.records_of
            assert there, f"I11: {told} was answered by {machine.name} and is not in its journal"


def i12_reversals(world: "World", books: Books) -> None:
    """I12: reversals take no more than the original gave, unless a person said so."""
    undone = Counter[int]()
    for record, original, points in world.office.rows("SELECT record, original, points FROM posting WHERE original"):
        if books.entries[record].kind is Kind.REVERSE and not {record, original} & books.spoken_of:
            undone[original] += points
    for original, points in undone.items():
        gave = books.posted[original]
        assert 0 <= -points * (1 if gave >= 0 else -1) <= abs(gave), f"I12: {gave} were given, {points} taken back"


def decided(machine: "Machine", books: Books) -> None:
    """The till knows the ledger's last word on each of its sales, and the journal's chains hold."""
    assert machine.journal.verify().ok, f"{machine.name}: {machine.journal.verify()}"
    for told in machine.disk.kept:
        found = machine.journal.find_id(told.id)
        if found is None or told.kind not in KEYED:
            continue
        assert found.verdict is not None, f"{machine.name} knows no word on {told}: {found.state}"
        words = {books.verdicts[record] for record in books.records_of[told.id]}
        assert (found.verdict.state, found.verdict.code) in words, f"{machine.name} has {found.verdict}, not {words}"
