"""Whether the ledger can be reached, trusts this till and is itself, and whose fault it is where not."""

import http.client
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Final

from offline_queue.ledger_answers import LedgerError, LedgerProtocolError, LedgerRefused
from offline_queue.ledger_client import HttpLedger, is_loopback
from offline_queue.terminal_key import KeyUnusable, load_key
from offline_queue.wire import ProblemCode
from terminal.api.shapes import LedgerView
from terminal.doctor import line
from terminal.doctor.findings import Check, Finding, Verdict, Who
from terminal.doctor.line import Address, Certificate, Heard
from terminal.doctor.patient import Patient

RECENT: Final = Check(
    "ledger.recent",
    "The last pass to the ledger succeeded",
    "tilld doctor --level external --section ledger",
    Who.TECHNICIAN,
)
NAME: Final = Check("ledger.name", "The ledger's name is known (DNS)", "resolvectl query HOST", Who.TECHNICIAN)
PORT: Final = Check(
    "ledger.port",
    "The ledger takes connections",
    "nc -vz HOST PORT; look at cable, router and firewall",
    Who.TECHNICIAN,
)
PRIVATE: Final = Check(
    "ledger.private", "Nobody on the way can read card numbers", 'Set [ledger] url = "https://..."', Who.TECHNICIAN
)
TRUST: Final = Check(
    "ledger.trust",
    "The ledger's certificate is trusted",
    "Set the till's clock if it is wrong, and [ledger] ca_file if the ledger has an authority of its own",
    Who.LEDGER_OFFICE,
)
EXPIRY: Final = Check(
    "ledger.certificate",
    "The ledger's certificate is good for weeks",
    "Have the certificate renewed",
    Who.LEDGER_OFFICE,
)
ANSWERS: Final = Check(
    "ledger.answers",
    "What answers is a ledger, no portal and no proxy",
    "Log in to the network's portal in a browser, or have HOST let through",
    Who.TECHNICIAN,
)
SIGNATURE: Final = Check(
    "ledger.signature",
    "The ledger knows this till and its key",
    "tilld enroll; give its line to the ledger office",
    Who.LEDGER_OFFICE,
)
SKEW: Final = Check(
    "ledger.skew",
    "The till's clock and the ledger's agree",
    "sudo timedatectl set-ntp true",
    Who.ROOT,
)
CHECKS: Final = (RECENT, NAME, PORT, PRIVATE, TRUST, EXPIRY, ANSWERS, SIGNATURE, SKEW)

SOON_DAYS: Final = 14
SKEW_S, WRONG_S = 60.0, 3600.0
"""Sales carry the till's time; an hour's error puts those about midnight on another day."""
_OURS: Final = (ProblemCode.TERMINAL_UNKNOWN, ProblemCode.SIGNATURE_BAD, ProblemCode.KEY_MISMATCH)


def look(patient: Patient) -> Iterator[Finding]:
    address, config = Address.of(patient.config.ledger.url), patient.config.ledger
    yield private(address)
    yield recent(patient.held.status.ledger) if patient.held else RECENT.unknown("only the running till can tell")
    if not patient.external:
        return
    for step in (_named, _reached, lambda each: _secured(each, config.ca_file)):
        finding, *more = step(address)
        yield from (finding, *more)
        if finding.verdict is Verdict.BROKEN:
            return
    yield from _answered(patient, address)


def private(address: Address) -> Finding:
    """Pure."""
    if address.tls or is_loopback(address.host):
        return PRIVATE.ok("https" if address.tls else f"{address.host} is this machine")
    return PRIVATE.attention(f"http:// to {address.host}")


def recent(ledger: LedgerView) -> Finding:
    """Pure."""
    evidence = f"{ledger.detail or ''} last success {ledger.last_success or 'never'}".strip()
    return RECENT.ok(evidence) if ledger.reachable else RECENT.attention(evidence)


def _named(address: Address) -> list[Finding]:
    try:
        return [NAME.ok(", ".join(line.addresses(address)), address.host)]
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that no name can have
        why = f"{address.host}: {error}; sales go on without the ledger"
        return [NAME.broken(why, address.host, remedy=f"resolvectl query {address.host}; ping -c 1 9.9.9.9")]


