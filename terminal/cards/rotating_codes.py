"""Codes that change every few seconds, checked without a network: a picture of one is worth nothing soon.

Two kinds. *Rotating bar codes* as Google Wallet makes them (RotatingBarcode, TOTP_SHA1): a pattern with the time-based
password of RFC 6238, from a key per card. *Signed codes* of our own: the issuer's Ed25519 signature (RFC 8032) over
number, time and lifetime, so that a till that is stolen holds no secret. Pure: the clock is an argument.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Final

NUMBER: Final = "{number}"
PASSWORD: Final = "{totp_value_0}"  # noqa: S105 - a placeholder's name
SECONDS: Final = "{totp_timestamp_seconds}"
MILLISECONDS: Final = "{totp_timestamp_millis}"
"""Placeholders of a pattern: Google's, and the card's number."""

LONGEST: Final = 256
LONGEST_LIFE_S: Final = 600
"""A signed code that lives longer is no short-lived code, whatever its issuer says."""

_CARD_KEY: Final = 20
"""Bytes of a card's key: HMAC-SHA-1's own length (RFC 4226 section 4 asks for at least 16)."""
_SIGNED = re.compile(r"(tilld1\.([0-9A-Za-z-]{1,64})\.([0-9]{10,16})\.([0-9]{1,4}))\.([A-Za-z0-9_-]{86})\Z", re.ASCII)


@dataclass(frozen=True)
class RotatingRule:
    """`pattern` holds NUMBER and PASSWORD once each, and SECONDS or MILLISECONDS at most once."""

    pattern: str
    master: bytes = field(repr=False)
    period_s: int = 30
    digits: int = 8
    tolerance_s: int = 60


@dataclass(frozen=True)
class SignedRule:
    """`issuers` are Ed25519 public keys of 32 bytes: the current one and those that are being replaced."""

    issuers: tuple[bytes, ...]
    tolerance_s: int = 60


@dataclass(frozen=True)
class Code:
    """What a code of the right form says. `moment` grows with each code of the card; None: it is not valid now."""

    number: str
    moment: int | None


def card_key(master: bytes, number: str) -> bytes:
    """The key of one card's pass, made from the programme's: HMAC-SHA-256 of the number, the first 20 bytes."""
    return hmac.digest(master, number.encode(), hashlib.sha256)[:_CARD_KEY]


def password(key: bytes, step: int, digits: int) -> str:
    """RFC 6238 with HMAC-SHA-1: the password of a time step, `digits` decimal digits."""
    mac = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    at = mac[-1] & 0x0F
    value = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return str(value % 10**digits).zfill(digits)


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a pattern, None when it can be used."""
    if pattern.count(NUMBER) != 1 or pattern.count(PASSWORD) != 1:
        return f"must hold {NUMBER} and {PASSWORD} once each."
    if pattern.count(SECONDS) + pattern.count(MILLISECONDS) > 1:
        return f"must hold {SECONDS} or {MILLISECONDS} at most once."
    rest = pattern
    for placeholder in (NUMBER, PASSWORD, SECONDS, MILLISECONDS):
        rest = rest.replace(placeholder, "")
    if "{" in rest or "}" in rest or re.search(r"\}\{", pattern):
        return "must have a character between two placeholders, and no other braces."
    return None


def rotating(rule: RotatingRule, text: str, now_ms: int) -> Code | None:
    """None for a text that is not of the pattern."""
    found = _form(rule).fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    shown = found.groupdict()
    said_s = int(shown["seconds"]) if shown.get("seconds") else None
    if shown.get("millis"):
        said_s = int(shown["millis"]) // 1000
    steps = _steps(rule, now_ms // 1000, said_s)
    key = card_key(rule.master, shown["number"])
    # Every candidate is compared, and each in constant time: how long it takes tells nothing of how near one was.
    right = [step for step in steps if hmac.compare_digest(password(key, step, rule.digits), shown["password"])]
    return Code(shown["number"], max(right, default=None))


def signed(rule: SignedRule, text: str, now_ms: int) -> Code | None:
    """None for a text that is no signed code."""
    found = _SIGNED.match(text)
    if found is None:
        return None
    message, number, issued_ms, life_s, signature = found.groups()
    start, life = int(issued_ms), min(int(life_s), LONGEST_LIFE_S)
    tolerance_ms = rule.tolerance_s * 1000
    in_time = start - tolerance_ms <= now_ms <= start + life * 1000 + tolerance_ms
    right = _verified(rule.issuers, urlsafe_b64decode(signature + "=="), message.encode())
    return Code(number, start if in_time and right else None)


def _form(rule: RotatingRule) -> re.Pattern[str]:
    form = re.escape(rule.pattern)
    for placeholder, group in (
        (NUMBER, r"(?P<number>[0-9A-Za-z-]{1,64})"),
        (PASSWORD, rf"(?P<password>[0-9]{{{rule.digits}}})"),
        (SECONDS, r"(?P<seconds>[0-9]{9,11})"),
        (MILLISECONDS, r"(?P<millis>[0-9]{12,14})"),
    ):
        form = form.replace(re.escape(placeholder), group)
    return re.compile(form, re.ASCII)


def _steps(rule: RotatingRule, now_s: int, said_s: int | None) -> range:
    """The time steps whose password is taken now; the code's own time narrows them to one."""
    first, last = (now_s - rule.tolerance_s) // rule.period_s, (now_s + rule.tolerance_s) // rule.period_s
    first = max(first, 0)
    if said_s is None:
        return range(first, last + 1)
    said = said_s // rule.period_s
    return range(said, said + 1) if first <= said <= last else range(0)


def _verified(issuers: tuple[bytes, ...], signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    for issuer in issuers:
        try:
            Ed25519PublicKey.from_public_bytes(issuer).verify(signature, message)
        except InvalidSignature:
            continue
        return True
    return False
