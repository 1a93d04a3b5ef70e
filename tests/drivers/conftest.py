from collections.abc import Iterator

import pytest

from tests.virtual.pcscd import VirtualPcscd, missing


@pytest.fixture
def pcscd(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualPcscd]:
    """A real pcscd with two virtual readers, and the environment that leads this process and its children to it."""
    if reason := missing():
        pytest.skip(reason)
    with VirtualPcscd(readers=2) as running:
        monkeypatch.setenv("PCSCLITE_CSOCK_NAME", running.environment["PCSCLITE_CSOCK_NAME"])
        yield running
