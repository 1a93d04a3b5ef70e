"""Redemptions under floor limits: what is at risk now, and whether one more may be promised."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from offline_queue.entry import Entry
from offline_queue.wire_accounts import Balance
from terminal.pos import Refusal
from terminal.promises.floor_limits import Facts, Limits, floor_refusal, is_drawn, unconfirmed
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

    def refusal(self, draft: Entry, limits: Limits, in_hand: int) -> Refusal | None:
        """None where the redemption may be promised without the ledger. Rights to points of the card are `in_hand`."""
        number = draft.card.number if draft.card else ""
        return floor_refusal(self._facts(number, draft.points, in_hand), limits)

    def uncovered(self, draft: Entry, after: Balance | None) -> Refusal | None:
        """None where a right that was granted to `draft` leaves points for what was promised without one.

        `after` is the ledger's balance with that right in it. It may count the promises already, for decisions come
        later: then it is refused for a moment, and never promised twice.
        """
        number = draft.card.number if draft.card else ""
        promised = self._promised(number)
        if not promised or (after is not None and after.points - after.reserved >= promised):
            return None
        return unconfirmed(number, promised)

    def take_off(self, entry: Entry) -> None:
        self._flying[entry.key] = entry

    def landed(self, key: str) -> None:
        """Durable and counted by the journal's sums, or refused."""
        self._flying.pop(key, None)

    def ledger_heard(self) -> None:
        """Whoever was drawn for an online check can have it now; the next time chance decides anew."""
        self._drawn.clear()

    def _facts(self, number: str, points: int, in_hand: int) -> Facts:
        view, unsettled = self._balances.view(number), self._balances.unsettled
        sure = self._balances.sure(number, self._flying_of(number))
        return Facts(
            card=number,
            points=points,
            balance=None if sure is None else sure - in_hand,
            age_h=self._age_h(view.as_of) if view and view.as_of else None,
            of_card=self._promised(number),
            total=unsettled.total + sum(entry.points for entry in self._flying.values()),
            count=unsettled.count + len(self._flying),
            drawn=self._draw(number),
        )

    def _promised(self, number: str) -> int:
        """Points of the card that were promised without a right and are not decided yet."""
        return self._balances.unsettled.of(number) + sum(entry.points for entry in self._flying_of(number))

    def _flying_of(self, number: str) -> list[Entry]:
        return [entry for entry in self._flying.values() if entry.card and entry.card.number == number]

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
