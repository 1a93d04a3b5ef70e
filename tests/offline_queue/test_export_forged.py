"""A forger knows the format and adds up the last line anew: what he changes is found by what it contradicts.

Here the files are made by hand, so that one thing at a time is wrong with them and everything else is right.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.books.receipts import Signer
from offline_queue.entry import GENESIS_HASH, chain
from offline_queue.export_check import Broken, Checked, check
from offline_queue.export_lines import FORMAT
from offline_queue.receipts import Receipt
from offline_queue.signing import seal_input
from offline_queue.terminal_key import public_key, sign

LEDGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TILL = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TERMINAL, OTHER = "S001-T01", "S001-T02"
NOON = "2026-01-01T12:00:00.000Z"

Told = dict[str, Any]


@dataclass
class Chain:
    """One chain of an export, and the lines that tell it."""

    stream: str
    owner: str | None = None
    branch: int = 0
    seq: int = 0
    head: bytes = GENESIS_HASH
    lines: list[Told] = field(default_factory=list)

    def tell(self, line: str, **more: Any) -> "Chain":
        named = {"line": line, "stream": self.stream, **({"owner": self.owner} if self.owner else {})}
        self.lines.append({**named, **({"branch": self.branch} if self.branch else {}), **more})
        return self

    def records(self, count: int, *, opaque: bool = False) -> "Chain":
        for _ in range(count):
            self.seq += 1
            raw = f"{self.stream} {self.branch} {self.seq}".encode()
            self.head = chain(self.head, raw)
            how = {"opaque": b64encode(raw).decode()} if opaque else {"record": raw.decode()}
            self.tell("record", seq=self.seq, hash=self.head.hex(), **how)
        return self

    def gone(self, seq: int) -> "Chain":
        self.seq, self.head = seq, hashlib.sha256(b"what they were").digest()
        return self.tell("gone", seq=seq, hash=self.head.hex())

    def receipt(self, terminal: str = TERMINAL, **change: Any) -> "Chain":
        custody = LEDGER.custody(terminal, self.stream, self.seq, self.head, NOON)
        receipt = Receipt(msgspec.structs.replace(custody, **change), terminal, LEDGER.public_key, "g")
        return self.tell("receipt", receipt=msgspec.to_builtins(receipt))

    def forked(self, branch: int, grown_from: int = 0) -> "Chain":
        grown = Chain(self.stream, self.owner, branch, self.seq, self.head)
        return grown.tell("branch", seq=self.seq, hash=self.head.hex(), grown_from=grown_from)

    def end(self, key: Ed25519PrivateKey | None = None) -> "Chain":
        message = seal_input(TERMINAL, self.stream, self.seq, self.head.hex())
        seal = {"seal": sign(key, message)} if key else {}
        return self.tell("end", seq=self.seq, hash=self.head.hex(), **seal)


BEGIN = {"line": "begin", "export": FORMAT, "terminal": TERMINAL, "public_key": public_key(TILL)}
BOOKS = {"line": "begin", "export": FORMAT}


def file_of(*told: Told, begin: Told | None = BEGIN, behind: tuple[Told, ...] = ()) -> list[bytes]:
    """A file with a last line that adds up."""
    lines = [msgspec.json.encode(line) + b"\n" for line in (*([begin] if begin else []), *told)]
    records = sum(line["line"] == "record" for line in told)
    total = {"line": "total", "records": records, "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    return [*lines, *(msgspec.json.encode(line) + b"\n" for line in (total, *behind))]


def why(lines: list[bytes]) -> str:
    with pytest.raises(Broken) as broken:
        check(lines)
    return broken.value.why


def plain(count: int = 3) -> Chain:
    return Chain("s1").records(count)


def test_a_file_made_by_hand_holds() -> None:
    """What the forgeries below start from: receipts, records given up, an opaque record and a seal."""
    old = Chain("s0").records(1).gone(5).records(2, opaque=True).receipt().records(1).receipt().end()
    new = plain().end(TILL)
    assert check(file_of(*old.lines, *new.lines)) == Checked(
        7, 2, 2, 1, TERMINAL, public_key(TILL), [LEDGER.public_key]
    )


def test_the_books_of_a_ledger_hold_with_their_branches() -> None:
    """One copied till beside another, and a branch of the branch; each receipt is of its owner."""
    trunk = Chain("s1", TERMINAL).records(2)
    copy = trunk.forked(1)
    trunk.records(1).receipt().end()
    copy.records(1)
    again = copy.forked(2, grown_from=1)
    both = [*trunk.lines[:2], *copy.lines[:1], *trunk.lines[2:], copy.lines[1], *again.lines]
    tail = [*copy.records(1).end().lines[2:], *again.records(1).end().lines[1:]]
    another = Chain("s1", OTHER).records(1).receipt(OTHER).end().lines
    assert check(file_of(*both, *tail, *another, begin=BOOKS)) == Checked(7, 4, 2, 0, None, None, [LEDGER.public_key])


def moved(lines: list[Told], **change: Any) -> list[Told]:
    return [*lines[:-1], {**lines[-1], **change}]


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        # The frame.
        (lambda: file_of(*plain().end().lines, begin=None), "first line belongs"),
        (lambda: file_of(BEGIN, *plain().end().lines), "first line belongs"),
        (lambda: file_of(*plain().end().lines, behind=({"line": "key", "terminal": "", "public_key": ""},)), "follows"),
        (lambda: file_of(*plain().end().lines, begin={**BEGIN, "export": 2}), "format 2"),
        (lambda: file_of(*plain().end().lines)[:-1], "cut off"),
        (list, "cut off"),
        (lambda: file_of(*plain().lines), "no end"),
        # Records.
        (lambda: file_of(*plain().end().lines, *Chain("s1").records(1).end().lines), "has ended before"),
        (lambda: file_of(*plain().lines[1:]), "breaks at s1 2"),
        (lambda: file_of(*plain(1).lines, *plain().lines[2:]), "breaks at s1 3"),
        (lambda: file_of(*Chain("s1", OTHER).records(2).lines[1:], begin=BOOKS), f"breaks at {OTHER}/s1 2"),
        (lambda: file_of(*Chain("s1", OTHER, 1).records(1).end().lines, begin=BOOKS), "no beginning"),
        (lambda: file_of({**Chain("s1").records(1, opaque=True).lines[0], "opaque": "not base64"}), "no base64"),
        # Records that were given up.
        (lambda: file_of(*Chain("s1").gone(5).receipt().end().lines), "behind the first alone"),
        (lambda: file_of(*Chain("s1").records(2).gone(5).receipt().end().lines), "behind the first alone"),
        (lambda: file_of(*Chain("s1").records(1).gone(1).receipt().end().lines), "behind the first alone"),
        (lambda: file_of(*plain(1).end().lines, *plain(1).gone(5).receipt().end().lines[1:]), "behind the first alone"),
        (lambda: file_of(*Chain("s1").records(1).gone(5).records(1).end().lines), "no receipt proves"),
        (lambda: file_of(*Chain("s1").records(1).receipt().gone(5).records(1).end().lines), "no receipt proves"),
        (lambda: file_of(*moved(plain(1).gone(5).lines, hash="00" * 31)), "64 digits"),
        # Branches.
        (lambda: file_of(*Chain("s1", TERMINAL).records(2).forked(1).lines, begin=BOOKS), "does not grow"),
        (lambda: branched(seq=1), "does not grow"),
        (lambda: branched(hash="00" * 32), "does not grow"),
        (lambda: branched(grown_from=7), "does not grow"),
        (lambda: branched(owner=OTHER), "does not grow"),
        (lambda: branched(branch=0), "has begun before"),
        (lambda: branched(twice=True), "has begun before"),
        (lambda: branched(after_end=True), "has begun before"),
        # Receipts.
        (lambda: file_of(*plain(2).receipt(OTHER).end().lines), "another terminal"),
        (lambda: file_of(*Chain("s1", OTHER).records(2).receipt().end().lines, begin=BOOKS), "another terminal"),
        (lambda: file_of(*plain(2).receipt(at="2027-01-01T00:00:00.000Z").end().lines), "not signed by the key"),
        (lambda: file_of(*plain(2).receipt(seq=1).end().lines), "another chain"),
        (lambda: file_of(*plain(2).receipt(head="00" * 32).end().lines), "another chain"),
        # Ends.
        (lambda: file_of(*moved(plain().end().lines, seq=2)), "ends otherwise"),
        (lambda: file_of(*moved(plain().end().lines, hash="00" * 32)), "ends otherwise"),
        (lambda: file_of(*plain().end().lines, plain().end().lines[-1]), "ends otherwise"),
        (lambda: file_of(*plain().end(STRANGER).lines), "not signed by the term"),
        (lambda: file_of(*plain().end(TILL).lines, begin={**BEGIN, "public_key": None}), "not signed by the term"),
        (lambda: file_of(*plain().end(TILL).lines, begin=BOOKS), "not signed by the term"),
    ],
)
def test_one_forged_thing_is_named(forged: Callable[[], list[bytes]], reason: str) -> None:
    """Though the sum at the end is right: a lost, doubled, moved or invented chain, receipt, seal or stretch."""
    assert reason in why(forged())


def branched(*, twice: bool = False, after_end: bool = False, **change: Any) -> list[bytes]:
    """The books of a copied till whose branch line says otherwise."""
    trunk = Chain("s1", TERMINAL).records(2)
    copy = trunk.forked(1)
    begins = {**copy.lines[0], **change}
    grown = [begins, *([begins] if twice else []), *copy.records(1).end().lines[1:]]
    return file_of(*trunk.lines, *grown, *([begins] if after_end else []), *trunk.end().lines[2:], begin=BOOKS)


def test_the_branch_that_the_forgeries_change_is_right() -> None:
    """Else they would be refused for another reason."""
    assert check(branched()).chains == 2


def test_two_futures_may_have_no_past_in_common() -> None:
    """A branch from the very beginning: it stands before the records, and grows from nothing."""
    trunk, copy = Chain("s1", TERMINAL), Chain("s1", TERMINAL).forked(1)
    lines = [*copy.lines, *trunk.records(1).end().lines, *copy.records(2).end().lines[1:]]
    assert check(file_of(*lines, begin=BOOKS)).chains == 2
    broken = file_of(*moved(copy.lines[:2], seq=2), begin=BOOKS)
    assert f"breaks at {TERMINAL}/s1/1 2" in why(broken)


def test_base64_has_one_spelling() -> None:
    """Characters that a lenient reader skips would let two files tell the same records."""
    told = Chain("s1").records(1, opaque=True).end().lines
    told[0]["opaque"] = "\n" + told[0]["opaque"]
    assert "no base64" in why(file_of(*told))


def test_a_line_that_is_too_deep_is_no_line() -> None:
    """Whatever the reader of JSON does with it."""
    deep = b'{"line":"key","terminal":"","public_key":"","more":' + b"[" * 200_000
    assert "no line of an export" in why([file_of()[0], deep])


def test_each_key_that_signed_is_told_once() -> None:
    """A ledger that was given a new key has two; a person compares them."""
    first = plain(1).receipt().records(1).receipt()
    renewed = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
    custody = renewed.custody(TERMINAL, "s1", first.records(1).seq, first.head, NOON)
    receipt = Receipt(custody, TERMINAL, renewed.public_key, "g")
    told = first.tell("receipt", receipt=msgspec.to_builtins(receipt)).end().lines
    found = check(file_of(*told))
    assert (found.receipts, found.ledger_keys) == (3, [LEDGER.public_key, renewed.public_key])
