"""What the cards of an account redeem without an allowance on a business day, where the retailer limits that."""

from ledger.facts.case import Case, Decision
from ledger.sheet.source import Known, Source
from offline_queue.entry import Entry, Kind

Day = tuple[int, str]
"""An account and a business day as tills name it."""


class OfflineDays:
    """Belongs to one sheet; keeps no count while there is no limit."""

    def __init__(self, source: Source, *, limited: bool) -> None:
        self._limited = limited
        self._redeemed = Known(source.offline_days)

    @property
    def changed(self) -> dict[Day, int]:
        return self._redeemed.changed

    def before(self, account: int | None, entry: Entry) -> int:
        """Points redeemed so on that day before this entry, over the account's cards."""
        if account is None or not self._counts(entry):
            return 0
        return self._redeemed.get((account, entry.business_day)) or 0

    def note(self, case: Case, decision: Decision, account: int) -> None:
        if decision.stands and self._counts(case.entry):
            redeemed = self.before(account, case.entry) + case.entry.points
            self._redeemed.put((account, case.entry.business_day), redeemed)

    def _counts(self, entry: Entry) -> bool:
        return self._limited and entry.kind is Kind.REDEEM and entry.allowance is None
