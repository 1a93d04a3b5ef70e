"""Who can reach the till's API: addresses that are really open, names it goes by, pages that may ask, tokens."""

import contextlib
import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from terminal.config_hw_proxy import HwProxy
from terminal.doctor.account import daemon_pid
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.line import now
from terminal.doctor.patient import Patient

LISTENING: Final = Check(
    "api.listening",
    "The till listens on this machine alone",
    'Set [api] listen = "127.0.0.1:8780"; put a proxy with TLS in front of it for others',
    Who.TECHNICIAN,
)
HOSTS: Final = Check(
    "api.hosts",
    "The till goes by no name that a stranger controls",
    "Remove from [api] hosts what no proxy of yours needs",
    Who.TECHNICIAN,
)
ORIGINS: Final = Check(
    "api.origins",
    "Web pages that may ask the till came encrypted, and no more of them than needed",
    "Name in [api] origins the POS's own page alone, with https://",
    Who.TECHNICIAN,
)
TOKENS: Final = Check(
    "api.tokens",
    "Both tokens are there, long, and different",
    "sudo rm STATE/pos.token STATE/technician.token; sudo systemctl restart tilld; give the POS the new one",
    Who.ROOT,
)
NEXO: Final = Check(
    "api.nexo",
    "The certificate that nexo terminals and POS see is good for weeks",
    "sudo systemctl restart tilld",
    Who.ROOT,
)
CHECKS: Final = (LISTENING, HOSTS, ORIGINS, TOKENS, NEXO)

LISTEN: Final = "0A"
"""TCP_LISTEN in /proc/net/tcp (proc_net_tcp(5))."""
SHORTEST: Final = 32
SOON: Final = timedelta(days=14)


class Listener(NamedTuple):
    """An address that takes connections, and the inode of its socket."""

    address: str
    port: int
    inode: str

    @property
    def is_local(self) -> bool:
        return ipaddress.ip_address(self.address).is_loopback


def look(patient: Patient) -> Iterator[Finding]:
    yield listening(patient)
    yield hosts(patient.config.api.hosts)
    yield origins(patient.config.api.origins, patient.config.hw_proxy)
    yield tokens(patient)
    if patient.config.nexo.enabled:
        yield nexo(patient)


def listening(patient: Patient) -> Finding:
    """The sockets of the daemon itself, whatever its config says."""
    pid = daemon_pid(patient)
    if pid is None:
        return LISTENING.unknown("the till is down")
    try:
        own = sockets_of(patient.machine.path(f"/proc/{pid}/fd"))
    except OSError as error:
        return LISTENING.unknown(f"the daemon's sockets cannot be seen: {error.strerror}")
    tables = [patient.machine.word(f"/proc/{pid}/net/{name}") or "" for name in ("tcp", "tcp6")]
    found = [each for table in tables for each in listeners(table) if f"socket:[{each.inode}]" in own]
    encrypted = patient.config.mirror.listen.rpartition(":")[2] if patient.config.mirror.certificate else ""
    return exposed(found, encrypted)


def sockets_of(descriptors: Path) -> set[str]:
    """What /proc/PID/fd leads to; connections come and go meanwhile. Raises OSError."""
    found = set()
    for file in descriptors.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(file.readlink()))
    return found


def listeners(table: str) -> list[Listener]:
    """Pure: those that listen, of /proc/net/tcp or tcp6; lines that are none are passed over."""
    found = []
    for fields in (line.split() for line in table.splitlines()[1:]):
        if len(fields) > 9 and fields[3] == LISTEN:
            host, _, port = fields[1].partition(":")
            try:
                found.append(Listener(address_of(host), int(port, 16), fields[9]))
            except ValueError:
                continue
    return found


def address_of(words: str) -> str:
    """Pure: hexadecimal 32-bit words, each in the machine's byte order (little-endian). Raises ValueError."""
    raw = bytes.fromhex(words)
    if len(raw) not in {4, 16}:
        raise ValueError(f"{words!r} is no address")
    turned = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    address = ipaddress.ip_address(turned)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def exposed(found: list[Listener], encrypted_port: str) -> Finding:
    """Pure. The mirror's port may be open to peers, for it has a certificate."""
    shown = ", ".join(f"{each.address} port {each.port}" for each in found) or "no TCP address"
    beyond = [each for each in found if not each.is_local and str(each.port) != encrypted_port]
    return LISTENING.broken(f"open to others: {shown}") if beyond else LISTENING.ok(shown)


def hosts(names: tuple[str, ...]) -> Finding:
    """Pure."""
    return HOSTS.attention(f"it answers to {', '.join(names)} too") if names else HOSTS.ok("the loopback's own")


def origins(named: tuple[str, ...], odoo: HwProxy) -> Finding:
    """Pure. A page that came unencrypted can be anybody's by the time it asks; Odoo's page shows no token at all."""
    heard = "hears the numbers of presented cards" if odoo.card_numbers else "hears of no card"
    proxied = [f"{origin} (Odoo, {heard})" for origin in odoo.origins if odoo.enabled]
    bare = [origin for origin in named if origin.startswith("http://") and not _own(origin)]
    evidence = ", ".join([*named, *proxied]) or "none but the till's own"
    return ORIGINS.attention(f"{evidence}; not encrypted: {', '.join(bare)}") if bare else ORIGINS.ok(evidence)


def _own(origin: str) -> bool:
    host = origin.removeprefix("http://").rpartition(":")[0] or origin.removeprefix("http://")
    return host in {"localhost", "127.0.0.1", "[::1]"}


def nexo(patient: Patient) -> Finding:
    """The till makes it at its start, and anew when it comes to its end."""
    from cryptography import x509

    try:
        shown = x509.load_pem_x509_certificate((patient.state / "nexo-certificate.pem").read_bytes())
    except (OSError, ValueError) as error:
        return NEXO.unknown(f"https://{patient.config.nexo.listen}/nexo/: {error}")
    return nexo_until(shown.not_valid_after_utc, now())


def nexo_until(end: datetime, at: datetime) -> Finding:
    """Pure."""
    left = end - at
    evidence = f"until {end:%Y-%m-%d}, {left.days} days"
    if left < timedelta():
        return NEXO.broken(evidence)
    return NEXO.attention(evidence) if left < SOON else NEXO.ok(evidence)


def tokens(patient: Patient) -> Finding:
    """Their lengths alone are told."""
    try:
        pos, technician = ((patient.state / f"{name}.token").read_text().strip() for name in ("pos", "technician"))
    except FileNotFoundError as error:
        return TOKENS.unknown(f"there is no {error.filename}; the till makes it when it starts")
    except OSError as error:
        return TOKENS.unknown(f"{error.filename}: {error.strerror}")
    return judged_tokens(pos, technician)


def judged_tokens(pos: str, technician: str) -> Finding:
    """Pure."""
    if pos == technician:
        return TOKENS.broken("both are the same: each POS is a technician")
    short = min(len(pos), len(technician))
    evidence = f"{len(pos)} and {len(technician)} characters"
    return TOKENS.broken(f"{evidence}: can be guessed") if short < SHORTEST else TOKENS.ok(evidence)
