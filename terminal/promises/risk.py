"""Redemptions under floor limits: what is at risk now, and whether one more may be promised."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from offline_queue.entry import Entry
from terminal.pos import Refusal
from terminal.promises.floor_limits import Facts, Limits, floor_refusal, is_drawn
from terminal.sales.balances import Balances

HOUR_MS: Final = 3_600_000


class Risk:
    """Used by the till's thread alone. `chance` draws from [0, 1); `ledger_ms` is now by the ledger's clock.

    An entry counts from the moment it is handed to the journal; afterwards the journal's own sums hold it.
    """

    def __init__(
        self,
        limits: Limits | None,
        one_in: int,
        balances: Balances,
        *,
        chance: Callable[[], float],
        ledger_ms: Callable[[], int],
    ) -> None:
        self.limits, self._one_in, self._balances = limits, one_in, balances
        """None where this shop takes no risk at all."""
        self._chance, self._ledger_ms = chance, ledger_ms
        self._flying: dict[str, Entry] = {}
        self._drawn: dict[str, bool] = {}

    def refusal(self, draft: Entry, limits: Limits) -> Refusal | None:
        """None where the redemption may be promised without the ledger."""
        number = draft.card.number if draft.card else ""
        return floor_refusal(self._facts(number, draft.points), limits)

    def take_off(self, entry: Entry) -> None:
        self._flying[entry.key] = entry

    def landed(self, key: str) -> None:
        """Durable and counted by the journal's sums, or refused."""
        self._flying.pop(key, None)

    def ledger_heard(self) -> None:
        """Whoever was drawn for an online check can have it now; the next time chance decides anew."""
        self._drawn.clear()

    def _facts(self, number: str, points: int) -> Facts:
        flying = sum(entry.points for entry in self._flying.values() if entry.card and entry.card.number == number)
        view, unsettled = self._balances.view(number, -flying), self._balances.unsettled
        return Facts(
            card=number,
            points=points,
            balance=view.points if view else None,
            age_h=self._age_h(view.as_of) if view and view.as_of else None,
            of_card=unsettled.of(number) + flying,
            total=unsettled.total + sum(entry.points for entry in self._flying.values()),
            count=unsettled.count + len(self._flying),
            drawn=self._draw(number),
        )

    def _draw(self, number: str) -> bool:
        """Once for each card and outage, so that trying again does not help."""
        if number not in self._drawn:
            self._drawn[number] = is_drawn(self._chance(), self._one_in)
        return self._drawn[number]

    def _age_h(self, as_of: str) -> float | None:
        try:
            said_ms = datetime.fromisoformat(as_of).timestamp() * 1000
        except ValueError:
            return None
        return (self._ledger_ms() - said_ms) / HOUR_MS
