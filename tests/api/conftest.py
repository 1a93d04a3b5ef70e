"""A real web server on a free port in front of a fake till, and a client for it."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from offline_queue.timepiece import SystemTimepiece
from terminal.api.callers import Tokens
from terminal.api.desk import Desk
from terminal.api.server import ApiServer
from terminal.history.recorder import Recorder
from tests.api.fake_till import FakeTill
from tests.api.schema import Checked

TOKENS = Tokens(pos="pos-secret", technician="technician-secret")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    """Asks the server over real connections; every JSON answer is held against the OpenAPI document."""

    def __init__(self, address: str, socket: Path) -> None:
        self.address, self.socket = address, socket
        self.port = int(address.rpartition(":")[2])
        self.checked = Checked()

    def ask(self, method: str, path: str, body: object = None, token: str | None = TOKENS.pos, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        self.checked.answer(method, path, reply.status, reply.headers.get("content-type", ""), reply.body)
        return reply

    def sale(self, key: str, **fields: Any) -> Reply:
        body = {"kind": "earn", "card": {"number": "2990000000017"}, "points": 5, **fields}
        return self.ask("POST", "/v1/transactions", body, Idempotency_Key=key)


@pytest.fixture
def till() -> Iterator[FakeTill]:
    till = FakeTill()
    till.start()
    yield till
    till.stop()


@contextmanager
def serving(till: FakeTill, folder: Path, listen: str = "127.0.0.1:0", **more: Any) -> Iterator[Api]:
    """`more` goes into the Desk."""
    history = Recorder(folder / "history.jsonl", till.totals, {}, SystemTimepiece())
    desk = Desk(till.inbox.offer, till.notices, TOKENS, listen, "S001-T01", "0.1.0", history=history, **more)
    server = ApiServer(desk, folder / "tilld.sock")
    server.start()
    try:
        yield Api(server.address, folder / "tilld.sock")
    finally:
        server.stop()


@pytest.fixture
def api(till: FakeTill, tmp_path: Path) -> Iterator[Api]:
    with serving(till, tmp_path) as api:
        yield api
