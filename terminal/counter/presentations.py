"""Cards at the readers: each presentation becomes a card of the programme, or what the cashier does instead."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from drivers.base import CardRead, Technology
from offline_queue.entry import Card, masked
from offline_queue.timepiece import Timepiece
from offline_queue.words import Words
from terminal.cards.desk import CardDesk
from terminal.cards.directory import Directory
from terminal.cards.forwarding import Stands
from terminal.cards.identification import Identified, Recognition, Verdict, identify
from terminal.cards.notes import CardNotes
from terminal.cards.wear import scores
from terminal.counter.failure_words import told
from terminal.counter.headings import heading
from terminal.counter.ladder_desk import Advice, LadderDesk, card_refused
from terminal.counter.reading import Reading
from terminal.counter.refusals import WORDS, Refused, refused
from terminal.inbox import CardFailed, ReadAbandoned, ReadAsked
from terminal.pos import CardView, ReadAnswer
from terminal.promises.holdings import Holdings
from terminal.promises.redemptions import Inquiries
from terminal.readers.tally import Tally
from terminal.sales.balances import Balances

_REPLACE_SOON: Final = Words(
    en="This card is wearing out: replace it soon, before it can no longer be read.",
    fr="Cette carte s'use : remplacez-la bientôt, avant qu'elle ne soit illisible.",
)


class Presentations:
    """Used by the till's thread alone."""

    def __init__(
        self,
        recognition: Recognition,
        directory: Directory,
        reading: Reading,
        cards: CardDesk,
        ladder: LadderDesk,
        balances: Balances,
        holdings: Holdings,
        inquiries: Inquiries,
        publish: Callable[[str, object], None],
        timepiece: Timepiece,
        tallies: Mapping[str, Tally],
        notes: CardNotes,
    ) -> None:
        self._recognition, self._directory, self._reading = recognition, directory, reading
        self._cards, self._ladder, self._notes = cards, ladder, notes
        self._balances, self._holdings, self._inquiries = balances, holdings, inquiries
        self._publish, self._timepiece, self._tallies = publish, timepiece, tallies

    def presented(self, reader: str, read: CardRead) -> None:
        """A reader has read something."""
        verdict = self._sighted(reader, read)
        if verdict is None:
            self._duplicate(reader)
        elif isinstance(verdict, Refused):
            self._refused(reader, verdict, read.technology)
        else:
            self._identified(reader, read, verdict)

    def judged(self, reader: str, read: CardRead) -> Verdict | None:
        """What would become of this card, told to nobody; None for the same presentation again.

        A card that lies there still when a trial of the reader ends is no customer's either.
        """
        verdict = self._sighted(reader, read)
        if not isinstance(verdict, Identified):
            return verdict
        stands = self._cards.judged(verdict.number)
        return stands if isinstance(stands, Refused) else verdict

    def failed(self, event: CardFailed) -> None:
        """Whoever waits for a card goes on waiting: the customer will present it again. Not so for a foreign card."""
        failure = event.failure
        if failure.reason in WORDS:
            self._refused(event.reader, refused(failure.reason), failure.technology)
        else:
            detail = told(failure)
            self._tell(event.reader, failure.reason, detail, self._ladder.card_failed(failure))

    def wait(self, asked: ReadAsked) -> None:
        """A POS waits for a card."""
        self._ladder.listen()
        self._reading.wait(asked)

    def abandon(self, ended: ReadAbandoned) -> None:
        """A wait is over. A card that no reader has noticed is a failure like another: its chip may be dead."""
        timed_out = ended.code == "no_card" and self._reading.waits(ended.reply)
        self._reading.abandon(ended.code, ended.reply, self._ladder.unheard() if timed_out else None)

    def _sighted(self, reader: str, read: CardRead) -> Verdict | None:
        """None for the same presentation again."""
        if not self._reading.is_new(reader, read):
            return None
        verdict = self._judged(read)
        again = isinstance(verdict, Identified) and self._reading.repeats(reader, verdict.number)
        return None if again else verdict

    def _duplicate(self, reader: str) -> None:
        if reader in self._tallies:
            self._tallies[reader].add(duplicate=1)

    def _judged(self, read: CardRead) -> Verdict:
        """A proof is used up by being judged, whatever becomes of the read."""
        verdict = identify(read, self._recognition, self._timepiece.unix_ms())
        if isinstance(verdict, Identified) and verdict.proof and not self._directory.advance(verdict.proof):
            return refused("replayed")
        return verdict

    def _refused(self, reader: str, why: Refused, technology: Technology) -> None:
        """Whoever waits for a card hears why this one will not do."""
        advice = self._ladder.failed(why.reason, technology, why.steps)
        self._reading.refused(card_refused(why, advice))
        self._tell(reader, why.reason, why.detail, advice)

    def _tell(self, reader: str, reason: str, detail: Words, advice: Advice) -> None:
        said = {"title": heading(reason), "detail": detail, "next": advice.next}
        notice: dict[str, Any] = {"reader": reader, "reason": reason, **said}
        if advice.step is not None:
            notice |= {"step": advice.step, "ladder": advice.ladder}
        self._publish("card_unreadable", notice)

    def _identified(self, reader: str, read: CardRead, verdict: Identified) -> None:
        stands = self._cards.judged(verdict.number)
        if isinstance(stands, Refused):
            self._refused(reader, stands, read.technology)
            return
        number = stands.number
        wear, worn_out = self._wear(verdict.number, read)
        self._ladder.reset()
        told = (read.technology.value, read.entry_mode.value, None if stands.was else wear)
        card = Card(number, *told, verdict.proof.told if verdict.proof else None)
        shown = self._shown(reader, card, stands)
        if worn_out:
            shown = msgspec.structs.replace(shown, hints=[*shown.hints, _REPLACE_SOON])
        self._holdings.seen(number)
        self._publish("card_read", shown)
        self._reading.identified(shown)
        self._inquiries.ask_account(number)
        self._notes.presented(reader, read, [verdict.number, number])

    def _shown(self, reader: str, card: Card, stands: Stands) -> ReadAnswer:
        return ReadAnswer(
            read_id=self._reading.keep(card),
            card=CardView(masked(card.number), card.number),
            technology=card.technology or "",
            entry_mode=card.entry_mode or "",
            reader=reader,
            balance=self._balances.view(card.number),
            hints=self._cards.hints(stands),
            wear=card.wear,
        )

    def _wear(self, number: str, read: CardRead) -> tuple[int | None, bool]:
        """The worst level of the presented card, and whether it should be replaced soon.

        The worst of what was noted now: a chip that is dead while the code on it is read easily is the card's wear.
        """
        now = self._directory.wear.note(number, scores(read, self._ladder.struggles()))
        level = max((worn.level for worn in now.values()), default=None)
        return None if level is None else round(level), any(worn.replace_soon for worn in now.values())
