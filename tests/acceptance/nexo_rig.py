"""Two POS that speak nexo - the unmodified client library in Node, and one without manners - and their till."""

import http.client
import json
import queue
import random
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from terminal.api.nexo.crypto import decrypt, derive, encrypt
from tests.acceptance.rig import TillProcess

PORT = 8443
"""The client library calls no other."""
SCRIPT = Path(__file__).parent.parent / "node" / "nexo_pos.js"
PATIENCE_S = 120.0
CARD = "2990000000017"
POI = "S001-T01"


def free_host() -> str:
    """An address of the loopback whose port 8443 is free: tests run side by side, and the port is always the same."""
    while True:
        host = f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(2, 250)}"
        with socket.socket() as probe:
            if probe.connect_ex((host, PORT)) != 0:
                return host


class NexoTill(TillProcess):
    """A till with the nexo listener; `nexo` are further keys of its section."""

    def __init__(self, folder: Path, ledger_url: str, *, nexo: str = "", readers: str | None = None) -> None:
        self.host = free_host()
        section = f'[nexo]\nenabled = true\nlisten = "{self.host}:{PORT}"\n{nexo}\n'
        super().__init__(folder, ledger_url, extra=section, readers=readers)

    def wait_for_readers(self) -> None:
        """A till is up before its readers are, and says so to whoever wants a card."""
        pos = self.pos()
        with closing(pos):
            while any(reader["status"] != "ready" for reader in pos.ask("GET", "/v1/status")[1]["readers"]):
                pass


def node() -> str:
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert found is not None, "Node is not installed (make setup-dev)"
    return found


