"""The books in one file that proves itself to a stranger (offline_queue/export_lines.py tells its lines).

Read page by page, each in a transaction of its own: however slowly somebody takes it, nobody waits for that. What came
after the beginning is not in it.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ledger.books.receipts import Signer
from ledger.tables import export
from ledger.tables.engine import Engine, Tables
from ledger.tables.export import Chain
from ledger.tables.streams import generation_in
from offline_queue.export_lines import FORMAT, Begin, Branch, End, Line, Proof, Record
from offline_queue.exporting import Exporting
from offline_queue.receipts import Receipt

Beginning = tuple[str, list[Chain], Sequence[Line]]


class BooksExport:
    """`signer` vouches for the end of each chain; `now` (RFC 3339) is when."""

    def __init__(self, engine: Engine, signer: Signer | None, now: str) -> None:
        self._engine, self._signer, self._now = engine, signer, now

    def write(self, out: BinaryIO, terminal: str | None, stream: str | None) -> int:
        """How many records there are."""

        def look(tables: Tables) -> Beginning:
            known = export.chains(tables, terminal, stream)
            return generation_in(tables) or "", known, export.keys(tables, terminal)

        generation, chains, keys = self._engine.read(look)
        exporting = Exporting(out)
        exporting.write(
            Begin(FORMAT, ledger_key=self._signer.public_key if self._signer else None, generation=generation)
        )
        for line in keys:
            exporting.write(line)
        for chain in chains:
            branches = [other for other in chains if other.grown_from == chain.no]
            for line in self._chain(chain, branches, generation):
                exporting.write(line)
        return exporting.finish()

    def _chain(self, chain: Chain, branches: Sequence[Chain], generation: str) -> Iterator[Line]:
        at = chain.base
        yield from (_begun(chain, branch) for branch in branches if branch.base == 0)
        while records := self._page(chain, at):
            for record in records:
                yield record
                at = record.seq
                yield from (_begun(chain, branch, record.hash) for branch in branches if branch.base == at)
        if self._signer is not None:
            custody = self._signer.custody(chain.owner, chain.stream, chain.mark, chain.head, self._now)
            receipt = Receipt(custody, chain.owner, self._signer.public_key, generation)
            yield Proof(chain.stream, receipt, chain.owner, chain.branch)
        yield End(chain.stream, chain.mark, chain.head.hex(), None, chain.owner, chain.branch)

    def _page(self, chain: Chain, after: int) -> list[Record]:
        return self._engine.read(lambda tables: export.page(tables, chain, after))


def _begun(chain: Chain, branch: Chain, head: str = bytes(32).hex()) -> Branch:
    return Branch(chain.stream, branch.base, head, chain.owner, branch.branch, chain.branch)
