from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.virtual.card_reader import CardReader
from tests.virtual.pcscd import VirtualPcscd, missing
from tests.virtual.pn532 import Pn532


@contextmanager
def _pcscd(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualPcscd]:
    if reason := missing():
        pytest.skip(reason)
    with VirtualPcscd(readers=2) as running:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", running.environment["PCSCLITE_CSOCK_NAME"])
        yield running


@pytest.fixture
def pcscd(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualPcscd]:
    """A real pcscd with two virtual readers, and the environment that leads this process and its children to it."""
    with _pcscd(monkeypatch) as running:
        yield running


@pytest.fixture(params=[pytest.param("pcsc", marks=pytest.mark.pcscd), "contactless"])
def card_reader(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[CardReader]:
    """Each driver of chip cards with a reader of its kind: what one reads of a card, the other must read too."""
    if request.param == "contactless":
        with Pn532(tmp_path) as chip:
            yield CardReader("contactless", {"path": str(chip.path)}, str(chip.path), chip.insert, chip.remove)
        return
    with _pcscd(monkeypatch) as running:
        name = running.names[0]
        yield CardReader("pcsc", {"match": name}, f"{name} 00 00", running.insert, running.remove)
