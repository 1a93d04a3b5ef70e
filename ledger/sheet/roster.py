"""The terminals that a batch meets: who is enrolled, whose key was revoked, and who breaks its allowances."""

from collections.abc import Iterable, Sequence

import msgspec

from ledger.facts.case import Case, Decision, Enrolled
from ledger.facts.codes import Code
from ledger.sheet.source import Known, Source


class Roster:
    """Belongs to one sheet. After `most` breaches a key is revoked; 0: never."""

    def __init__(self, source: Source, most: int) -> None:
        self._source, self._most = source, most
        self._terminals = Known(self._enrolled)
        self._known: set[str] = set()
        self.revoked: set[str] = set()
        """Of the terminals that were asked for, those whose key counts no more."""

    @property
    def changed(self) -> dict[str, Enrolled]:
        return self._terminals.changed

    def warm(self, names: Iterable[str]) -> None:
        self._terminals.warm(names)

    def knows(self, name: str) -> bool:
        return name in self._known or self._terminals.get(name) is not None

    def note(self, case: Case, decision: Decision) -> None:
        """Counts a breach; one too many costs the terminal its key."""
        found = self._terminals.get(case.sender) if is_breach(case, decision) else None
        if found is None or found.revoked:
            return
        more = msgspec.structs.replace(found, breaches=found.breaches + 1, more=found.more + 1)
        falls = 0 < self._most <= more.breaches
        self._terminals.put(case.sender, msgspec.structs.replace(more, revoked=falls))
        if falls:
            self.revoked.add(case.sender)

    def _enrolled(self, names: Sequence[str]) -> dict[str, Enrolled]:
        found = self._source.enrolled(names)
        self._known |= found.keys()
        self.revoked |= {name for name, terminal in found.items() if terminal.revoked}
        return found


def is_breach(case: Case, decision: Decision) -> bool:
    """Whether a till broke its word. A copied disk explains it, and so do books that forgot what they had promised."""
    if case.right is None or case.branch is not None:
        return False
    return Code.ALLOWANCE_EXCEEDED in decision.codes or Code.ALLOWANCE_VOID in decision.codes
