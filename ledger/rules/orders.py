"""What a till's technician is told of the ledger's findings, without I/O: what happened, what it means, what to do."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from ledger.facts.codes import Code
from ledger.rules.instants import length
from offline_queue.timepiece import rfc3339
from offline_queue.wire import Order, OrderCode

CLOCK_OFF_MS: Final = 300_000
"""Further apart than this, a till's clock is wrong; a clock that is never set drifts less in a year."""

SAFE: Final = "What has reached the ledger is safe and counts once"
LOOKED_AT: Final = "Then tell head office: tilld ledger terminals acknowledge {terminal}"


class Suspect(msgspec.Struct, frozen=True):
    """A flagged stream, and the `parent` record (stream, seq) that it follows; `opened_at` in ms since 1970."""

    stream: str
    flag: Code
    parent: str | None
    parent_seq: int | None
    opened_at: int | None


class Findings(msgspec.Struct, frozen=True):
    """What is held against a terminal; `lost_at` when its journal began anew, in ms since 1970, and what `records` of
    it are held."""

    terminal: str
    suspects: Sequence[Suspect] = ()
    lost_at: int | None = None
    records: int = 0
    revoked: bool = False


def orders(findings: Findings, told: str, now: int) -> list[Order]:
    """`told` is the till's own clock (RFC 3339), `now` the ledger's in ms since 1970."""
    return [*_branches(findings), *_lost(findings), *_clock(told, now), *_revoked(findings)]


def _branches(findings: Findings) -> Iterator[Order]:
    """One for each kind of finding, about the newest stream that shows it."""
    newest = {suspect.flag: suspect for suspect in findings.suspects}
    after = LOOKED_AT.format(terminal=findings.terminal)
    if suspect := newest.get(Code.RESTORED):
        yield Order(
            OrderCode.RESTORED,
            f"This till came back from an older copy of its disk ({_place(suspect)}). {SAFE}. Sales that were"
            " made after that copy and not sent are only in a mirror or on the customers' claim codes. Points cannot be"
            f" redeemed here until tilld is started again: systemctl restart tilld. {after}",
        )
    if suspect := newest.get(Code.FORK):
        yield Order(
            OrderCode.FORK,
            f"Two machines work as {findings.terminal}, one with a copy of the other's disk ({_place(suspect)})."
            f" {SAFE}, and points cannot be redeemed there. Stop one of them; if both are to go on, give one another"
            " name: set id in [terminal], move its state folder away and enrol it. Then start tilld again on the"
            f" other. {after}",
        )


def _place(suspect: Suspect) -> str:
    when = f", opened {rfc3339(suspect.opened_at)}" if suspect.opened_at is not None else ""
    behind = f" follows record {suspect.parent_seq} of {suspect.parent[:8]}" if suspect.parent else " is held twice"
    return f"stream {suspect.stream[:8]}{when},{behind}"


def _lost(findings: Findings) -> Iterator[Order]:
    if findings.lost_at is not None:
        yield Order(
            OrderCode.JOURNAL_LOST,
            f"This till's journal was begun anew ({rfc3339(findings.lost_at)}), and the old one is gone. {SAFE}:"
            f" {findings.records} records of this till. Sales that the old journal had not sent are not known here: a"
            " mirror or the customers' claim codes bring them. If the old file is still somewhere, put it back."
            f" {LOOKED_AT.format(terminal=findings.terminal)}",
        )


def _clock(told: str, now: int) -> Iterator[Order]:
    if off := _off(told, now):
        yield Order(
            OrderCode.CLOCK_OFF,
            f"This till's clock {off}; the ledger's says {rfc3339(now)}. {SAFE}, and points are dated by the ledger."
            " Receipts show the wrong time: set it (timedatectl set-ntp true).",
        )


def _off(told: str, now: int) -> str | None:
    """How the clock differs, None where it is right enough; a time without a zone is UTC."""
    try:
        wall = datetime.fromisoformat(told)
    except ValueError:
        return f"says {told[:40]!r}"
    ahead = round(wall.replace(tzinfo=wall.tzinfo or UTC).timestamp() * 1000) - now
    return f"is {length(abs(ahead))} {'fast' if ahead > 0 else 'slow'}" if abs(ahead) > CLOCK_OFF_MS else None


def _revoked(findings: Findings) -> Iterator[Order]:
    if findings.revoked:
        yield Order(
            OrderCode.KEY_REVOKED,
            "This till's key was revoked: the ledger keeps what it sends, and nothing of it counts. Ask head office"
            " why. For a new key move terminal.key out of the state folder, start tilld again, and enrol the key that"
            f" it then shows: tilld ledger enroll --replace {findings.terminal} PUBLIC_KEY",
        )
