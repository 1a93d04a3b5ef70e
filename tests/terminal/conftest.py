"""A till on a real journal for each test."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.terminal.rig import Shop, TillRig


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with closing(Shop(tmp_path)) as shop:
        yield shop


@pytest.fixture
def till(shop: Shop) -> TillRig:
    return shop.start()
