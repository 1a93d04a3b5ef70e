"""The till's view of the ledger: eight questions, and the ledger at the other end of an HTTP connection."""

import contextlib
import http.client
import time
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, urlsplit

import msgspec

from offline_queue.ledger_answers import (
    JSON,
    PROBLEM,
    A,
    LedgerError,
    LedgerProtocolError,
    LedgerRefused,
    Received,
    TransientLedgerError,
    plain,
    understood,
)
from offline_queue.packing import GZIP, WORTHWHILE, packed
from offline_queue.signing import authorization, signing_input
from offline_queue.terminal_key import sign
from offline_queue.wire import BATCH_TYPE, BatchAnswer, BatchHeader, Hello, Park, ProblemCode, Welcome
from offline_queue.wire_accounts import Account, AllowanceAnswer, AllowanceRequest, PhoneFound, PhoneLookup
from offline_queue.wire_feeds import Changes, Decisions

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from urllib3 import BaseHTTPResponse

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Several times the largest page of decisions; a longer answer is none of ours."""
CONNECTIONS: Final = 3
"""Kept open: one for sync, two for questions that customers wait for."""


class UnsafeLedgerUrl(ValueError):
    """Points would travel where anybody can read or change them."""


class Ledger(Protocol):
    """Every method raises LedgerError and nothing else; `request` is an id that the answer repeats."""

    def hello(self, hello: Hello) -> Welcome: ...

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer: ...

    def park(self, park: Park) -> BatchAnswer: ...

    def allowance(self, request: AllowanceRequest) -> AllowanceAnswer: ...

    def decisions(self, request: str, after: int, limit: int) -> Decisions: ...

    def changes(self, request: str, after: int, limit: int) -> Changes: ...

    def account(self, request: str, number: str) -> Account | None:
        """None when the ledger has no such card."""

    def phone(self, lookup: PhoneLookup) -> PhoneFound: ...


class HttpLedger:
    """A ledger over HTTP/1.1. Safe for several threads; `close` gives the connections back.

    `connect_s` bounds the connection, `answer_s` the whole answer. Raises UnsafeLedgerUrl.
    """

    def __init__(
        self,
        url: str,
        terminal: str,
        key: "Ed25519PrivateKey",
        *,
        connect_s: float = 3.0,
        answer_s: float = 10.0,
        allow_plain_http: bool = False,
        ca_file: str | None = None,
    ) -> None:
        from offline_queue.punctual import pool

        self._url = checked_url(url, allow_plain_http=allow_plain_http)
        self._path = urlsplit(self._url).path
        self._terminal, self._key, self._answer_s = terminal, key, answer_s
        self._pool = pool(connections=CONNECTIONS, connect_s=connect_s, answer_s=answer_s, ca_file=ca_file)
        self._takes_gzip = False

    def hello(self, hello: Hello) -> Welcome:
        welcome = self._post("/v1/hello", msgspec.json.encode(hello), hello.request, Welcome)
        self._takes_gzip = GZIP in welcome.encodings
        return welcome

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        body = batch_body(header, records)
        encoding = GZIP if self._takes_gzip and len(body) > WORTHWHILE else None
        path = f"/v1/streams/{header.stream}/records"
        received = self._exchange("POST", path, packed(body) if encoding else body, BATCH_TYPE, encoding)
        return understood(received, header.request, BatchAnswer)

    def park(self, park: Park) -> BatchAnswer:
        return self._post("/v1/park", msgspec.json.encode(park), park.request, BatchAnswer)

    def allowance(self, request: AllowanceRequest) -> AllowanceAnswer:
        return self._post("/v1/allowances", msgspec.json.encode(request), request.request, AllowanceAnswer)

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        path = f"/v1/decisions?after={after}&limit={limit}&request={request}"
        return understood(self._exchange("GET", path, b"", JSON), request, Decisions)

    def changes(self, request: str, after: int, limit: int) -> Changes:
        path = f"/v1/changes?after={after}&limit={limit}&request={request}"
        return understood(self._exchange("GET", path, b"", JSON), request, Changes)

    def account(self, request: str, number: str) -> Account | None:
        path = f"/v1/accounts/{quote(number, safe='')}?request={request}"
        try:
            return understood(self._exchange("GET", path, b"", JSON), request, Account)
        except LedgerRefused as refusal:
            if refusal.problem.code == ProblemCode.ACCOUNT_UNKNOWN:
                return None
            raise

    def phone(self, lookup: PhoneLookup) -> PhoneFound:
        """In the body, not in the address: a phone number does not belong into the logs of proxies."""
        return self._post("/v1/phone-lookups", msgspec.json.encode(lookup), lookup.request, PhoneFound)

    def close(self) -> None:
        self._pool.clear()

    def _post(self, path: str, body: bytes, request: str, shape: type[A]) -> A:
        return understood(self._exchange("POST", path, body, JSON), request, shape)

    def _exchange(
        self, method: str, path: str, body: bytes, content_type: str, encoding: str | None = None
    ) -> Received:
        """The signature covers the body as it is sent, packed or not."""
        from urllib3.exceptions import HTTPError

        signature = sign(self._key, signing_input(method, self._path + path, body))
        headers = {
            "Accept": f"{JSON}, {PROBLEM}",
            "Authorization": authorization(self._terminal, signature),
            "Content-Type": content_type,
            "Accept-Encoding": GZIP,
        }
        if encoding is not None:
            headers["Content-Encoding"] = encoding
        try:
            return self._received(method, path, body, headers)
        except (HTTPError, OSError) as error:
            raise _trouble(self._url, error) from error

    def _received(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Received:
        deadline = time.monotonic() + self._answer_s
        response = self._pool.request(
            method, self._url + path, body=body or None, headers=headers, redirect=False, preload_content=False
        )
        with contextlib.ExitStack() as broken_off:
            broken_off.callback(response.close)
            content = _bounded(response, deadline)
            broken_off.pop_all()
        response.release_conn()
        content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        content = plain(content, response.headers.get("Content-Encoding", ""), MAX_ANSWER_BYTES)
        return Received(response.status, content_type, content, response.headers.get("Retry-After"))


def batch_body(header: BatchHeader, records: Sequence[bytes]) -> bytes:
    """JSON Lines: the header, then the records exactly as they are stored, a line feed after each."""
    return b"\n".join((msgspec.json.encode(header), *records, b""))


def checked_url(url: str, *, allow_plain_http: bool = False) -> str:
    """The ledger's base URL without a trailing slash. Raises UnsafeLedgerUrl."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UnsafeLedgerUrl(f"{url!r} is no URL ({error}); give one like https://ledger.example.com") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise UnsafeLedgerUrl(f"{url!r} is no address of a ledger; give one like https://ledger.example.com")
    if parts.scheme == "http" and not (allow_plain_http or is_loopback(host)):
        raise UnsafeLedgerUrl(
            f"{url!r} is not encrypted: anybody on the way could read card numbers and change points; use https://"
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """True for this machine itself, by name or address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _bounded(response: "BaseHTTPResponse", deadline: float) -> bytes:
    """The body, within MAX_ANSWER_BYTES and before the deadline, however slowly it drips."""
    pieces, size = [], 0
    for piece in response.stream(65536, decode_content=False):
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            raise LedgerProtocolError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        if time.monotonic() > deadline:
            raise TransientLedgerError("the ledger's answer did not end in time")
        pieces.append(piece)
    return b"".join(pieces)


def _trouble(url: str, error: Exception) -> LedgerError:
    from urllib3 import exceptions

    if any(isinstance(cause, http.client.IncompleteRead) for cause in (error, error.__context__, *error.args)):
        return LedgerProtocolError(f"the answer of {url} was cut off")
    if isinstance(error, exceptions.SSLError):
        return TransientLedgerError(f"no trusted connection to {url}: {error}", reached=False)
    if isinstance(error, exceptions.NewConnectionError | exceptions.ConnectTimeoutError):
        return TransientLedgerError(f"no connection to {url}: {_reason(error)}", reached=False)
    if isinstance(error, exceptions.TimeoutError):
        return TransientLedgerError(f"{url} took the request and did not answer in time")
    return TransientLedgerError(f"the connection to {url} broke: {_reason(error)}")


def _reason(error: Exception) -> str:
    """The operating system's own words, without the names of our objects around them."""
    cause = error.__cause__ or error.__context__
    return cause.strerror or str(cause) if isinstance(cause, OSError) else str(error)
