"""The inbox of disputes: what waits for a person, and the decision recorded as a correction of its own."""

import hashlib
from typing import Final

import msgspec

from offline_queue.journal import Found
from offline_queue.store import JournalReader
from offline_queue.timepiece import Timepiece
from terminal.disputes.disputes import SAID, correction_of, dispute, name_of, refuse_unless_open, same_word, undecided
from terminal.disputes.shapes import Dispute, ResolutionAnswer
from terminal.inbox import Answered, ResolutionAsked
from terminal.pos import Refusal, TransactionAnswer, invalid
from terminal.sales.recording import Recording, digest_of
from terminal.sales.replies import answer, refusing
from terminal.sales.stamps import Stamps
from terminal.sales.transaction import check_key
from terminal.texts import refuse_hidden

MAX_PAGE: Final = 1000


class Page(msgspec.Struct, frozen=True):
    """Which disputes are wanted: those after the id `after`."""

    after: str | None = None
    limit: int = 100


class Resolutions:
    """Used by the till's thread alone."""

    def __init__(self, journal: JournalReader, recording: Recording, stamps: Stamps, timepiece: Timepiece) -> None:
        self._journal = journal
        self._recording = recording
        self._stamps = stamps
        self._timepiece = timepiece

    def page(self, argument: str) -> list[Dispute]:
        """Raises Refusal."""
        try:
            page = msgspec.json.decode(argument or "{}", type=Page)
        except msgspec.DecodeError as error:
            raise invalid(f"The page asked for makes no sense: {error}.") from None
        if page.after is not None and self._journal.find_id(page.after) is None:
            raise invalid("`after` names no transaction of this till; use the `next` of the page before.")
        return [self._dispute(found) for found in self._journal.disputed(page.after, min(page.limit, MAX_PAGE))]

    def one(self, entry_id: str) -> Dispute:
        """Raises Refusal for an entry with which the ledger has never disagreed."""
        found = self._journal.find_id(entry_id)
        if found is None:
            raise Refusal("not_found", SAID["unknown"])
        if found.verdict is None:
            raise Refusal("not_in_dispute", undecided(found))
        return self._dispute(found)

    def asked(self, event: ResolutionAsked) -> None:
        """The same decision on the same entry hears the first answer again. `event.reply` is answered once."""
        with refusing(event.reply):
            self._decide(event)

    def _decide(self, event: ResolutionAsked) -> None:
        found, request = self._journal.find_id(event.conflict), event.request
        last = self._last(found) if found else None
        if event.key is None and last is not None and same_word(last, request):
            answer(event.reply, Answered(last.reply, replayed=True))
            return
        key = event.key or _key(event, last)
        check_key(key)
        digest = digest_of((event.conflict, request))
        if self._recording.repeats(key, digest, event.reply):
            return
        refuse_hidden("author", request.author)
        refuse_hidden("reason", request.reason)
        disputed = refuse_unless_open(found, request)
        entry = correction_of(disputed, request, key, self._stamps.stamp())
        flight = self._recording.take_off(key, digest, event.reply)
        self._recording.commit(flight, entry, shaped=lambda said: self._answer(said, event))

    def _answer(self, said: TransactionAnswer, event: ResolutionAsked) -> ResolutionAnswer:
        return ResolutionAnswer(said.id, event.conflict, event.request.decision, said.state, SAID["queued"])

    def _dispute(self, found: Found) -> Dispute:
        return dispute(found, self._last(found), self._timepiece.unix_ms())

    def _last(self, found: Found) -> Found | None:
        return self._journal.resolution_of(name_of(found)) or self._journal.resolution_of(found.entry.id)


def _key(event: ResolutionAsked, last: Found | None) -> str:
    """Of a decision without a key of its own: the same one on the same entry, after the same decision before."""
    request = event.request
    what = (event.conflict, request.decision, request.points, last.entry.id if last else None)
    return f"resolution:{hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:40]}"
