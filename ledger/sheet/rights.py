"""The allowances of a batch: asked for, used up, given back."""

from collections.abc import Iterable, Sequence

import msgspec

from ledger.facts.case import Case, Item
from ledger.facts.codes import Code
from ledger.facts.rights import Right, RightState
from ledger.rules.confirming import believed, home, unsealed, way
from ledger.rules.rights import MAX_ALLOWANCE_NAME
from ledger.sheet.accounts import Accounts
from ledger.sheet.source import Known, Source
from offline_queue.entry import Entry, Kind


class Rights:
    """Belongs to one sheet. `cap`: points that a till may take along over the end of a stream without a seal."""

    def __init__(self, source: Source, accounts: Accounts, cap: int) -> None:
        self._source, self._accounts, self._cap = source, accounts, cap
        self._known = Known(self._asked)
        self.held: set[str] = set()
        """Those that the books had before this batch."""

    @property
    def changed(self) -> dict[str, Right]:
        return self._known.changed

    def warm(self, names: Iterable[str]) -> None:
        self._known.warm(names)

    def accounts(self) -> list[int | None]:
        """Of all that were asked for."""
        return [right.account for right in map(self._known.get, self._known.asked()) if right]

    def get(self, name: str) -> Right | None:
        return self._known.get(name)

    def at_home(self, name: str) -> Right | None:
        """On the account that it is on now: a promise outlives the merger of its account."""
        right = self._known.get(name)
        if right is None or right.account is None:
            return right
        account = self._accounts.standing(right.account).account
        return right if account == right.account else msgspec.structs.replace(right, account=account)

    def put(self, right: Right) -> None:
        """A new one, or one in another state; what it holds back follows."""
        before = self._known.get(right.id)
        if right.account is not None:
            held = before.holds_back if before else 0
            self._accounts.move(right.account, reserved=right.holds_back - held)
        self._known.put(right.id, right)

    def close(self, case: Case, name: str, state: RightState) -> None:
        """Ends a right; what it held back is free again, or was just used."""
        right = case.right
        if right is None:
            number = case.entry.card.number if case.entry.card else ""
            if len(name) > MAX_ALLOWANCE_NAME:
                return  # no request under such a name is heard either
            right = Right(name, case.sender, "", number, 0, None, state, Code.ALLOWANCE_VOID)
        self.put(msgspec.structs.replace(right, state=state, trusted=case.over or right.trusted))

    def believed(self, item: Item, entry: Entry, right: Right | None) -> tuple[bool, str | None]:
        """Whether a right that is given back cannot be used by anybody else, and the end that is believed for that."""
        if entry.kind is not Kind.RELEASE or right is None or right.terminal != item.sender:
            return True, None
        links = self._source.links(item.sender, item.stream, home(right))
        over = unsealed(links)
        here = sum(other.points for other in self.changed.values() if other.trusted == over)
        spent = self._source.spent(over) + here if over else 0
        return believed(way(links, home(right)), right, spent, self._cap), over

    def _asked(self, ids: Sequence[str]) -> dict[str, Right]:
        found = self._source.rights(ids)
        self.held |= found.keys()
        return found
