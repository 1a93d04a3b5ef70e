"""What every part of the till stands on: config, keys, store, books and mailboxes, opened before any part starts."""

from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from offline_queue.journal import Origin
from offline_queue.journal_reader import JournalReader
from offline_queue.ledger_client import HttpLedger
from offline_queue.store import Store
from offline_queue.terminal_key import load_or_create_key
from offline_queue.timepiece import SystemTimepiece, Timepiece
from terminal.api.callers import Tokens
from terminal.cards.directory import Directory
from terminal.config import Config
from terminal.inbox import Inbox
from terminal.notices import Notices

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

JOURNAL: Final = "journal.db"
DIRECTORY: Final = "directory.db"
HISTORY: Final = "history.jsonl"
KEY: Final = "terminal.key"
SOCKET: Final = "tilld.sock"
MACHINE_ID: Final = Path("/etc/machine-id")


@dataclass(frozen=True)
class Ground:
    """`state` is the state folder, `version` this software's; `journal` reads what `store` writes.

    `inbox` brings events to the till's thread, `notices` take its news to whoever watches.
    """

    config: Config
    state: Path
    version: str
    timepiece: Timepiece
    tokens: Tokens
    key: "Ed25519PrivateKey"
    store: Store
    journal: JournalReader
    directory: Directory
    ledger: HttpLedger
    inbox: Inbox
    notices: Notices

    @property
    def terminal(self) -> str:
        return self.config.terminal.id

    @property
    def software(self) -> str:
        """How this till names itself to others."""
        return f"tilld/{self.version}"


def lay(config: Config, state: Path, stack: ExitStack) -> Ground:
    """Opens it all; `stack` closes it. Raises JournalUnusable, KeyUnusable, UnsafeLedgerUrl, OSError."""
    timepiece, running = SystemTimepiece(), version("tilld")
    start = timepiece.random(4).hex()
    tokens, key = Tokens.kept_in(state), load_or_create_key(state / KEY)
    store = _store(Origin(config.terminal.id, _machine_id(), f"tilld/{running}"), state, timepiece, stack)
    journal = store.reader()
    stack.callback(journal.close)
    directory = Directory.open(state / DIRECTORY, start)
    stack.callback(directory.close)
    ledger = _ledger(config, key)
    stack.callback(ledger.close)
    return Ground(
        *(config, state, running, timepiece, tokens, key),
        *(store, journal, directory, ledger, Inbox(), Notices(start)),
    )


def _store(origin: Origin, state: Path, timepiece: Timepiece, stack: ExitStack) -> Store:
    """Sealed before it is closed: the next start finds every answer in the journal proper."""
    store = Store.open(state / JOURNAL, origin=origin, timepiece=timepiece)
    stack.callback(store.close)
    stack.callback(store.seal)
    return store


def _ledger(config: Config, key: "Ed25519PrivateKey") -> HttpLedger:
    place = config.ledger
    return HttpLedger(
        place.url, config.terminal.id, key, allow_plain_http=place.plain_http, ca_file=place.ca_file or None
    )


def _machine_id() -> str:
    """systemd's id of this installation (machine-id(5)); empty where there is none."""
    try:
        return MACHINE_ID.read_text().strip()
    except OSError:
        return ""