def _reached(address: Address) -> list[Finding]:
    subject = f"{address.host}:{address.port}"
    try:
        return [PORT.ok(f"in {line.connected(address):.0f} ms", subject)]
    except OSError as error:
        return [PORT.broken(error.strerror or str(error), subject, remedy=f"nc -vz {address.host} {address.port}")]


def _secured(address: Address, ca_file: str) -> list[Finding]:
    if not address.tls:
        return [TRUST.ok("plain http has no certificate")]
    try:
        shown = line.certificate(address, ca_file)
    except (OSError, ValueError) as error:
        return [TRUST.broken(f"no TLS there: {error}")]
    return [trust(shown), expiry(shown, line.now())]


def trust(shown: Certificate) -> Finding:
    """Pure."""
    evidence = f"issued by {shown.issuer}, good until {shown.not_after:%Y-%m-%d}"
    return TRUST.ok(evidence) if shown.trouble is None else TRUST.broken(f"{shown.trouble}; {evidence}")


def expiry(shown: Certificate, now: datetime) -> Finding:
    """Pure."""
    days = (shown.not_after - now).total_seconds() / 86_400
    evidence = f"until {shown.not_after:%Y-%m-%d %H:%M} UTC, {days:.0f} days"
    if days < 0:
        return EXPIRY.broken(evidence)
    return EXPIRY.attention(evidence) if days < SOON_DAYS else EXPIRY.ok(evidence)


def _answered(patient: Patient, address: Address) -> Iterator[Finding]:
    try:
        found = line.heard(address, patient.config.ledger.ca_file)
    except (OSError, http.client.HTTPException) as error:
        yield ANSWERS.broken(f"{type(error).__name__}: {error}")
        return
    yield from signed(lambda: _ask(patient), found)
    yield skew(found)


def _ask(patient: Patient) -> None:
    """A signed question that changes nothing. Raises LedgerError, KeyUnusable, OSError."""
    place = patient.config.ledger
    key = load_key(patient.state / "terminal.key")
    ledger = HttpLedger(
        *(place.url, patient.config.terminal.id, key),
        connect_s=line.STEP_S,
        answer_s=line.STEP_S,
        allow_plain_http=place.plain_http,
        ca_file=place.ca_file or None,
    )
    with closing(ledger):
        ledger.changes(secrets.token_hex(8), 0, 1)


def signed(ask: Callable[[], None], found: Heard) -> Iterator[Finding]:
    """What the answer to a signed question means; `found` is the answer to an unsigned one."""
    try:
        ask()
    except (KeyUnusable, OSError) as error:
        yield ANSWERS.unknown("no signed question could be asked")
        yield SIGNATURE.unknown(f"{error}")
    except LedgerProtocolError as error:
        yield ANSWERS.broken(f"{error}; unsigned: HTTP {found.status}, {found.content_type or 'no content type'}")
    except LedgerRefused as refusal:
        yield ANSWERS.ok("a ledger")
        known = refusal.problem.code not in _OURS
        evidence = f"{refusal.problem.code}: {refusal}"
        yield SIGNATURE.ok(evidence) if known else SIGNATURE.broken(evidence)
    except LedgerError as error:
        yield ANSWERS.attention(f"{error}", remedy="wait: the till tries again by itself", who=Who.LEDGER_OFFICE)
    else:
        yield ANSWERS.ok("a ledger")
        yield SIGNATURE.ok("a signed question was answered")


def skew(found: Heard) -> Finding:
    """Pure. Date headers count whole seconds, and the answer has been on its way."""
    if found.date is None:
        return SKEW.unknown("the answer carries no date")
    seconds = (found.at - found.date).total_seconds()
    evidence = f"the till's clock is {seconds:+.0f} s from the ledger's"
    if abs(seconds) > WRONG_S:
        return SKEW.broken(evidence)
    return SKEW.attention(evidence) if abs(seconds) > SKEW_S else SKEW.ok(evidence)
