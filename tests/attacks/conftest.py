"""A real till in front of a real ledger, which every attack in this folder is made on."""

import socket
from collections.abc import Iterator

import pytest

from tests.acceptance.rig import TillProcess, till_with_ledger
from tests.api.conftest import Api, Reply


class RealApi(Api):
    """A client of the real till with its own token."""

    def __init__(self, till: TillProcess) -> None:
        super().__init__(f"127.0.0.1:{till.port}", till.state / "tilld.sock")
        self.token = (till.state / "pos.token").read_text().strip()
        self.technician = (till.state / "technician.token").read_text().strip()

    def ask(self, method: str, path: str, body: object = None, token: str | None = "", **headers: str) -> Reply:
        return super().ask(method, path, body, self.token if token == "" else token, **headers)

    def raw(self, request: bytes) -> bytes:
        """All that comes back for bytes that no HTTP client would send, until the till ends the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    @property
    def journal(self) -> list[str]:
        """The ids of everything that was ever recorded."""
        return [entry["id"] for entry in self.ask("GET", "/v1/queue?limit=1000").json["entries"]]


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    with till_with_ledger(tmp_path_factory.mktemp("attacked")) as till:
        yield till


@pytest.fixture
def api(real: TillProcess) -> RealApi:
    return RealApi(real)
