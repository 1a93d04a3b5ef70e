"""Servers that answer as ledgers, portals and time machines do, with certificates of any age."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[Mapping[str, str]], tuple[int, str, bytes]]
"""The query to status, content type and body."""


def portal(_: Mapping[str, str]) -> tuple[int, str, bytes]:
    """A hotel's page that wants a room number."""
    return 200, "text/html", b"<html>Welcome! Please log in.</html>"


def books(query: Mapping[str, str]) -> tuple[int, str, bytes]:
    """A ledger with no news."""
    changes = {"request": query.get("request", ""), "generation": "g", "next": 0, "changes": [], "more": False}
    return 200, "application/json", json.dumps(changes).encode()


def stranger(query: Mapping[str, str]) -> tuple[int, str, bytes]:
    """A ledger that does not know this till."""
    problem = {"title": "?", "status": 401, "code": "terminal_unknown", "request": query.get("request")}
    return 401, "application/problem+json", json.dumps(problem).encode()


def overloaded(_: Mapping[str, str]) -> tuple[int, str, bytes]:
    return 503, "text/plain", b"come again"


@contextmanager
def serving(answer: Answer, *, tls: Path | None = None, ahead: timedelta = timedelta()) -> Iterator[str]:
    """Its URL; `tls` is a PEM file with key and certificate, `ahead` how wrong its clock is."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            status, kind, body = answer(query)
            self.send_response_only(status)
            self.send_header("Date", self.date_time_string((datetime.now(UTC) + ahead).timestamp()))  # type: ignore[arg-type]
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign,assignment,misc]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path, *, days: float) -> Path:
    """For 127.0.0.1, its own authority, good for so many days from now; expired where they are negative."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ledger of a test")])
    end = datetime.now(UTC) + timedelta(days=days)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=400))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "ledger.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file
