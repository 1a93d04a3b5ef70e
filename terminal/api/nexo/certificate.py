"""The listener's certificate: signed by an authority of this till alone, both made at its first start.

The POS pins the authority (`nexo-ca.pem`), so the certificate can be renewed without a word to the POS. The authority
is bound by name constraints (RFC 5280 section 4.2.1.10) to this machine and the protocol's names: with it, whoever
stole it could not pass for any other site.
"""

import ipaddress
import logging
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_FILE: Final = "nexo-ca.pem"
"""For the POS; the authority's key lies beside it in CA_KEY_FILE."""
CA_KEY_FILE: Final = "nexo-ca-key.pem"
FILE: Final = "nexo-certificate.pem"
"""The key and the certificate of the listener."""
DOMAIN: Final = "test.terminal.adyen.com"
"""The POS's library takes a certificate only when its common name lies here."""

_BEGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Before any till's clock: one that is behind at the first start must not find its own certificate too new."""
_EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CA_AGE: Final = timedelta(days=20 * 365)
_AGE: Final = timedelta(days=397)
_LEFT: Final = timedelta(days=60)
"""Renewed when less is left."""

log = logging.getLogger("nexo")

_Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Authority:
    """The till's own certificate authority; `fresh` when it was made just now, and no POS can know it."""

    certificate: x509.Certificate
    key: _Key
    fresh: bool


def common_name(poi_id: str) -> str:
    """`TILLD-S001T01.test.terminal.adyen.com`: the form that the POS's library wants, at most 64 characters (X.520)."""
    own = re.sub(r"[^A-Za-z0-9]", "", poi_id)[:34] or "1"
    return f"TILLD-{own}.{DOMAIN}"


def ensure(state: Path, poi_id: str, host: str, now: datetime) -> bool:
    """Makes or renews what is missing, foreign to `poi_id` and `host`, or soon over; true when it did.

    Raises OSError.
    """
    authority = _authority(state, now)
    if not authority.fresh and _serves(state / FILE, authority.certificate, poi_id, host, now):
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _issued(authority, key, poi_id, host, now)
    _write(state / FILE, _pem_key(key) + certificate.public_bytes(serialization.Encoding.PEM))
    return True


def _authority(state: Path, now: datetime) -> Authority:
    certificate_path, key_path = state / CA_FILE, state / CA_KEY_FILE
    if certificate_path.exists() and key_path.exists():
        try:
            certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
            key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        except ValueError as error:
            raise OSError(f"{certificate_path.name} or {key_path.name} is damaged: {error}") from None
        if isinstance(key, ec.EllipticCurvePrivateKey) and certificate.not_valid_after_utc - now > _LEFT:
            return Authority(certificate, key, fresh=False)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, now)
    _write(key_path, _pem_key(key))
    _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(certificate, key, fresh=True)


def _serves(path: Path, authority: x509.Certificate, poi_id: str, host: str, now: datetime) -> bool:
    """Whether the certificate there is whole, this authority's, of these names, and good for some time."""
    if not path.exists():
        return False
    try:
        pem = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem, None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        certificate.verify_directly_issued_by(authority)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it (a damaged file, a foreign signature)
        log.warning("%s cannot be used (%r) and is made anew; the POS goes on trusting %s", path.name, error, CA_FILE)
        return False
    return (
        certificate.not_valid_after_utc - now > _LEFT
        and list(names) == _names(poi_id, host)
        and key.public_key() == certificate.public_key()
    )


def _names(poi_id: str, host: str) -> list[x509.GeneralName]:
    addresses = dict.fromkeys([host.removeprefix("[").removesuffix("]"), "127.0.0.1", "::1"])
    ips = [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses if one != "localhost"]
    return [x509.DNSName(common_name(poi_id)), x509.DNSName("localhost"), *ips]


def _self_signed(key: _Key, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tilld nexo {os.urandom(4).hex()}")])
    own_networks = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    permitted = [x509.DNSName(DOMAIN), x509.DNSName("localhost"), *map(x509.IPAddress, own_networks)]
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = _builder(name, name, key, max(now, _EARLIEST) + _CA_AGE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256())


def _issued(authority: Authority, key: _Key, poi_id: str, host: str, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name(poi_id))])
    end = min(max(now, _EARLIEST) + _AGE, authority.certificate.not_valid_after_utc)
    builder = _builder(name, authority.certificate.subject, key, end)
    builder = builder.add_extension(x509.SubjectAlternativeName(_names(poi_id, host)), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return builder.add_extension(issuer, critical=False).sign(authority.key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: _Key, end: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(_BEGIN).not_valid_after(end)


def _pem_key(key: _Key) -> bytes:
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)


def _write(path: Path, pem: bytes) -> None:
    """Whole or not at all, for its owner alone."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_bytes(pem)
    fresh.replace(path)
