"""The office credits a claim code itself: one entry of its own, judged like a till's."""

from ledger.books.office import Office
from ledger.port.claims import Redeemed
from ledger.port.problems import refused
from ledger.rules.claims import doubt
from ledger.rules.own_entries import own_entry
from ledger.rules.records import MAX_NUMBER, plausible
from ledger.tables import keys
from ledger.tables.engine import Tables
from ledger.tables.pen import TablesPen
from offline_queue.claim_codes import KEY_PREFIX, Code
from offline_queue.entry import Card, Claim, Entry, Kind


class ClaimOffice(Office):
    """See port.book.Book for what each call does."""

    def redeem_claim(self, code: Code, number: str, author: str) -> Redeemed:
        if not plausible(number) or not 0 < len(author) <= MAX_NUMBER:
            raise refused("malformed", f"a card and a name of whoever acts, of 1 to {MAX_NUMBER} characters each")
        entry = self._claim(code, number, author)

        def redeem(tables: Tables) -> Redeemed:
            held = keys.terminal_keys(tables, [code.sale.terminal]).get(code.sale.terminal, [])
            why = doubt(entry, held, self._engine.source(tables).kin)
            if why is not None:
                raise refused("claim_unproven", why)
            sheet = self._sheet(tables)
            decision = self._enter(entry, sheet, tables)
            TablesPen(tables).write(sheet)
            return Redeemed(entry.id, decision.state, decision.code, decision.effect, decision.detail)

        return self._engine.write(redeem)

    def _claim(self, code: Code, number: str, author: str) -> Entry:
        sale = code.sale
        return own_entry(
            Kind.CLAIM,
            f"{KEY_PREFIX}{sale.key}",
            self._timepiece.unix_ms(),
            points=sale.points,
            card=Card(number),
            claim=Claim(sale.terminal, sale.id, code.text),
            operator=author,
        )
