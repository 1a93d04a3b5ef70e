"""A person asks what is known of a card: answered once the ledger has been heard, or has kept silent."""

from concurrent.futures import Future
from typing import Any

from drivers.base import Technology
from offline_queue.entry import masked
from terminal.cards.desk import CardDesk
from terminal.cards.identification import CardFormat, identify_number
from terminal.counter.ladder_desk import LadderDesk
from terminal.counter.refusals import Refused
from terminal.inbox import AccountHeard, Asked
from terminal.pos import CardView
from terminal.promises.redemptions import Inquiries
from terminal.sales.balances import Balances
from terminal.sales.replies import answer


class CardQuestions:
    """Used by the till's thread alone."""

    def __init__(
        self,
        inquiries: Inquiries,
        balances: Balances,
        cards: CardDesk,
        ladder: LadderDesk,
        card_format: CardFormat,
    ) -> None:
        self._inquiries, self._balances, self._cards, self._ladder = inquiries, balances, cards, ladder
        self._card_format = card_format
        self._waiting: dict[str, list[Future[Any]]] = {}

    def asked(self, event: Asked) -> None:
        """`event.argument` is the card's number. Raises Refusal("card_refused") for what is none."""
        verdict = identify_number(event.argument, self._card_format)
        if isinstance(verdict, Refused):
            raise self._ladder.refusal(verdict, Technology.KEYED)
        self._waiting.setdefault(verdict.number, []).append(event.reply)
        self._inquiries.ask_account(verdict.number)

    def heard(self, event: AccountHeard) -> dict[str, Any]:
        """Answers everybody who waits for this card; what they were told."""
        told = self._view(event)
        for reply in self._waiting.pop(event.number, []):
            answer(reply, told)
        return told

    def _view(self, event: AccountHeard) -> dict[str, Any]:
        balance = self._balances.view(event.number)
        heard = event.account is not None or (balance is not None and balance.as_of is not None)
        status, successor = self._cards.view(event.number, heard=heard and event.known)
        return {
            "card": CardView(masked(event.number), event.number),
            "balance": balance,
            "known": heard and event.known,
            "status": status,
            "successor": successor,
            "reached": event.account is not None or not event.known,
        }
