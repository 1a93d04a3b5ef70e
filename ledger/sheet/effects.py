"""A decision takes effect on the sheet: keys, points and lots, what can be reversed, and the right that was used."""

from typing import TYPE_CHECKING

import msgspec

from ledger.facts.case import Case, Decision, First, Original
from ledger.facts.codes import Code
from ledger.rules.claims import AWARDS, lends
from ledger.rules.records import KEYED, KEYLESS, NO_CLAIM, OVERDRAWING
from ledger.sheet.source import Posting

if TYPE_CHECKING:
    from ledger.sheet.sheet import Sheet


class Effects:
    """Works on one sheet."""

    def __init__(self, sheet: "Sheet") -> None:
        self._sheet = sheet

    def apply(self, case: Case, decision: Decision) -> None:
        """What the decision says, whether the entry stands or not."""
        sheet, entry, has_effect = self._sheet, case.entry, case.entry.kind in KEYED and not lends(case)
        if has_effect and decision.ground not in NO_CLAIM:
            sheet.keys.firsts.put(entry.key, First(case.record, entry, decision.state, decision.code))
        if has_effect and case.word is None and decision.stands and case.standing is not None:
            self._post(case, decision, case.standing.account)
        own_id = sheet.claims.own_ids.get(case.record)
        if own_id is not None and decision.ground not in KEYLESS:
            sheet.originals.duplicates.put(own_id, case.first.entry.id if case.first else entry.id)
        if decision.ground is Code.DUPLICATE and case.first is not None:
            self._repeat(entry.id, case.first)
        sheet.roster.note(case, decision)
        if decision.right is not None and entry.allowance is not None:
            sheet.rights.close(case, entry.allowance, decision.right)

    def _repeat(self, name: str, first: First) -> None:
        """A sale that a person let count, signed by nobody's key, stands under its place and not under its id."""
        settled = self._sheet.correcting.disputes.at(first.record) if first.code in KEYLESS else None
        stands = settled.name if settled else first.entry.id
        if stands != name:
            self._sheet.originals.duplicates.put(name, stands)

    def _post(self, case: Case, decision: Decision, account: int) -> None:
        sheet, entry, original, effect = self._sheet, case.entry, case.original, decision.effect
        sheet.clearing.revive(case, effect, account)
        sheet.shelving.shelve(case, decision, sheet.accounts.standing(account))
        sheet.accounts.move(account, balance=effect)
        sheet.offline_days.note(case, decision, account)
        measured = sheet.shelving.measured(sheet.accounts.standing(account), grown=entry.kind in AWARDS)
        sheet.accounts.put(measured)
        number = original.record if original else None
        code = next((code for code in decision.codes if code in OVERDRAWING), decision.code)
        sheet.postings.append(Posting(case.record, entry.id, account, effect, number, code, sheet.now))
        sheet.originals.posted(entry.id, Original(case.record, entry.kind, account, effect))
        if original is not None:
            sheet.shelving.reverses(case.record, original.record)
            left = msgspec.structs.replace(original, reversed=original.reversed + abs(effect))
            sheet.originals.put(sheet.originals.name_for(entry), left)
