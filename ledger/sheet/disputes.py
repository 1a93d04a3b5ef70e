"""The entries that a batch's corrections are about: as the books have them, and with what the batch has done since."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ledger.facts.codes import Code
from ledger.rules.claims import sale_key
from ledger.rules.corrections import (
    Dispute,
    Spoken,
    Target,
    as_counted,
    plain_target,
    target_of_applied,
    target_of_unapplied,
)
from ledger.rules.grounds import same
from ledger.rules.records import KEYED, KEYLESS, read
from ledger.sheet.source import Known, Posting, Ruling, Source
from offline_queue.entry import Correction, Entry, Kind, Resolution

if TYPE_CHECKING:
    from ledger.sheet.sheet import Sheet


class Disputes:
    """Of one sheet.

    Its rulings and postings are looked through when the first correction comes, so others cost nothing.
    """

    def __init__(self, sheet: "Sheet", source: Source) -> None:
        self._sheet, self._source = sheet, source
        self.made: list[tuple[int, Spoken]] = []
        """What this batch has said: of which record, and the word."""
        self._named = Known(source.named)
        self._held = Known(source.disputes)
        self._spoken = Known(source.spoken)
        self._seen = (0, 0)
        self._ruled: dict[int, Ruling] = {}
        self._posted: dict[int, Posting] = {}
        self._undone: dict[int, int] = {}

    def hold(self, names: Iterable[str]) -> list[Dispute]:
        """Asks for these in bulk, before the batch decides; those that are there."""
        named = list(names)
        self._named.warm(named)
        records = [record for name in named if (record := self._named.get(name))]
        self._held.warm(records)
        return [dispute for record in records if (dispute := self._held.get(record))]

    def hear_again(self) -> None:
        """Their accounts are held now: what was told before that may have changed."""
        self._held = Known(self._source.disputes)

    def target(self, correction: Correction) -> Target | None:
        """What a correction is about; None while the books do not have it."""
        named = self._find(correction.of or "")
        if named is None:
            return None
        if named.entry is None or named.entry.kind is not Kind.CORRECTION:
            return self._plain(named)
        if (spoken := self._word_of(named)) is not None:
            corrects, word = spoken
            root = self.at(corrects)
            return target_of_applied(named, word, root) if root else None
        return self._unapplied(named, correction) if named.posted is None else self._plain(named)

    def _plain(self, dispute: Dispute) -> Target:
        entry = dispute.entry
        reverses = entry is not None and entry.kind is Kind.REVERSE
        if entry is not None and self._counts_elsewhere(dispute, entry):
            return Target(dispute, dispute, 0, -dispute.undone)
        return plain_target(dispute, self._sheet.originals.of(entry) if entry and reverses else None)

    def _counts_elsewhere(self, dispute: Dispute, entry: Entry) -> bool:
        """Whether the sale of an entry that left its key to others has come on another way since."""
        if dispute.code not in KEYLESS or entry.kind not in KEYED:
            return False
        key, record = sale_key(entry), dispute.item.record
        first = self._sheet.keys.holder(key, record)
        if first is None:
            self._source.let_go({key: record}, {})  # it was only asked for
        return first is not None and first.record != record and same(first.entry, entry)

    def _unapplied(self, named: Dispute, correction: Correction) -> Target | None:
        """Only what corrects an entry itself can come to count; a chain of words without effect stays without."""
        word = named.entry.correction if named.entry else None
        inner = self._find(word.of) if word and word.of else None
        if word and inner and inner.entry and inner.entry.kind is not Kind.CORRECTION:
            return target_of_unapplied(named, word, self._plain(inner), self._settled_by(named, inner))
        settles = correction.resolution is Resolution.REFUSE and correction.points is None
        return Target(named, named, 0, 0) if settles else None

    def _settled_by(self, unapplied: Dispute, root: Dispute) -> Spoken | None:
        """The first word that was spoken on a word without effect."""
        return next((word for word in root.words if self._is_about(word, unapplied)), None)

    def _is_about(self, word: Spoken, dispute: Dispute) -> bool:
        said = self.at(word.record)
        told = said.entry.correction if said and said.entry else None
        named = self._find(told.of) if told and told.of else None
        return named is not None and named.item.record == dispute.item.record

    def _find(self, name: str) -> Dispute | None:
        """The entry of this name; for one that repeats a sale, the one that stands for it."""
        record = self._record(name)
        dispute = self.at(record) if record else None
        if dispute is None or dispute.entry is None or dispute.posted is not None:
            return dispute
        duplicates = self._sheet.originals.duplicates
        first = duplicates.get(name) or duplicates.get(dispute.entry.id)
        if first is None and dispute.code is not Code.DUPLICATE:
            return dispute
        other = self._record(first or dispute.entry.id)
        return (self.at(other) if other else None) or dispute

    def _record(self, name: str) -> int | None:
        return self._named.get(name) or self._sheet.waiting.announced.get(name)

    def at(self, record: int) -> Dispute | None:
        self._catch_up()
        ruling, posting = self._ruled.get(record), self._posted.get(record)
        dispute = self._held.get(record)
        if dispute is None and ruling is not None:
            content = read(ruling.item.raw)
            state, code, posted = ruling.decision.state, ruling.decision.code, posting is not None
            entry = as_counted(content, state, code, posted=posted) if isinstance(content, Entry) else None
            dispute = Dispute(ruling.item, entry, state, code)
        if dispute is None:
            return None
        if ruling is not None:
            dispute = replace(dispute, state=ruling.decision.state, code=ruling.decision.code)
        if posting is not None:
            moved = {"account": posting.account, "posted": posting.points, "original": posting.original}
            dispute = replace(dispute, **moved)
        here = tuple(word for corrects, word in self.made if corrects == record)
        undone = dispute.undone + self._undone.get(record, 0)
        return replace(dispute, undone=undone, words=dispute.words + here)

    def _word_of(self, correction: Dispute) -> tuple[int, Spoken] | None:
        record = correction.item.record
        here = next(((corrects, word) for corrects, word in self.made if word.record == record), None)
        return here or self._spoken.get(record)

    def _catch_up(self) -> None:
        rulings, postings = self._seen
        self._seen = (len(self._sheet.rulings), len(self._sheet.postings))
        self._ruled.update((ruling.item.record, ruling) for ruling in self._sheet.rulings[rulings:])
        for posting in self._sheet.postings[postings:]:
            self._posted[posting.record] = posting
            if posting.original is not None:
                self._undone[posting.original] = self._undone.get(posting.original, 0) + posting.points
