"""Each answer tried on the real thing: a reader opened in its own process, the ledger asked."""

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from drivers.base import Condition, ReaderState
from drivers.worker import Assignment
from offline_queue.ledger_answers import LedgerError, LedgerProtocolError, LedgerRefused
from offline_queue.ledger_client import HttpLedger, UnsafeLedgerUrl
from offline_queue.terminal_key import KeyUnusable, load_or_create_key, public_key
from offline_queue.timepiece import SystemTimepiece, rfc3339
from offline_queue.wire import OLDEST_PROTOCOL, PROTOCOL, Hello, ProblemCode
from terminal.config import Config, ReaderConfig
from terminal.readers.child import ChildEnded, ReaderChild
from terminal.state_folder import StateUnusable, prepare

OPEN_S: Final = 8.0
"""A PN532 that wakes up, or a camera that starts, is ready by then."""
GIVE_BACK_S: Final = 2.0
ANSWER_S: Final = 5.0


class Word(NamedTuple):
    """What a trial has come to: `said` is what answered, `remedy` what mends it."""

    ok: bool
    said: str
    remedy: str = ""


def open_reader(reader: ReaderConfig) -> Word:
    """Opens it as the till does, and gives it back. A card that lies on it is not read."""
    with tempfile.TemporaryDirectory(prefix="tilld-setup-") as folder:
        try:
            child = ReaderChild(reader.driver, reader.name, Assignment(folder, reader.options, reopened=True))
        except OSError as error:
            return Word(ok=False, said=f"its process could not be started: {error.strerror}")
        try:
            condition = _condition(child, time.monotonic() + OPEN_S)
        except ChildEnded as ended:
            return Word(ok=False, said=f"its process ended: {ended.ending.cause.value} {ended.ending.detail}".strip())
        finally:
            child.dismiss(GIVE_BACK_S)
    return Word(condition.state is ReaderState.READY, condition.detail, condition.remedy or "")


def _condition(child: ReaderChild, deadline: float) -> Condition:
    """Its first word on itself. Raises ChildEnded."""
    with _never() as never:
        while (left := deadline - time.monotonic()) > 0:
            message = child.next(never, left)
            if isinstance(message, Condition):
                return message
    return Condition(ReaderState.FAILING, f"it was not ready after {OPEN_S:.0f} s")


@contextmanager
def _never() -> Iterator[int]:
    """A file descriptor that nothing comes from."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def ask_ledger(config: Config, state: Path) -> Word:
    """Says hello as this till, with the key that the till will use; so a ledger with open enrolment enrols it."""
    place, terminal = config.ledger, config.terminal.id
    try:
        prepare(state)
        key = load_or_create_key(state / "terminal.key")
        ledger = HttpLedger(
            place.url, terminal, key,
            answer_s=ANSWER_S, allow_plain_http=place.plain_http, ca_file=place.ca_file or None,
        )  # fmt: skip
        with closing(ledger):
            said = _greeted(ledger, terminal, public_key(key), new=not (state / "journal.db").exists())
    except (StateUnusable, KeyUnusable, UnsafeLedgerUrl) as error:
        return Word(ok=False, said=str(error))
    except LedgerError as error:
        return _trouble(error, place.url)
    except OSError as error:
        return Word(ok=False, said=f"{error}", remedy=f"chown the till's state folder to its user: {state}")
    return Word(ok=True, said=said)


def _greeted(ledger: HttpLedger, terminal: str, shown: str, *, new: bool) -> str:
    """A till with a past must not say hello without it, for the ledger would believe that it has none.

    Raises LedgerError.
    """
    request = secrets.token_hex(16)
    if not new:
        ledger.changes(request, 0, 1)
        return f"the ledger answered, and knows this till as {terminal}"
    timepiece = SystemTimepiece()
    now = timepiece.unix_ms()
    hello = Hello(
        request, terminal, shown, OLDEST_PROTOCOL, PROTOCOL, f"tilld/{version('tilld')}", [], rfc3339(now)
    )  # fmt: skip
    welcome = ledger.hello(hello)
    return (
        f"the ledger answered: protocol {welcome.protocol}, its time {welcome.time}; it knows this till as {terminal}"
    )


def _trouble(error: LedgerError, url: str) -> Word:
    match error:
        case LedgerRefused() if error.problem.code == ProblemCode.TERMINAL_UNKNOWN:
            return Word(ok=False, said="the ledger answered; it does not know this till yet", remedy=str(error))
        case LedgerRefused():
            return Word(ok=False, said=f"the ledger answered, and refuses: {error}", remedy="ask head office")
        case LedgerProtocolError():
            return Word(ok=False, said=f"{error}", remedy=f"is {url} the ledger's address?")
        case _:
            return Word(ok=False, said=f"{error}", remedy="sales are kept here until it answers")
