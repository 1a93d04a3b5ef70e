"""The books on an embedded SQLite file."""

from pathlib import Path

from ledger.books.bookkeeping import PARKING, Bookkeeping
from ledger.books.receipts import Signer
from ledger.facts.policy import Policy
from ledger.sqlite.file import SqliteFile
from offline_queue.timepiece import SystemTimepiece, Timepiece
from offline_queue.wire import PROTOCOL


class SqliteBook(Bookkeeping):
    """See port.book.Book. One writer at a time over all processes on the same file."""

    def __init__(
        self,
        path: Path,
        *,
        policy: Policy = PARKING,
        timepiece: Timepiece | None = None,
        signer: Signer | None = None,
        newest: int = PROTOCOL,
    ) -> None:
        """Makes the books where there are none. Raises BooksUnusable."""
        super().__init__(SqliteFile(path), policy, timepiece or SystemTimepiece(), signer=signer, newest=newest)
