"""Certificate authorities for tests, and the certificates that they vouch for."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM


class Certified(NamedTuple):
    """PEM files of a server: its certificate and its key."""

    certificate: Path
    private_key: Path


class Authority:
    """Vouches for servers; `file` (PEM) is what those who trust it are given."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._key = folder, _named(name), ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._signed(self._name, self._key, 1, ca=True).public_bytes(PEM))

    def certified(self, name: str, *, address: str = "127.0.0.1", days: float = 1) -> Certified:
        """A server at this address; the certificate is over where `days` from now are below zero."""
        key = ec.generate_private_key(ec.SECP256R1())
        found = Certified(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        found.certificate.write_bytes(self._signed(_named(name), key, days, address).public_bytes(PEM))
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        found.private_key.write_bytes(private)
        return found

    def _signed(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: float,
        address: str | None = None,
        *,
        ca: bool = False,
    ) -> x509.Certificate:
        end = datetime.now(UTC) + timedelta(days=days)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=30))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if address is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
            built = built.add_extension(names, critical=False)
        return built.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
