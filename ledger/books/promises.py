"""Rights as tills ask for them and as the office sees them: granted, listed, returned; and none while books recover."""

import logging
from collections.abc import Mapping, Sequence

from ledger.books import recovery
from ledger.books.office import Office
from ledger.facts.codes import Code
from ledger.facts.rights import Right, RightState
from ledger.port.problems import refused
from ledger.port.terminals import Held, Recovery
from ledger.rules.confirming import home
from ledger.rules.own_entries import own_entry
from ledger.rules.rights import MAX_ALLOWANCE_NAME, same_request
from ledger.tables.engine import Tables
from ledger.tables.pen import TablesPen
from ledger.tables.rights import TablesRights
from offline_queue.entry import MAX_POINTS, Correction, Kind, masked
from offline_queue.timepiece import rfc3339
from offline_queue.wire import Hello, Marks
from offline_queue.wire_accounts import AllowanceAnswer, AllowanceRequest

log = logging.getLogger("tilld.ledger")


class Promises(Office):
    """See port.book.Book."""

    def allowance(self, terminal: str, request: AllowanceRequest) -> AllowanceAnswer:
        _check(request)
        asked = Right(request.id, terminal, request.stream, request.card, request.points, None, RightState.REFUSED)

        def promise(tables: Tables) -> AllowanceAnswer:
            known, flag = TablesRights(tables).told(terminal, request.stream)
            sheet = self._sheet(tables)
            right = sheet.rights.get(request.id)
            if right is None and not known:
                what = "no hello has declared this stream yet"
                raise refused("generation", what, request=request.request, generation=self.generation)
            if right is None:
                why_not = flag or (Code.RECOVERING if recovery.is_on(tables) else None)
                right = sheet.reserve(asked, least=request.least, why_not=why_not)
            if not same_request(right, asked):
                raise refused("key_mismatch", request=request.request, generation=self.generation)
            TablesPen(tables).write(sheet)
            balance = None if right.account is None else self._feed(tables).balance(right.account, request.card)
            points = None if right.asked is None else right.points
            return AllowanceAnswer(request.request, request.id, right.code is None, right.code, balance, points)

        return self._engine.write(promise)

    def allowances(self, terminal: str | None = None) -> list[Held]:
        return self._engine.read(lambda tables: [_held(right) for right in TablesRights(tables).listed(terminal)])

    def return_allowances(self, ids: Sequence[str], author: str, reason: str) -> list[Held]:
        """Each by an entry of the office's own. Raises Refused `malformed`, and then nothing was returned."""

        def give_back(tables: Tables) -> list[Held]:
            found = TablesRights(tables).held(sorted(set(ids)))
            missing = [name for name in ids if name not in found or not found[name].holds_back]
            if missing:
                raise refused("malformed", f"no right that holds points back: {', '.join(missing)}")
            sheet, now, why = self._sheet(tables), self._timepiece.unix_ms(), Correction(author, reason)
            for name in found:
                entry = own_entry(Kind.RELEASE, f"return:{name}", now, allowance=name, correction=why)
                self._enter(entry, sheet, tables)
            TablesPen(tables).write(sheet)
            return [_held(right) for right in found.values()]

        returned = self._engine.write(give_back)
        for right in returned:
            log.warning(
                "%s returned right %s of %s, %d points: %s", author, right.id, right.terminal, right.points, reason
            )
        return returned

    def recovery(self) -> Recovery:
        return self._engine.read(recovery.told)

    def waive_recovery(self, terminals: Sequence[str]) -> Recovery:
        """Waits no longer for these, or for none at all where none is named. Raises Refused `malformed`."""

        def waive(tables: Tables) -> Recovery:
            waiting = recovery.told(tables).waiting
            strangers = sorted(set(terminals) - set(waiting))
            if strangers:
                raise refused("malformed", f"not waited for: {', '.join(strangers)}")
            for terminal in terminals or waiting:
                recovery.report(tables, terminal)
            return recovery.told(tables)

        return self._engine.write(waive)

    def _reported(self, tables: Tables, hello: Hello, generation: str, marks: Mapping[str, Marks]) -> bool:
        """Whether the books still recover, now that this till has said hello."""
        if recovery.is_on(tables) and recovery.delivered(hello, generation, marks):
            recovery.report(tables, hello.terminal)
        return recovery.is_on(tables)

    def _confirmed(self, tables: Tables, hello: Hello, generation: str) -> dict[str, bool]:
        """The declared rights that hold, or are void. Those that the books forgot when they went back are void."""
        words = TablesRights(tables).confirm(hello, self._policy.unsealed_cap)
        if hello.generation == generation and not recovery.is_on(tables):
            return words
        known = TablesRights(tables).held(sorted(set(hello.allowances)))
        return {**{name: False for name in hello.allowances if name not in known}, **words}


def _check(request: AllowanceRequest) -> None:
    """Raises Refused `malformed`."""
    if not 0 < request.points <= MAX_POINTS or not 0 < len(request.id) <= MAX_ALLOWANCE_NAME:
        told = f"points must be 1 to {MAX_POINTS}, an id has 1 to {MAX_ALLOWANCE_NAME} characters"
        raise refused("malformed", told, request=request.request)


def _held(right: Right) -> Held:
    granted = None if right.granted_at is None else rfc3339(right.granted_at)
    return Held(right.id, right.terminal, home(right), masked(right.card), right.points, right.state, granted)
