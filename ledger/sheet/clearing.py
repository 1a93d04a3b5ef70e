"""Takes expired points off a sheet's accounts, and puts them back for what comes late: each an entry of the office."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.facts.case import Case, Decision
from ledger.facts.codes import Code
from ledger.points.lots import Lot
from ledger.points.programme import Programme
from ledger.rules.write_offs import WriteOff, cutoff, entry_of, overdue, put_back, written_off
from ledger.sheet.source import Posting, Ruling, Source
from offline_queue.entry import Entry, State, encode

if TYPE_CHECKING:
    from ledger.sheet.sheet import Sheet


class Clearing:
    """Works on one sheet; `now` in ms since 1970."""

    def __init__(self, sheet: "Sheet", source: Source, programme: Programme, now: int) -> None:
        self._sheet, self._source, self._programme, self._now = sheet, source, programme, now

    def write_off(self, accounts: Sequence[int]) -> list[WriteOff]:
        """What had expired long enough ago leaves these accounts."""
        self._sheet.accounts.warm(accounts)
        before, done = cutoff(self._now, self._programme.write_off_after_days), list[WriteOff]()
        for number in accounts:
            standing = self._sheet.accounts.standing(number)
            account, shelf = standing.account, self._sheet.shelving.shelf(standing.account)
            found = overdue(list(shelf.lots.values()), before, standing.reserved)
            makers = self._source.makers(account, [lot.record for lot, _ in found])
            gone = written_off(account, found, makers, self._programme.zone)
            self._post(gone)
            done += gone
            self._sheet.accounts.put(self._sheet.shelving.measured(self._sheet.accounts.standing(account)))
        return done

    def revive(self, case: Case, effect: int, account: int) -> None:
        """Points come back that an entry may use or takes back, because it was made before they expired."""
        found = self._sheet.shelving.revivals(case, effect, self._sheet.accounts.standing(account))
        self._put_back(account, found, case.entry)

    def revive_corrected(self, entry: Entry, own: int, effect: int, account: int, moment: int) -> None:
        """The same where a correction makes an entry of that moment, in the record `own`, count."""
        if effect < 0:
            standing = self._sheet.accounts.standing(account)
            self._put_back(account, self._sheet.shelving.missing(standing, -effect, moment, own), entry)

    def _put_back(self, account: int, found: Sequence[tuple[Lot, int]], entry: Entry) -> None:
        if found:
            makers = self._source.makers(account, [lot.record for lot, _ in found])
            self._post(put_back(account, found, makers, entry))

    def _post(self, write_offs: Sequence[WriteOff]) -> None:
        for write_off in write_offs:
            account, effect = write_off.account, -write_off.points
            shelf = self._sheet.shelving.shelf(account)
            entry = entry_of(write_off, self._now, self._source.entered())
            item = self._source.enter(encode(entry))
            shelf.write_off(item.record, write_off.record, write_off.points)
            self._sheet.accounts.move(account, balance=effect)
            self._sheet.postings.append(Posting(item.record, entry.id, account, effect, None, Code.POSTED, self._now))
            self._sheet.rulings.append(Ruling(item, Decision(State.POSTED, Code.POSTED, effect, effect)))
