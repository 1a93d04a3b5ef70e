"""The journal itself, for commands that the till does not answer because it is down. Read-only."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from terminal.commands.console import Code, Failed, Place, for_others, is_closed, remark
from terminal.config import SYSTEM_FILE

if TYPE_CHECKING:
    from offline_queue.journal_reader import JournalReader


@contextmanager
def opened_journal(place: Place) -> "Iterator[JournalReader]":
    """Raises Failed when there is none, or it cannot be read."""
    from offline_queue.journal import JournalUnusable
    from offline_queue.journal_reader import JournalReader

    if not place.journal.exists():
        hidden = place.config is None and is_closed(SYSTEM_FILE)
        what_now = f"\n{for_others(SYSTEM_FILE)}" if hidden else " Is --state right?"
        raise Failed(f"there is no journal at {place.journal}.{what_now}", Code.NOT_RUNNING)
    try:
        journal = JournalReader.open(place.journal)
    except JournalUnusable as why:
        raise Failed(str(why), Code.ATTENTION) from None
    with closing(journal):
        yield journal


@contextmanager
def instead_of_the_till(place: Place) -> "Iterator[JournalReader]":
    """The same, saying whose answer it is."""
    remark(f"The till does not run; this is from {place.journal}, read-only.")
    with opened_journal(place) as journal:
        yield journal


def refuse_strange(journal: "JournalReader", after: str | None) -> None:
    """Raises Failed for a page behind what was never recorded; the running till refuses it too."""
    if after is not None and journal.find_id(after) is None:
        raise Failed(f"this till has recorded no transaction {after!r} to go on after.", Code.ATTENTION)
