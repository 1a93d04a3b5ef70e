"""What everybody who watches the till is told of its transactions: each new state, and each conflict."""

from collections.abc import Callable

from offline_queue.conflicts import RESOLVED, needs_people, sentence
from offline_queue.entry import Entry, Kind, State, masked
from terminal.claims.issue import ClaimIssue
from terminal.pos import CardView, Promise
from terminal.sales.balances import Balances, Decided

Publish = Callable[[str, object], None]
"""Takes the kind of a notice and its data; never waits."""


class Watchers:
    """Used by the till's thread alone."""

    def __init__(self, publish: Publish, balances: Balances, issue: ClaimIssue) -> None:
        self._publish, self._balances, self._issue = publish, balances, issue

    def transaction(self, entry: Entry, state: State, promise: Promise | None = None) -> None:
        """It has a new state; what opens and closes a stream is no transaction."""
        if entry.kind in {Kind.GENESIS, Kind.SEAL}:
            return
        number = entry.card.number if entry.card else None
        effect = self._balances.effect(entry)
        told = {"id": entry.id, "kind": entry.kind, "state": state, "points": entry.points, "effect": effect}
        if promise is not None:
            told["promise"] = promise
        card = CardView(masked(number), number) if number else None
        balance = self._balances.view(number) if number else None
        claimable = card is None and self._issue.has_code(entry)
        self._publish("transaction", {**told, "card": card, "balance": balance, "claimable": claimable})

    def conflict(self, decided: Decided) -> None:
        """Where one has appeared, or is resolved now."""
        verdict = decided.verdict
        if verdict.state is State.RESOLVED:
            words = RESOLVED
        elif needs_people(verdict):
            words = sentence(verdict.code)
        else:
            return
        said = {"state": verdict.state, "sentence": words}
        self._publish("conflict", {"id": decided.entry.id, "code": verdict.code, "detail": verdict.detail, **said})
