"""A journal in a folder of its own, closed whatever a test does."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.journal_reader import JournalReader
from offline_queue.store import Store
from tests.offline_queue.sales import open_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(path)) as store:
        yield store


@pytest.fixture
def reader(store: Store) -> Iterator[JournalReader]:
    with closing(store.reader()) as reader:
        yield reader