class NexoPos:
    """One Node process with one version of the library. Several messages may be under way at once."""

    def __init__(self, till: NexoTill, library: str = "adyen-32", *, form: str = "encrypted") -> None:
        self.state = till.state
        setup = {
            "endpoint": f"https://{till.host}",
            "apiKey": (till.state / "pos.token").read_text().strip(),
            "certificate": str(till.state / "nexo-ca.pem"),
            "key": str(till.state / "nexo-key.json"),
            "poi": POI,
            "form": form,
        }
        self._node = subprocess.Popen(
            [node(), "--no-warnings", SCRIPT, library, json.dumps(setup)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._early: dict[str, list[dict[str, Any]]] = {}
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._count = 0
        assert self._heard.get(timeout=PATIENCE_S) == {"ready": library}

    def send(self, category: str, request: object, number: str | None = None, **step: Any) -> str:
        """Sends without waiting for the answer; the message's number."""
        self._count += 1
        number = number or f"{self._count:05d}"
        told = {"category": category, "request": request, "number": number, "later": True, **step}
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps(told) + "\n")
        self._node.stdin.flush()
        return number

    def heard(self, number: str) -> dict[str, Any]:
        """What the library has given for the oldest message of this number that is not told yet."""
        while not self._early.get(number):
            told = self._heard.get(timeout=PATIENCE_S)
            self._early.setdefault(told["number"], []).append(told)
        return self._early[number].pop(0)

    def ask(self, category: str, request: object, number: str | None = None, **step: Any) -> Any:
        """The body of the answer, or the library's error as a text."""
        told = self.heard(self.send(category, request, number, **step))
        return told["error"] if "error" in told else told["heard"].get(f"{category}Response", told["heard"])

    def ask_ledger(self, category: str, request: object, number: str) -> Any:
        """Again, as it was, while the ledger takes longer than a customer waits: a loaded machine is slow."""
        while (said := self.ask(category, request, number))["Response"].get("ErrorCondition") == "UnreachableHost":
            pass
        return said

    def close(self) -> None:
        assert self._node.stdin is not None
        self._node.stdin.close()
        try:
            self._node.wait(PATIENCE_S)
        finally:
            self._node.kill()
            self._node.wait()
            self._thread.join(PATIENCE_S)
            assert self._node.stdout is not None
            self._node.stdout.close()

    def _listen(self) -> None:
        assert self._node.stdout is not None
        for line in self._node.stdout:
            self._heard.put(json.loads(line))


@contextmanager
def pos_at(till: NexoTill, library: str = "adyen-32", *, form: str = "encrypted") -> Iterator[NexoPos]:
    pos = NexoPos(till, library, form=form)
    try:
        yield pos
    finally:
        pos.close()


def wait_for_read(pos: NexoPos, number: str) -> None:
    """Returns when the till waits for the card of this CardAcquisition.

    The till answers one question after the other: when the diagnosis is answered, the read was asked for before.
    """
    asked = status_of("CardAcquisition", number)
    while pos.ask("TransactionStatus", asked)["Response"].get("ErrorCondition") != "InProgress":
        pass
    pos.ask("Diagnosis", {})


def status_of(category: str, number: str) -> dict[str, Any]:
    """`TransactionStatusRequest`."""
    return {"MessageReference": {"MessageCategory": category, "ServiceID": number}}


def sale(number: str, at: str, **fields: str) -> dict[str, Any]:
    """`SaleData`."""
    return {"SaleTransactionID": {"TransactionID": number, "TimeStamp": at}, **fields}


def account(number: str = CARD, *modes: str) -> dict[str, Any]:
    """`LoyaltyAccountID` of a card that the POS has read itself."""
    told = {"EntryMode": list(modes or ("Scanned",)), "IdentificationType": "BarCode", "LoyaltyID": number}
    return {"LoyaltyAccountID": told}


def loyalty(kind: str, data: dict[str, Any] | None, sale_data: dict[str, Any], **transaction: Any) -> dict[str, Any]:
    """`LoyaltyRequest`."""
    told = {"SaleData": sale_data, "LoyaltyTransaction": {"LoyaltyTransactionType": kind, **transaction}}
    return told if data is None else {**told, "LoyaltyData": [data]}


def points(value: float) -> dict[str, Any]:
    return {"LoyaltyAmount": {"LoyaltyUnit": "Point", "Value": value}}


class RawPos:
    """A POS of our own over TLS, which can do what no client library does: say anything at all."""

    def __init__(self, till: NexoTill) -> None:
        self.till = till
        self.token = (till.state / "pos.token").read_text().strip()
        key = json.loads((till.state / "nexo-key.json").read_text())
        self.key, self.material = key, derive(key["Passphrase"])
        self.trust = ssl.create_default_context(cafile=str(till.state / "nexo-ca.pem"))

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self.till.host, PORT), timeout=60)
        return self.trust.wrap_socket(plain, server_hostname=self.till.host)

    def post(self, body: bytes | Iterator[bytes], *, path: str = "/nexo/", **headers: str) -> tuple[int, Any]:
        """Status and JSON. Raises OSError or HTTPException when the till is gone."""
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        connection = http.client.HTTPSConnection(self.till.host, PORT, timeout=60, context=self.trust)
        try:
            connection.request("POST", path, body, sent, encode_chunked=not isinstance(body, bytes))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text else None

    def plain(self, message: dict[str, Any]) -> tuple[int, Any]:
        """In the clear, with the POS's token."""
        return self.post(json.dumps(message).encode(), x_api_key=self.token)

    def encrypted(
        self, message: dict[str, Any], *, header: dict[str, Any] | None = None, **trailer: Any
    ) -> dict[str, Any]:
        """The envelope of an encrypted message; `header` and `trailer` replace what stands beside it."""
        blob, nonce, mac = encrypt(json.dumps(message).encode(), self.material)
        told = {
            "AdyenCryptoVersion": 1,
            "KeyIdentifier": self.key["KeyIdentifier"],
            "KeyVersion": self.key["KeyVersion"],
            "Nonce": nonce,
            "Hmac": mac,
            **trailer,
        }
        outer = header or message["SaleToPOIRequest"]["MessageHeader"]
        return {"SaleToPOIRequest": {"MessageHeader": outer, "NexoBlob": blob, "SecurityTrailer": told}}

    def opened(self, answer: dict[str, Any]) -> Any:
        """The encrypted answer in the clear."""
        encrypted = answer["SaleToPOIResponse"]
        trailer = encrypted["SecurityTrailer"]
        return json.loads(decrypt(encrypted["NexoBlob"], trailer["Nonce"], trailer["Hmac"], self.material))


def message(category: str, request: object, number: str, **header: str) -> dict[str, Any]:
    """A whole message, as the client libraries make it."""
    told = {
        "ProtocolVersion": "3.0",
        "MessageClass": "Service",
        "MessageCategory": category,
        "MessageType": "Request",
        "SaleID": "TILL-04",
        "POIID": POI,
        "ServiceID": number,
        **header,
    }
    return {"SaleToPOIRequest": {"MessageHeader": told, f"{category}Request": request}}
