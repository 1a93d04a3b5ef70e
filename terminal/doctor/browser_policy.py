"""The policy that lets the POS's web page ask the till without a question to the cashier.

Chrome asks before a page from elsewhere reaches 127.0.0.1 (Local Network Access, since Chrome 142). An administrator
answers beforehand: `LoopbackNetworkAllowedForUrls` from Chrome and Edge 146 on, `LocalNetworkAccessAllowedForUrls`
from 139 (Edge 140) on; both are read, the first goes before. Sources: chromeenterprise.google/policies,
learn.microsoft.com/deployedge/microsoft-edge-browser-policies/loopbacknetworkallowedforurls, and
wicg.github.io/local-network-access. Pure.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

FILE: Final = "policies/managed/tilld.json"
FOLDERS: Final = ("/etc/opt/chrome", "/etc/chromium", "/etc/opt/edge")
"""Of Chrome, Debian's Chromium and Edge on Linux."""
POLICIES: Final = ("LoopbackNetworkAllowedForUrls", "LocalNetworkAccessAllowedForUrls")

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")


def is_origin(text: str) -> bool:
    """Scheme, host and perhaps a port, as RFC 6454 writes it; no pattern, so that no other page is let in."""
    return _ORIGIN.fullmatch(text) is not None


def document(origins: Sequence[str]) -> str:
    """The file's content for these origins. Raises ValueError for what is none."""
    strange = [origin for origin in origins if not is_origin(origin)]
    if strange:
        raise ValueError(f"{strange[0]!r} is no origin; write it like https://pos.example.com")
    return json.dumps({policy: list(origins) for policy in POLICIES}, indent=2)
