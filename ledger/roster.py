"""The terminals that a batch meets: who is enrolled, whose key was revoked, and who breaks its allowances."""

from collections.abc import Iterable

import msgspec

from ledger.facts import Case, Code, Decision, Enrolled
from ledger.source import Known, Source


class Roster:
    """Belongs to one sheet. After `most` breaches a key is revoked; 0: never."""

    def __init__(self, source: Source, most: int) -> None:
        self._most = most
        self._terminals = Known(source.enrolled)

    @property
    def changed(self) -> dict[str, Enrolled]:
        return self._terminals.changed

    def warm(self, names: Iterable[str]) -> None:
        self._terminals.warm(names)

    def knows(self, name: str) -> bool:
        return self._terminals.get(name) is not None

    def revoked(self, name: str) -> bool:
        found = self._terminals.get(name)
        return found is not None and found.revoked

    def note(self, case: Case, decision: Decision) -> bool:
        """Counts a breach; True when it is the one that costs the terminal its key."""
        found = self._terminals.get(case.sender)
        if found is None or found.revoked or not is_breach(case, decision):
            return False
        more = msgspec.structs.replace(found, breaches=found.breaches + 1, more=found.more + 1)
        falls = 0 < self._most <= more.breaches
        self._terminals.put(case.sender, msgspec.structs.replace(more, revoked=falls))
        return falls


def is_breach(case: Case, decision: Decision) -> bool:
    """Whether a till broke its word. A copied disk explains it, and so do books that forgot what they had promised."""
    if case.right is None or case.branch is not None:
        return False
    return not {Code.ALLOWANCE_EXCEEDED, Code.ALLOWANCE_VOID}.isdisjoint(decision.codes)
