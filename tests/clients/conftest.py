"""The API in front of a fake till, for the clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import Api, serving
from tests.api.fake_till import FakeTill


@pytest.fixture
def till() -> Iterator[FakeTill]:
    till = FakeTill()
    till.start()
    yield till
    till.stop()


@pytest.fixture
def api(till: FakeTill, tmp_path: Path) -> Iterator[Api]:
    with serving(till, tmp_path) as api:
        yield api
