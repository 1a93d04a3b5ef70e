"""A terminal that signs its requests, over real connections; a test may sign wrongly or not at all."""

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import msgspec
import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.signing import authorization, signing_input
from offline_queue.wire import BATCH_TYPE, BatchHeader, Hello
from tests.ledger.fake_till import START

JSON = "application/json"


@dataclass(frozen=True)
class Reply:
    status: int
    type: str
    headers: urllib3.HTTPHeaderDict
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem document."""
        assert self.type == "application/problem+json"
        assert self.json["status"] == self.status
        return str(self.json["code"])


class Client:
    """Speaks for `terminal` with `key`."""

    def __init__(self, url: str, terminal: str = "S001-T01", key: Ed25519PrivateKey | None = None) -> None:
        self.url, self.terminal = url, terminal
        self.key = key or Ed25519PrivateKey.generate()
        self._pool = urllib3.PoolManager(retries=False, timeout=60.0)

    @property
    def public_key(self) -> str:
        return b64encode(self.key.public_key().public_bytes_raw()).decode()

    def request(
        self, method: str, path: str, body: bytes = b"", content_type: str = JSON, **headers: str | None
    ) -> Reply:
        """Signed as it should be; `headers` add to what is sent, None leaves one out."""
        signature = b64encode(self.key.sign(signing_input(method, path, body))).decode()
        told = {"Authorization": authorization(self.terminal, signature), "Content-Type": content_type, **headers}
        sent = {name.replace("_", "-"): value for name, value in told.items() if value is not None}
        response = self._pool.request(method, self.url + path, body=body or None, headers=sent)
        return Reply(response.status, response.headers.get("Content-Type", ""), response.headers, response.data)

    def post(self, path: str, value: object, **headers: str | None) -> Reply:
        return self.request("POST", path, msgspec.json.encode(value), **headers)

    def hello(self, **fields: Any) -> Reply:
        told = {
            "terminal": self.terminal,
            "public_key": self.public_key,
            "protocol_min": 1,
            "protocol_max": 1,
            **fields,
        }
        return self.post("/v1/hello", Hello(request="r-hello", software="test 1", streams=[], time=START, **told))

    def batch(self, header: BatchHeader, records: list[bytes], **headers: str | None) -> Reply:
        body = b"\n".join((msgspec.json.encode(header), *records, b""))
        return self.request("POST", f"/v1/streams/{header.stream}/records", body, BATCH_TYPE, **headers)

    def close(self) -> None:
        self._pool.clear()
