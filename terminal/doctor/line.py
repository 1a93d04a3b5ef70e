"""The way to the ledger, step by step: its name, its port, its certificate, and who answers there."""

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

STEP_S: Final = 4.0
"""For each step; the till itself gives up a connection after 3 s."""


@dataclass(frozen=True)
class Address:
    """Of a ledger's URL; `path` without a trailing slash."""

    host: str
    port: int
    tls: bool
    path: str

    @classmethod
    def of(cls, url: str) -> "Address":
        """Of a URL that the config has let through."""
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        return cls(parts.hostname or "", parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))


@dataclass(frozen=True)
class Certificate:
    """What a server shows; `trouble` is why it is not trusted, None when it is. Nothing was sent to it."""

    issuer: str
    not_after: datetime
    trouble: str | None


@dataclass(frozen=True)
class Heard:
    """An answer to an unsigned question: when it came, by the till's clock and by the server's."""

    status: int
    content_type: str
    at: datetime
    date: datetime | None


def addresses(address: Address) -> list[str]:
    """What its name stands for. Raises OSError."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def connected(address: Address) -> float:
    """Milliseconds until it took a connection. Raises OSError."""
    began = time.monotonic()
    with socket.create_connection((address.host, address.port), STEP_S):
        return (time.monotonic() - began) * 1000


def certificate(address: Address, ca_file: str) -> Certificate:
    """Raises OSError where there is no TLS at all; ssl.SSLError is one."""
    trouble = None
    try:
        with _handshake(address, ssl.create_default_context(cafile=ca_file or None)):
            pass
    except ssl.SSLCertVerificationError as error:
        trouble = error.verify_message
    return _shown(address, trouble)


@contextlib.contextmanager
def _handshake(address: Address, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    plain = socket.create_connection((address.host, address.port), STEP_S)
    with plain, context.wrap_socket(plain, server_hostname=address.host) as wrapped:
        yield wrapped


def _shown(address: Address, trouble: str | None) -> Certificate:
    """Once more without trust, for its dates alone: this connection carries nothing."""
    from cryptography import x509

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _handshake(address, context) as wrapped:
        shown = x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")
    return Certificate(shown.issuer.rfc4514_string(), shown.not_valid_after_utc, trouble)


def heard(address: Address, ca_file: str) -> Heard:
    """Raises OSError, http.client.HTTPException."""
    connection: http.client.HTTPConnection
    if address.tls:
        context = ssl.create_default_context(cafile=ca_file or None)
        connection = http.client.HTTPSConnection(address.host, address.port, timeout=STEP_S, context=context)
    else:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=STEP_S)
    with contextlib.closing(connection):
        connection.request("GET", f"{address.path}/healthz")
        answer = connection.getresponse()
        kind = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        return Heard(answer.status, kind, now(), date_of(answer.getheader("Date") or ""))


def now() -> datetime:
    """By the till's own clock."""
    return datetime.fromtimestamp(time.time(), UTC)


def date_of(header: str) -> datetime | None:
    """Pure: a Date header (RFC 9110, section 5.6.7); None for what is none."""
    try:
        found = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
