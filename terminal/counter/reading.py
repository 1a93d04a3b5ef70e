"""Cards as they are presented: one presentation each, a name for it that a sale can use, and the POS that waits."""

from collections import OrderedDict
from concurrent.futures import Future
from typing import Final

from drivers.base import CardRead
from offline_queue.entry import Card
from offline_queue.timepiece import Timepiece
from offline_queue.words import Words
from terminal.counter.ladder_desk import Advice
from terminal.inbox import ReadAsked
from terminal.pos import ReadAnswer, Refusal, invalid
from terminal.sales.replies import answer, refuse

KEPT_READS: Final = 1000
KEPT_MS: Final = 15 * 60 * 1000
"""A read can be used for a sale this long: longer than any basket takes to pay."""

_WORDS: Final[dict[str, Words]] = {
    "busy": Words(
        en="Another request waits for a card already. Abort it, or wait until it ends. No points moved.",
        fr="Une autre demande attend déjà une carte. Annulez-la ou attendez sa fin. Aucun point n'a bougé.",
    ),
    "no_card": Words(
        en="No card came in time. No points moved. Ask again when the customer has the card at hand.",
        fr="Aucune carte présentée à temps. Aucun point n'a bougé. Recommencez quand le client a sa carte.",
    ),
    "aborted": Words(
        en="The wait for a card was ended. No points moved.",
        fr="L'attente d'une carte a été interrompue. Aucun point n'a bougé.",
    ),
}
_READ_UNKNOWN: Final = Words(
    "`card.read_id` is unknown or too old. Read the card again, or send its number.",
    "`card.read_id` est inconnu ou trop ancien. Relisez la carte, ou envoyez son numéro.",
)


class Reading:
    """Used by the till's thread alone."""

    def __init__(self, timepiece: Timepiece, debounce_ms: int) -> None:
        self._timepiece = timepiece
        self._debounce_ms = debounce_ms
        self._seen: dict[str, tuple[int, int]] = {}
        self._numbers: dict[str, tuple[str, int]] = {}
        self._kept: OrderedDict[str, tuple[Card, int]] = OrderedDict()
        self._waiting: ReadAsked | None = None

    def is_new(self, reader: str, read: CardRead) -> bool:
        """False while the same card lies there or is tapped twice; each sight of it renews the time.

        Only a salted hash of the card is remembered: it may be a payment card.
        """
        now, card = self._timepiece.boottime_ms(), hash((read.technology, read.data, read.uid))
        last_card, last_ms = self._seen.get(reader, (None, 0))
        self._seen[reader] = (card, now)
        is_new = card != last_card or now - last_ms >= self._debounce_ms
        if not is_new and reader in self._numbers:
            self._numbers[reader] = (self._numbers[reader][0], now)
        return is_new

    def repeats(self, reader: str, number: str) -> bool:
        """True for the card that was identified there just now, though it shows something else at each sight.

        A chip that counts its taps and a code that changes in the customer's hand are one presentation too.
        """
        now = self._timepiece.boottime_ms()
        last_number, last_ms = self._numbers.get(reader, (None, 0))
        self._numbers[reader] = (number, now)
        return number == last_number and now - last_ms < self._debounce_ms

    def keep(self, card: Card) -> str:
        """A name for this read, good for KEPT_MS and as long as fewer than KEPT_READS newer ones came."""
        read_id = "read-" + self._timepiece.random(12).hex()
        self._kept[read_id] = (card, self._timepiece.boottime_ms() + KEPT_MS)
        if len(self._kept) > KEPT_READS:
            self._kept.popitem(last=False)
        return read_id

    def card(self, read_id: str) -> Card:
        """Raises Refusal("invalid") for a name that is unknown or too old."""
        card, until_ms = self._kept.get(read_id, (None, 0))
        if card is None or self._timepiece.boottime_ms() >= until_ms:
            raise invalid(_READ_UNKNOWN, "read_unknown")
        return card

    def wait(self, asked: ReadAsked) -> None:
        """One POS waits at a time; a second one is told `busy`."""
        if self._waiting is not None and not self._waiting.reply.done():
            refuse(asked.reply, self.refusal("busy"))
        else:
            self._waiting = asked

    def waits(self, reply: "Future[ReadAnswer] | None") -> bool:
        """Whether `reply`, or whoever waits, is still without a card."""
        return not reply.done() if reply is not None else self._waiting is not None

    def abandon(self, code: str, reply: "Future[ReadAnswer] | None", advice: Advice | None = None) -> None:
        """Ends the wait of `reply`, or of whoever waits."""
        if reply is not None:
            refuse(reply, self.refusal(code, advice))
        elif self._waiting is not None:
            refuse(self._waiting.reply, self.refusal(code, advice))
        if self._waiting is not None and self._waiting.reply.done():
            self._waiting = None

    def identified(self, read: ReadAnswer) -> None:
        """Whoever waits for a card of this entry mode has it."""
        if self._waiting and (not self._waiting.entry_modes or read.entry_mode in self._waiting.entry_modes):
            answer(self._waiting.reply, read)
            self._waiting = None

    def refused(self, why: Refusal) -> None:
        """Whoever waits for a card is told what came instead."""
        if self._waiting:
            refuse(self._waiting.reply, why)
            self._waiting = None

    def refusal(self, code: str, advice: Advice | None = None) -> Refusal:
        words = _WORDS[code]
        return Refusal(code, words) if advice is None else Refusal(code, words, None, advice.next, advice.step)
