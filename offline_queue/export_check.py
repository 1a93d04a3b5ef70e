"""Verifies an export line by line, as any stranger can (docs/protocol.md has the algorithm). Pure.

Memory grows with the number of chains alone.
"""

import hashlib
from base64 import b64decode
from collections.abc import Iterable
from typing import Final

import msgspec

from offline_queue.entry import GENESIS_HASH, chain
from offline_queue.export_lines import (
    FORMAT,
    MAX_LINE_BYTES,
    Begin,
    Branch,
    End,
    Gone,
    Key,
    Line,
    Proof,
    Record,
    Total,
)
from offline_queue.receipts import genuine, signed_by
from offline_queue.signing import seal_input

ChainName = tuple[str | None, str, int]
"""Owner, stream and branch."""
_decoder: Final = msgspec.json.Decoder(Line)


class Broken(Exception):
    """The first line (from 1) that is not what was exported, and `why`."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line, self.why = line, why


class Checked(msgspec.Struct, frozen=True):
    """What holds: so many `records` in so many `chains`, `receipts` by the `ledger_keys`, `seals` by `public_key`.

    Whether those keys are the right ones only their owners can tell.
    """

    records: int
    chains: int
    receipts: int
    seals: int
    terminal: str | None
    public_key: str | None
    ledger_keys: list[str]


def check(lines: Iterable[bytes]) -> Checked:
    """Every line with its line feed. Raises Broken."""
    checking = _Checking()
    for number, line in enumerate(lines, start=1):
        checking.number = number
        checking.take(line)
    return checking.result()


class _Checking:
    """One pass over an export."""

    def __init__(self) -> None:
        self.number = 0
        self._begin: Begin | None = None
        self._total: Total | None = None
        self._digest = hashlib.sha256()
        self._open: dict[ChainName, tuple[int, bytes]] = {}
        self._ended: set[ChainName] = set()
        self._unproven: set[ChainName] = set()
        self._records = self._receipts = self._seals = 0
        self._ledger_keys: list[str] = []

    def take(self, line: bytes) -> None:
        told = self._decoded(line)
        self._require(self._total is None, "something follows the last line")
        self._require(isinstance(told, Begin) is (self.number == 1), "the first line belongs at the beginning")
        match told:
            case Begin():
                self._require(told.export == FORMAT, f"format {told.export} is not known, only {FORMAT}")
                self._begin = told
            case Record():
                self._grow(told)
            case Gone():
                self._skip(told)
            case Branch():
                self._fork(told)
            case Proof():
                self._prove(told)
            case End():
                self._end(told)
            case Total():
                self._finish(told)
            case Key():
                pass
        self._digest.update(line)

    def result(self) -> Checked:
        self._require(self._total is not None and self._begin is not None, "the end is missing: the file was cut off")
        begin = self._begin or Begin(FORMAT)
        return Checked(
            self._records,
            len(self._ended),
            self._receipts,
            self._seals,
            begin.terminal,
            begin.public_key,
            self._ledger_keys,
        )

    def _decoded(self, line: bytes) -> Line:
        self._require(len(line) <= MAX_LINE_BYTES, "it is longer than any line of an export")
        try:
            told: Line = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Broken(self.number, f"it is no line of an export: {error}") from error
        return told

    def _grow(self, told: Record) -> None:
        name = (told.owner, told.stream, told.branch)
        self._require(name not in self._ended, "its chain has ended before")
        self._require(told.branch == 0 or name in self._open, "its chain has no beginning")
        seq, head = self._open.get(name, (0, GENESIS_HASH))
        head = chain(head, self._bytes(told))
        self._require((told.seq, told.hash) == (seq + 1, head.hex()), f"the chain breaks at {_named(name)} {told.seq}")
        self._open[name] = told.seq, head
        self._records += 1

    def _bytes(self, told: Record) -> bytes:
        try:
            if told.opaque is not None:
                return b64decode(told.opaque, validate=True)
            return (told.record or "").encode()
        except ValueError as error:
            raise Broken(self.number, f"its record is no text and no base64: {error}") from error

    def _skip(self, told: Gone) -> None:
        """Only a receipt tells that these were the right ones: one must follow, which the chain leads to."""
        name = (None, told.stream, 0)
        seq, _ = self._open.get(name, (0, GENESIS_HASH))
        self._require(seq == 1 < told.seq, "records may be missing behind the first alone")
        self._open[name] = told.seq, self._hash(told.hash)
        self._unproven.add(name)

    def _fork(self, told: Branch) -> None:
        name, parent = (told.owner, told.stream, told.branch), (told.owner, told.stream, told.grown_from)
        at = self._open.get(parent, (0, GENESIS_HASH))
        self._require(at == (told.seq, self._hash(told.hash)), "it does not grow from the chain that it names")
        self._require(name not in self._open and name not in self._ended, "this branch has begun before")
        self._open[name] = at

    def _prove(self, told: Proof) -> None:
        custody = told.receipt.custody
        seq, head = self._open.get((told.owner, told.stream, told.branch), (0, GENESIS_HASH))
        self._require((custody.seq, custody.head) == (seq, head.hex()), "the receipt is for another chain than this")
        owner = told.owner or (self._begin.terminal if self._begin else None)
        self._require(told.receipt.terminal == owner, "the receipt is for another terminal")
        self._require(
            genuine(custody, told.receipt.terminal, told.stream, told.receipt.key),
            "the receipt is not signed by the key that it names",
        )
        self._receipts += 1
        self._unproven.discard((told.owner, told.stream, told.branch))
        if told.receipt.key not in self._ledger_keys:
            self._ledger_keys.append(told.receipt.key)

    def _end(self, told: End) -> None:
        name = (told.owner, told.stream, told.branch)
        self._require(self._open.pop(name, None) == (told.seq, self._hash(told.hash)), "its chain ends otherwise")
        self._require(name not in self._unproven, "records were given up and no receipt proves what they were")
        self._ended.add(name)
        if told.seal is None or self._begin is None:
            return
        message = seal_input(self._begin.terminal or "", told.stream, told.seq, told.hash)
        key = self._begin.public_key or ""
        self._require(signed_by(key, told.seal, message), "the seal is not signed by the terminal's key")
        self._seals += 1

    def _finish(self, told: Total) -> None:
        self._require(not self._open, "a chain has no end")
        self._require(told.records == self._records, f"{told.records} records were exported, {self._records} are here")
        self._require(told.sha256 == self._digest.hexdigest(), "a line was changed")
        self._total = told

    def _hash(self, told: str) -> bytes:
        try:
            digest = bytes.fromhex(told)
        except ValueError as error:
            raise Broken(self.number, f"a hash is no hexadecimal number: {error}") from error
        self._require(len(digest) == len(GENESIS_HASH), "a hash has 64 digits")
        return digest

    def _require(self, holds: bool, why: str) -> None:
        if not holds:
            raise Broken(self.number, why)


def _named(name: ChainName) -> str:
    owner, stream, branch = name
    return "/".join(str(part) for part in (owner, stream, branch or None) if part is not None)
