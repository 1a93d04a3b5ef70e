"""Addresses that carry a card number: GS1 Digital Links and links of the programme's own. Pure.

An address says nothing of who wrote it, and any article carries a GS1 Digital Link nowadays. So only configured
hosts and beginnings are believed.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from terminal.cards.check_digits import ean

LONGEST: Final = 1024
MEMBER: Final = "8018"
"""GS1's application identifier of a service relationship number of its recipient, GSRN: a member (GS1 General
Specifications section 3.9.12). 18 digits, the last one a check digit."""

_LINK = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_GSRN = re.compile(r"[0-9]{18}\Z", re.ASCII)


@dataclass(frozen=True)
class LinkRule:
    """`hosts` are those of GS1 Digital Links, lower case; the number follows one of the `beginnings` of other links."""

    hosts: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()


def is_link(text: str) -> bool:
    return _LINK.match(text) is not None


def number_in(rule: LinkRule, text: str) -> str | None:
    """The card number that a link of ours carries; None for every other link."""
    if len(text) > LONGEST:
        return None
    for beginning in rule.beginnings:
        if text.startswith(beginning):
            return re.split(r"[?#]", text[len(beginning) :], maxsplit=1)[0].rstrip("/") or None
    try:
        address = urlsplit(text)
        at_host = address.hostname in rule.hosts and address.port is None
    except ValueError:
        return None
    if not at_host or "@" in address.netloc or address.scheme.lower() not in ("http", "https"):
        return None
    return _member(address.path.split("/"))


def _member(path: list[str]) -> str | None:
    """The GSRN behind its application identifier (GS1 Digital Link: URI Syntax section 4)."""
    for key, value in pairwise(path):
        if key == MEMBER:
            return value if _GSRN.match(value) and ean(value) else None
    return None
