"""What the office does to cards: each act is an entry of its own, so the log explains it like any other."""

from ledger.books.phones import Phones
from ledger.port.cards import CardShown
from ledger.port.problems import refused
from ledger.rules.cards import chain
from ledger.rules.own_entries import own_entry
from ledger.rules.records import MAX_NUMBER, plausible
from ledger.tables.engine import Tables
from ledger.tables.office import card_wear
from ledger.tables.pen import TablesPen
from offline_queue.entry import Card, CardEvent, Happening, Kind

MAX_REASON = 300


class CardOffice(Phones):
    """See port.book.Book for what each call does."""

    def card(self, number: str) -> CardShown:
        return self._engine.read(lambda tables: self._shown(tables, number))

    def happen(
        self, number: str, happening: Happening, author: str, reason: str, successor: str | None = None
    ) -> CardShown:
        if not all(map(plausible, (number, successor or number))):
            raise refused("malformed", f"a card's number has 1 to {MAX_NUMBER} printable characters")
        if not 0 < len(author) <= MAX_NUMBER or len(reason) > MAX_REASON:
            raise refused("malformed", f"say who acts (to {MAX_NUMBER} characters) and why (to {MAX_REASON})")
        event = CardEvent(happening, successor, reason or None)

        def act(tables: Tables) -> CardShown:
            now, chance = self._timepiece.unix_ms(), self._timepiece.random(8).hex()
            key = f"card:{happening}:{chance}"
            entry = own_entry(Kind.CARD_EVENT, key, now, card=Card(number), event=event, operator=author)
            sheet = self._sheet(tables)
            decision = self._enter(entry, sheet, tables)
            TablesPen(tables).write(sheet)
            return self._shown(tables, number, entry.id, decision.code, decision.detail)

        return self._engine.write(act)

    def _shown(
        self, tables: Tables, number: str, entry: str | None = None, code: str | None = None, detail: str | None = None
    ) -> CardShown:
        feed = self._feed(tables)
        account = feed.account(number)
        balance = feed.balance(account, number) if account is not None else None
        final = chain(number, feed.listing)[-1]
        return CardShown(
            number=number,
            status=feed.listing(number).status,
            stands=None if final == number else final,
            stands_as=feed.listing(final).status,
            account=account,
            points=balance.points if balance else None,
            reserved=balance.reserved if balance else None,
            entry=entry,
            code=code,
            detail=detail,
            wear=[] if account is None else card_wear(tables, number, account),
        )
