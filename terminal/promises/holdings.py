"""The rights that this till holds ahead of need: asked for, confirmed after a restart, given back for want of room."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from offline_queue.wire_accounts import Balance
from terminal.promises.allotments import Budget, Held, plan
from terminal.promises.rights import Right, Rights

REMEMBERED: Final = 1000
"""Cards seen lately; more than any budget has rights for."""


class Holdings:
    """Used by the till's thread alone. `ask` asks for a right to points of a card, `release` gives one back."""

    def __init__(
        self,
        rights: Rights,
        budget: Budget | None,
        ask: Callable[[str, int], None],
        release: Callable[[Right], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._rights, self._budget, self._now_ms = rights, budget, now_ms
        self._ask, self._release = ask, release
        self._seen: OrderedDict[str, int] = OrderedDict()

    @property
    def wanted(self) -> bool:
        """Whether this till holds rights ahead of need at all."""
        return self._budget is not None

    def seen(self, number: str) -> None:
        """The card is here: it is among those that rights are held for, and the last to give its own back."""
        self._seen[number] = now = self._now_ms()
        self._seen.move_to_end(number)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        for right in self._rights.ahead_of(number):
            right.seen_ms = now

    def heard(self, balance: Balance) -> None:
        """The ledger's word on a card's points: if it was seen here, and has some to promise, a right is asked for."""
        if self._budget is None or balance.number not in self._seen or balance.status != "active":
            return
        chosen = plan(self._stock(), balance.number, balance.points - balance.reserved, self._budget)
        for name in chosen.give_back:
            self._release(self._rights.by_id[name])
        if chosen.ask:
            self._ask(balance.number, chosen.ask)

    def confirmed(self, words: Mapping[str, bool]) -> None:
        """The ledger's word on rights that were declared: they hold in this start, or are void and go back."""
        for name, holds in words.items():
            right = self._rights.by_id.get(name)
            if right is None or not right.idle:
                continue
            right.valid = holds
            if not holds:
                self._release(right)

    def _stock(self) -> list[Held]:
        held = [right for right in self._rights.by_id.values() if right.ahead]
        return [_as_held(right) for right in held]


def _as_held(right: Right) -> Held:
    wanted = right.allowance
    return Held(wanted.id, wanted.card, wanted.points, right.seen_ms, right.idle and right.valid)
