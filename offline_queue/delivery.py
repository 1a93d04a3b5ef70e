"""Brings copies that a mirror keeps to the ledger, for a till that cannot do so any more.

Every record counts once however often it is brought, and whether the till itself comes back or not: it is the same
stream, the same bytes and the same key.
"""

from typing import Final

import msgspec

from offline_queue.ledger_answers import LedgerError, LedgerProtocolError, LedgerRefused
from offline_queue.ledger_client import Ledger
from offline_queue.mirror_copy import Copy, FolderKeeper
from offline_queue.receipts import proves
from offline_queue.timepiece import Timepiece
from offline_queue.wire import BatchAnswer, BatchHeader, ProblemCode

ATTEMPTS: Final = 3
"""The first tells the ledger's generation, which may change once more."""


class Delivered(msgspec.Struct, frozen=True):
    """What became of a stream's copies: `kept` records of it are in them, the ledger has `accepted`.

    `trouble` when not all were taken.
    """

    terminal: str
    stream: str
    kept: int
    accepted: int
    trouble: str | None = None


class Delivery:
    """One journey with copies. `ledger` speaks with the key of whoever delivers, an enrolled terminal too.

    `ledger_key` (base64) is the ledger's, where whoever delivers knows it: then only what it has signed for is custody.
    """

    def __init__(
        self, keeper: FolderKeeper, ledger: Ledger, timepiece: Timepiece, ledger_key: str | None = None
    ) -> None:
        self._keeper, self._ledger, self._timepiece = keeper, ledger, timepiece
        self._ledger_key = ledger_key
        self._generation = ""

    def bring(self, terminal: str, stream: str) -> Delivered:
        """All copies of a stream, given up when the ledger has them. Raises MirrorUnreachable."""
        accepted = kept = 0
        for copy in self._keeper.copies(terminal, stream):
            kept = max(kept, copy.last)
            try:
                accepted = max(accepted, self._brought(copy).accepted)
            except LedgerError as error:
                kept = max(each.last for each in self._keeper.copies(terminal, stream))
                return Delivered(terminal, stream, kept, accepted, str(error))
        if 0 < kept <= accepted:
            self._keeper.forget(terminal, stream, accepted)
        return Delivered(terminal, stream, kept, accepted)

    def _brought(self, copy: Copy) -> BatchAnswer:
        """Raises LedgerError."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._sent(copy)
            except LedgerRefused as refusal:
                if refusal.problem.code != ProblemCode.GENERATION or refusal.problem.generation is None:
                    raise
                self._generation = refusal.problem.generation
        return self._sent(copy)

    def _sent(self, copy: Copy) -> BatchAnswer:
        header = BatchHeader(
            request=self._timepiece.random(16).hex(),
            stream=copy.stream,
            first=copy.first,
            count=len(copy.records),
            head=copy.head,
            generation=self._generation,
            owner=copy.terminal,
            seal=copy.seal,
        )
        answer = self._ledger.send(header, [record.encode() for record in copy.records])
        if not self._proven(answer, copy):
            raise LedgerProtocolError("the ledger's receipt does not prove its custody")
        return answer

    def _proven(self, answer: BatchAnswer, copy: Copy) -> bool:
        """About this stream, signed by the ledger's key, and over the chain that the copy leads to."""
        if answer.stream != copy.stream or not proves(answer, copy.terminal, self._ledger_key):
            return False
        return answer.custody is None or answer.custody.seq != copy.last or answer.custody.head == copy.head
