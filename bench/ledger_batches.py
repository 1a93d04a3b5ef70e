"""How many records a second the ledger takes into its books, decides and answers for, on SQLite and on PostgreSQL.

Beside it the engine alone: a bare load of the same rows into the same tables with one UNNEST a table and the same
commits, and pgbench's TPC-B. The contenders take turns in short rounds. Everything runs on one machine, on its disk.
"""

import functools
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.sales import TIMEPIECE, sale
from ledger.facts import Policy, UnknownCards
from ledger.port import Book
from ledger.postgres_book import PostgresBook
from ledger.postgres_schema import statements
from ledger.postgres_source import long_hash
from ledger.postgres_tables import PostgresTables
from ledger.sqlite_book import SqliteBook
from ledger.tables import SEQ_BITS
from offline_queue.entry import Card, Entry, encode, msgspec_replace
