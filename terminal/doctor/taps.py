"""The interactive level: a person presents a card to each reader, and what comes of it is the finding."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from drivers.base import ReaderState
from terminal.commands.client import Reply, ask
from terminal.commands.console import Place
from terminal.doctor.findings import Check, Finding, Section, Who, section_of

READS: Final = Check("taps.reads", "The reader reads a card that is presented to it", "tilld test-card", Who.TECHNICIAN)
CHECKS: Final = (READS,)
WAIT_MS: Final = 20_000
GRACE_S: Final = 15.0
TRIES: Final = 3
"""Cards at other readers that are passed over before a reader counts as not tried."""

Ask = Callable[[], Reply]


def section(place: Place, say: Callable[[str], None]) -> Section:
    """Reader after reader. Raises NotRunning: only a till that runs can read."""
    return section_of("taps", 0, list(findings(place, say)))


def findings(place: Place, say: Callable[[str], None]) -> Iterator[Finding]:
    for reader in ask(place.socket, "GET", "/v1/status").body["readers"]:
        name = str(reader["name"])
        if reader["status"] != ReaderState.READY:
            yield READS.unknown(f"{reader['status']}: nothing to present a card to", name)
            continue
        say(f"present a card to the reader {name} ({WAIT_MS // 1000} s) ...")
        yield presented(name, lambda: _next_card(place))


def _next_card(place: Place) -> Reply:
    time_s = WAIT_MS / 1000 + GRACE_S
    return ask(place.socket, "POST", "/v1/reads", {"timeout_ms": WAIT_MS}, time_s=time_s)


def presented(name: str, next_card: Ask) -> Finding:
    """Cards that other customers present meanwhile, at other readers, are passed over."""
    for _ in range(TRIES):
        found = judged(name, next_card())
        if found is not None:
            return found
    return READS.unknown(f"{TRIES} cards came at other readers; try when the counter is quiet", name)


def judged(name: str, reply: Reply) -> Finding | None:
    """Pure: the answer to POST /v1/reads; None for a card at another reader."""
    told: dict[str, Any] = reply.body if isinstance(reply.body, dict) else {}
    if reply.status == 200:
        if told.get("reader") != name:
            return None
        return READS.ok(f"{told['card']['masked']}, {told['technology']}, {told['entry_mode']}", name)
    if told.get("code") == "no_card":
        return READS.broken("no card was read in time", name)
    if told.get("code") == "busy":
        return READS.unknown("a POS waits for a card itself; try when the counter is quiet", name)
    return READS.attention(f"{told.get('code', reply.status)}: {told.get('detail', '')}", name)
