"""What is told of accounts at a moment: points that may be used, those that wait, and the next that expire."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

import msgspec

from ledger.facts.cards import Listing
from ledger.points import usable
from ledger.points.lots import Lot
from ledger.points.standing import Standing
from ledger.tables.engine import Tables
from ledger.tables.source import CARDS, LISTING, LOT, STANDING, listings, merged_into
from offline_queue.timepiece import rfc3339
from offline_queue.wire_accounts import Balance, Expiry
from offline_queue.wire_accounts import Lot as ToldLot

TOLD_EXPIRIES: Final = 3
"""So many fit on a receipt; the soonest are the ones that matter."""


class TablesBalances:
    """Reads within the running transaction; `now` in ms since 1970, `zone` the programme's."""

    def __init__(self, tables: Tables, now: int, zone: tzinfo) -> None:
        self._tables, self._now, self._zone = tables, now, zone
        self._told_at = rfc3339(now)

    def told(self, accounts: Mapping[str, int]) -> list[Balance]:
        """The balances of these cards' accounts, in the order of the cards."""
        query = f"SELECT {STANDING} FROM account WHERE no = ANY(?)"  # noqa: S608 - our own columns
        rows = self._tables.many(STANDING, query, sorted(set(accounts.values())))()
        cards = listings(self._tables.many(LISTING, CARDS, list(accounts))())
        standings = {row[0]: Standing(*row) for row in rows}
        dated = [account for account, standing in standings.items() if self._has_dates(standing)]
        lots = self._open_lots(dated)
        return [
            self._told(number, cards[number], standings[account], lots.get(account))
            for number, account in accounts.items()
            if account in standings
        ]

    def held(self, account: int) -> usable.Held:
        """The account's open lots by what may be done with them now."""
        return usable.held(self._open_lots([account]).get(account, []), self._now)

    def lots(self, account: int) -> list[ToldLot]:
        """Those not used up, the oldest first; one below zero is an overdraft."""
        query = """
            SELECT p.entry, l.earned_at, l.points, l.remaining, l.active_at, l.expires_at FROM lot l
            JOIN posting p ON p.account = ANY(?) AND p.record = l.record
            WHERE l.account = ? AND l.remaining <> 0 ORDER BY l.earned_at, l.record"""
        made = [account, *merged_into(self._tables, account)]
        return [
            ToldLot(entry, rfc3339(earned_at), points, remaining, self._moment(active_at), self._moment(expires_at))
            for entry, earned_at, points, remaining, active_at, expires_at in self._tables.rows(query, made, account)
        ]

    def usable_lots(self, account: int) -> list[ToldLot]:
        """Those with points that may be used now or later."""
        now = datetime.fromtimestamp(self._now / 1000, self._zone)
        return [lot for lot in self.lots(account) if lot.remaining > 0 and not _over(lot, now)]

    def _has_dates(self, standing: Standing) -> bool:
        return standing.usable_until is not None or standing.usable_from > self._now

    def _open_lots(self, accounts: Sequence[int]) -> dict[int, list[Lot]]:
        if not accounts:
            return {}
        query = f"SELECT account, {LOT} FROM lot WHERE account = ANY(?) AND remaining <> 0"  # noqa: S608
        found: dict[int, list[Lot]] = {}
        for account, *lot in self._tables.rows(query, accounts):
            found.setdefault(account, []).append(Lot(*lot))
        return found

    def _told(self, number: str, card: Listing, standing: Standing, lots: Sequence[Lot] | None) -> Balance:
        balance = Balance(
            number, standing.balance, standing.reserved, self._told_at, card.status.value, successor=card.successor
        )
        if lots is None:
            return balance
        found = usable.held(lots, self._now, TOLD_EXPIRIES)
        expiring = [Expiry(str(self._moment(at)), points) for at, points in found.expiring]
        return msgspec.structs.replace(balance, points=found.usable, inactive=found.inactive, expiring=expiring)

    def _moment(self, at: int | None) -> str | None:
        """With the programme's own offset, so that its day can be named anywhere."""
        return None if at is None else datetime.fromtimestamp(at / 1000, self._zone).isoformat()


def _over(lot: ToldLot, now: datetime) -> bool:
    return lot.expires_at is not None and datetime.fromisoformat(lot.expires_at) <= now
