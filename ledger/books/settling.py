"""The office settles what is in dispute: it looks at an entry with all that bears on it, and adds a word of its own.

What each decision would do is found out by making it and taking it back, so it cannot differ from what it does.
"""

from collections.abc import Callable

from msgspec.structs import replace

from ledger.facts.case import Decision
from ledger.facts.codes import Code
from ledger.port.conflicts import Conflict, Flagged, Outcome, Settled, Told
from ledger.port.problems import refused
from ledger.port.statements import Line
from ledger.rules.claims import sale_key
from ledger.rules.corrections import Dispute, Target
from ledger.rules.own_entries import own_entry
from ledger.sheet.sheet import Sheet
from ledger.sheet.source import Source
from ledger.tables.engine import Tables
from offline_queue.entry import Correction, Entry, Kind, Resolution, State, Undecodable, decode, encode, masked
from offline_queue.wire import MAX_BATCH

NewSheet = Callable[[], Sheet]
Enter = Callable[[Entry, Sheet], Decision]
NOBODY, LOOK = "nobody", "look"
"""Whose word it is and why, when it is taken back again."""
DETAIL = f"""
    SELECT detail FROM decision WHERE terminal = ? AND record <= ? AND record > ? - {MAX_BATCH} AND record + count > ?
    ORDER BY n DESC LIMIT 1"""  # noqa: S608 - a number of our own


class Settling:
    """Works within one transaction, in ms since 1970; a look must be taken back by whoever asked for it."""

    def __init__(self, tables: Tables, source: Source, sheet: NewSheet, enter: Enter, now: int) -> None:
        self._tables, self._source, self._sheet, self._enter, self._now = tables, source, sheet, enter, now

    def look(self, name: str) -> Conflict | None:
        """Changes the books; see above."""
        sheet = self._sheet()
        target = sheet.correcting.target(self._entry(Correction(NOBODY, LOOK, name, Resolution.REFUSE), LOOK))
        if target is None:
            return None
        named, root = target.named, target.root
        account = sheet.correcting.account(target)
        standing = None if account is None else sheet.accounts.standing(account)
        entry = named.entry
        return Conflict(
            record=self._flagged(name, named),
            occurred_at=entry.occurred_at if entry else None,
            receipt=entry.receipt.number if entry and entry.receipt else None,
            asked=target.honoured,
            has=root.has,
            undone=root.undone,
            balance=standing.balance if standing else None,
            reserved=standing.reserved if standing else None,
            first=self._first(named, sheet),
            words=[self._told(word.record, word.had, word.shall) for word in root.words],
            honour=self._tried(name, Resolution.HONOUR),
            refuse=self._tried(name, Resolution.REFUSE),
        )

    def settle(self, correction: Correction) -> tuple[Settled, Sheet]:
        """Raises Refused. The sheet is to be written."""
        sheet, name = self._sheet(), correction.of or ""
        target = sheet.correcting.target(self._entry(correction, LOOK))
        if target is None:
            raise refused("entry_unknown", f"{name!r} is neither an entry's id nor a place as STREAM:SEQ")
        if done := self._repeated(target, correction):
            return done, sheet
        entry = self._entry(correction, f"resolution:{name}:{len(target.root.words) + 1}")
        try:
            decode(encode(entry))
        except Undecodable as error:
            raise refused("malformed", f"a resolution names who decides and why: {error}") from error
        decision = self._enter(entry, sheet)
        if not decision.stands:
            may_not = decision.code is Code.RESOLUTION_REFUSED
            raise refused("not_settled" if may_not else "no_account", decision.detail)
        return Settled(name, entry.id, decision.effect, decision.code, decision.detail), sheet

    def _repeated(self, target: Target, correction: Correction) -> Settled | None:
        """The last word on the entry said the same."""
        last = target.root.words[-1] if target.root.words else None
        settled = target.named.state is State.RESOLVED and target.root.has == target.shall(correction)
        if last is None or not settled or target.named.item.record != target.root.item.record:
            return None
        return Settled(correction.of or "", self._word(last.record).id, 0, Code.POSTED, None, repeated=True)

    def _tried(self, name: str, resolution: Resolution) -> Outcome:
        sheet = self._sheet()
        decision = self._enter(self._entry(Correction(NOBODY, LOOK, name, resolution), f"{LOOK}:{resolution}"), sheet)
        if not decision.stands:
            return Outcome(0, 0, why_not=decision.detail)
        _, word = sheet.correcting.disputes.made[-1]
        changed = sheet.accounts.changed.values()
        return Outcome(word.shall, word.points, next((standing.balance for standing in changed), None))

    def _flagged(self, name: str, dispute: Dispute) -> Flagged:
        item, entry = dispute.item, dispute.entry
        detail = next((detail for (detail,) in self._tables.rows(DETAIL, item.sender, *[item.record] * 3)), None)
        found = Flagged(
            *(item.sender, item.stream, item.seq, dispute.state, dispute.code, detail, None, None, None, None),
            name=f"{item.stream}:{item.seq}",
        )
        if entry is None:
            return found
        card = masked(entry.card.number) if entry.card else None
        told = {"id": dispute.name, "kind": entry.kind, "points": entry.points, "card": card}
        return replace(found, name=name, **told)

    def _first(self, dispute: Dispute, sheet: Sheet) -> Line | None:
        """The entry that has the key, or that is reversed."""
        entry = dispute.entry
        if entry is None:
            return None
        key = sale_key(entry)
        first = self._source.claim({key: dispute.item.record})().get(key)
        reversed_ = sheet.originals.of(entry) if entry.kind is Kind.REVERSE else None
        record = reversed_.record if reversed_ else first.record if first else dispute.item.record
        other = sheet.correcting.disputes.at(record) if record != dispute.item.record else None
        return _line(other) if other else None

    def _told(self, record: int, had: int, shall: int) -> Told:
        entry = self._word(record)
        said = entry.correction
        return Told(entry.id, said.author if said else "", said.reason if said else "", entry.terminal, had, shall)

    def _word(self, record: int) -> Entry:
        ((raw,),) = self._tables.rows("SELECT bytes FROM record WHERE no = ?", record)
        return decode(raw)

    def _entry(self, correction: Correction, key: str) -> Entry:
        return own_entry(Kind.CORRECTION, key, self._now, correction=correction)


def _line(dispute: Dispute) -> Line | None:
    entry = dispute.entry
    if entry is None:
        return None
    return Line(
        id=dispute.name,
        kind=entry.kind,
        points=dispute.has,
        asked=entry.points,
        code=dispute.code,
        terminal=entry.terminal,
        occurred_at=entry.occurred_at,
        posted_at=None,
        receipt=entry.receipt.number if entry.receipt else None,
    )
