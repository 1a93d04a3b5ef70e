"""What reversals and corrections take back: entries of the books and of this very batch."""

from collections.abc import Iterable, Sequence

from ledger.facts.case import Original
from ledger.sheet.accounts import Accounts
from ledger.sheet.source import Known, Source
from offline_queue.entry import Entry


class Originals:
    """Belongs to one sheet."""

    def __init__(self, source: Source, accounts: Accounts) -> None:
        self._source, self._accounts = source, accounts
        self._held = Known(self._asked)
        self._posted: dict[str, Original] = {}
        """By this batch."""
        self.duplicates = Known(source.duplicates)
        """By the id of an entry that repeats a sale, the id of the one that stands for it."""

    def warm(self, entries: Iterable[str]) -> None:
        """By id; asked when their accounts are held."""
        self._held.warm(entries)

    def of(self, reversal: Entry) -> Original | None:
        return self._find(self.name_for(reversal))

    def name_for(self, reversal: Entry) -> str:
        """The entry that a reversal undoes: a sale sent through two tills stands under the id of the first."""
        named = reversal.reverses or ""
        return named if self._find(named) else self.duplicates.get(named) or named

    def put(self, name: str, original: Original) -> None:
        if self._held.get(name):
            self._held.put(name, original)
        else:
            self._posted[name] = original

    def posted(self, name: str, original: Original) -> None:
        """Here and now, under an id that may be taken."""
        self._posted.setdefault(name, original)

    def _find(self, entry: str) -> Original | None:
        return self._held.get(entry) or self._posted.get(entry)

    def _asked(self, entries: Sequence[str]) -> dict[str, Original]:
        """What is left of an original is only sure when its account is held."""
        self._accounts.warm(self._source.homes(entries).values())
        return self._source.originals(entries)
