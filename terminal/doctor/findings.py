"""What an examination says: findings with a verdict, evidence and a remedy, gathered in sections. Pure."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec


class Verdict(StrEnum):
    """`unknown` is what could not be seen; it is no fault and no comfort."""

    OK = "ok"
    UNKNOWN = "unknown"
    ATTENTION = "attention"
    BROKEN = "broken"


GRAVITY: Final = (Verdict.OK, Verdict.UNKNOWN, Verdict.ATTENTION, Verdict.BROKEN)


class Who(StrEnum):
    """Who can do what mends it; `root` is a technician with sudo."""

    CASHIER = "cashier"
    TECHNICIAN = "technician"
    ROOT = "root"
    LEDGER_OFFICE = "ledger office"


class Level(StrEnum):
    """How far an examination goes (UnifiedPOS, CheckHealth).

    `internal` touches neither hardware nor network; `external` opens readers, asks the ledger and writes to the disk;
    `interactive` asks a person to present a card.
    """

    INTERNAL = "internal"
    EXTERNAL = "external"
    INTERACTIVE = "interactive"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `what` says how it should be, `evidence` how it is.

    `code` is stable and begins with its section, but for a section that could not be examined. `subject` names the
    reader, file or device where there are several. Who and remedy are None where nothing has to be mended.
    """

    section: str
    code: str
    what: str
    verdict: Verdict
    evidence: str
    subject: str = ""
    remedy: str | None = None
    who: Who | None = None


class Section(msgspec.Struct, frozen=True):
    """Findings about one part of the till or its machine; `verdict` is the worst of them."""

    name: str
    verdict: Verdict
    took_ms: int
    findings: tuple[Finding, ...]


class Diagnosis(msgspec.Struct, frozen=True):
    """A whole examination. `made_at` is RFC 3339 by the till's clock; `running`: a till answered.

    `complete` comes last: what ends without it was cut off.
    """

    terminal: str
    version: str
    level: Level
    made_at: str
    running: bool
    verdict: Verdict
    sections: tuple[Section, ...]
    complete: bool = True


class Check(NamedTuple):
    """A thing to look at, as docs/doctor.md lists it: how it should be, and what mends it, a command where one does."""

    code: str
    what: str
    remedy: str
    who: Who

    def ok(self, evidence: str, subject: str = "") -> Finding:
        return Finding(self.section, self.code, self.what, Verdict.OK, evidence, subject)

    def unknown(self, evidence: str, subject: str = "") -> Finding:
        return Finding(self.section, self.code, self.what, Verdict.UNKNOWN, evidence, subject)

    def attention(
        self, evidence: str, subject: str = "", *, remedy: str | None = None, who: Who | None = None
    ) -> Finding:
        return self._fault(Verdict.ATTENTION, evidence, subject, remedy, who)

    def broken(self, evidence: str, subject: str = "", *, remedy: str | None = None, who: Who | None = None) -> Finding:
        return self._fault(Verdict.BROKEN, evidence, subject, remedy, who)

    def judged(
        self, verdict: Verdict, evidence: str, subject: str = "", *, remedy: str | None = None, who: Who | None = None
    ) -> Finding:
        """Whatever the verdict; remedy and who count for a fault alone."""
        if verdict in {Verdict.OK, Verdict.UNKNOWN}:
            return Finding(self.section, self.code, self.what, verdict, evidence, subject)
        return self._fault(verdict, evidence, subject, remedy, who)

    @property
    def section(self) -> str:
        return self.code.partition(".")[0]

    def _fault(self, verdict: Verdict, evidence: str, subject: str, remedy: str | None, who: Who | None) -> Finding:
        mends = self.remedy if remedy is None else remedy
        return Finding(self.section, self.code, self.what, verdict, evidence, subject, mends, who or self.who)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """OK of none."""
    return max(verdicts, key=GRAVITY.index, default=Verdict.OK)


def section_of(name: str, took_ms: int, findings: Iterable[Finding]) -> Section:
    found = tuple(findings)
    return Section(name, worst(finding.verdict for finding in found), took_ms, found)


def merged(theirs: Section, ours: Section) -> Section:
    """`theirs`, with what they could not see as we saw it, and what only we have looked at.

    What the running till sees counts, for it is its user and its sandbox that must reach a reader.
    """
    seen = {(finding.code, finding.subject): finding for finding in ours.findings}
    filled = [
        seen.get((finding.code, finding.subject), finding) if finding.verdict is Verdict.UNKNOWN else finding
        for finding in theirs.findings
    ]
    known = {(finding.code, finding.subject) for finding in theirs.findings}
    more = [finding for finding in ours.findings if (finding.code, finding.subject) not in known]
    return section_of(theirs.name, theirs.took_ms + ours.took_ms, [*filled, *more])
