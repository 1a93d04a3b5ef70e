"""The books in a PostgreSQL database, for any number of ledger processes at once."""

from ledger.books.bookkeeping import PARKING, Bookkeeping
from ledger.books.receipts import Signer
from ledger.facts.policy import Policy
from ledger.postgres.server import PostgresServer
from offline_queue.timepiece import SystemTimepiece, Timepiece
from offline_queue.wire import PROTOCOL


class PostgresBook(Bookkeeping):
    """See port.book.Book. The URL is libpq's (PostgreSQL 15 manual, section 34.1.1.2), the tables' schema `tilld`."""

    def __init__(
        self,
        url: str,
        *,
        make: bool = True,
        partitions: int = 0,
        policy: Policy = PARKING,
        timepiece: Timepiece | None = None,
        signer: Signer | None = None,
        newest: int = PROTOCOL,
    ) -> None:
        """New books get so many partitions a table, 0 for none. Raises BooksUnusable."""
        server = PostgresServer(url, make=make, partitions=partitions)
        super().__init__(server, policy, timepiece or SystemTimepiece(), signer=signer, newest=newest)
