"""The composition root: every part of the till, started in order and stopped in reverse, on one screen."""

import logging
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from drivers.key_file import KeysUnusable
from offline_queue.courier import Identity
from offline_queue.inquiries import Inquiries
from offline_queue.journal import JournalUnusable, Origin
from offline_queue.ledger_client import HttpLedger, UnsafeLedgerUrl
from offline_queue.mirror import Mirror
from offline_queue.mirror_copy import FolderKeeper
from offline_queue.store import Store
from offline_queue.sync import Sync, SyncReport
from offline_queue.terminal_key import KeyUnusable, load_or_create_key, public_key
from offline_queue.timepiece import SystemTimepiece, Timepiece
from terminal import log as logs
from terminal.api.callers import Tokens
from terminal.api.desk import Desk
from terminal.api.server import ApiServer
from terminal.api.sockets import CannotListen
from terminal.config import Config
from terminal.directory import Directory
from terminal.hotplug import Hotplug
from terminal.inbox import AccountHeard, AllowanceAnswered, Inbox, Settled, SyncChanged, Welcomed
from terminal.instance import AlreadyRunning, Instance
from terminal.mirror_desk import MirrorDesk
from terminal.mirror_parts import FOLDER, MirrorServer, Rounds, keeper_of
from terminal.nexo_part import nexo_listener
from terminal.notices import Notices
from terminal.reader_supervisor import ReaderSupervisor
from terminal.reader_tally import Tally
from terminal.recognition import recognition_of
from terminal.state_folder import StateUnusable, prepare
from terminal.systemd import ALIVE, READY, STOPPING, notify, watchdog_s
from terminal.till import Till
from terminal.till_loop import TillLoop

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FINE, CANNOT_START, BROKEN = 0, 2, 4
LOOK_S: Final = 1.0
"""How soon a dead part is noticed."""
MACHINE_ID: Final = Path("/etc/machine-id")

log = logging.getLogger("daemon")


class Part(Protocol):
    """Whatever is started with the till and stopped with it."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


def run(config: Config, state: Path) -> int:
    """Runs until SIGTERM or SIGINT; 0 after a clean stop, 2 when it cannot start, 4 when an essential part died."""
    logs.set_up()
    os.umask(0o077)
    try:
        prepare(state)
        with _told_to_stop() as stop, Instance.claim(state):
            return _serve(config, state, stop)
    except AlreadyRunning as running:
        return _refused(f"{running}.\nStop that one, or give this one a state folder of its own with --state DIR.")
    except (CannotListen, JournalUnusable, KeysUnusable, KeyUnusable, StateUnusable, UnsafeLedgerUrl) as cannot:
        return _refused(str(cannot))
    except (OSError, sqlite3.OperationalError) as error:
        return _refused(
            f"the state folder {state} cannot be used: {error}.\nMake it writable, or name another with --state DIR."
        )


def _serve(config: Config, state: Path, stop: threading.Event) -> int:
    timepiece, software = SystemTimepiece(), version("tilld")
    terminal, start = config.terminal.id, timepiece.random(4).hex()
    tokens, key = Tokens.kept_in(state), load_or_create_key(state / "terminal.key")
    with ExitStack() as stack:
        origin = Origin(terminal, _machine_id(), f"tilld/{software}")
        store = Store.open(state / "journal.db", origin=origin, timepiece=timepiece)
        stack.callback(store.close)
        stack.callback(store.seal)
        journal, directory = store.reader(), Directory.open(state / "directory.db", start)
        stack.callback(journal.close)
        stack.callback(directory.close)
        inbox, notices = Inbox(), Notices(start)
        place = config.ledger
        ledger = HttpLedger(place.url, terminal, key, allow_plain_http=place.plain_http, ca_file=place.ca_file or None)
        stack.callback(ledger.close)
        sync = Sync(
            store,
            ledger,
            timepiece,
            Identity(terminal, public_key(key), f"tilld/{software}", place.public_key or None),
            on_change=lambda report: _ledger_changed(report, inbox, inquiries),
            on_settled=lambda verdicts, balances, cursor: inbox.post(Settled(verdicts, balances, cursor)),
            keep_days=config.journal.keep_days,
            on_welcome=lambda word: inbox.post(Welcomed(word.time, word.rights, word.recovering)),
            hotlist=directory.hotlist,
        )
        inquiries = Inquiries(
            store,
            ledger,
            timepiece,
            on_allowance=lambda right, answer: inbox.post(AllowanceAnswered(right, answer)),
            on_account=lambda number, account, known: inbox.post(AccountHeard(number, account, known)),
            on_heard=sync.heard_elsewhere,
        )
        mirror, mirror_parts = _mirroring(config, state, store, ledger, key, timepiece, stack)
        tallies = {reader.name: Tally.of_reader(state, reader.name) for reader in config.readers}
        readers = {
            reader.name: ReaderSupervisor(
                reader.name, reader.driver, reader.options, inbox.post, state, timepiece, tallies[reader.name],
                notes=config.cards.notes,
            )
            for reader in config.readers
        }  # fmt: skip
        till = Till(
            config, store, journal, directory, inquiries, notices.publish, timepiece,
            report=inbox.report, sync=sync, recognition=recognition_of(config), version=software, key=key,
            after_copy=mirror.after_copy if mirror else None,
            mirror=lambda: mirror.report if mirror else None,
            tallies=tallies,
            write_note=lambda reader, wish: readers[reader].write_note(wish),
        )  # fmt: skip
        till.start()
        for risk in config.risks():
            log.warning("%s", risk)
        loop = TillLoop(till, inbox, on_end=stop.set)
        hotplug = Hotplug([reader.look_now for reader in readers.values()])
        desk = Desk(inbox.offer, notices, tokens, config.api.listen, terminal, software, config.api.hosts)
        api = ApiServer(desk, state / "tilld.sock")
        essential = {
            "the journal": lambda: store.failure is None,
            "the till's thread": loop.alive,
            "the API": api.alive,
        }
        nexo = nexo_listener(config, desk, state)
        if nexo is not None:
            essential["the nexo listener"] = nexo.alive
        listeners = (api,) if nexo is None else (nexo, api)
        _start((loop, inquiries, sync, *mirror_parts, *readers.values(), hotplug, *listeners), stack)
        return watch(loop, essential, api.address, stop)


def _mirroring(
    config: Config,
    state: Path,
    store: Store,
    ledger: HttpLedger,
    key: "Ed25519PrivateKey",
    timepiece: Timepiece,
    stack: ExitStack,
) -> tuple[Mirror | None, list[Part]]:
    """This till's own mirror, if it has one, and all parts that have to do with copies."""
    chosen, mirror, parts = config.mirror, None, list[Part]()
    if chosen.to:
        keeper = keeper_of(chosen, config.terminal.id, key)
        stack.callback(keeper.close)
        mirror = Mirror(store, keeper, timepiece, config.terminal.id, key, wait_ms=chosen.wait_ms)
        parts.append(mirror)
    if chosen.listen:
        kept = FolderKeeper(state / FOLDER)
        parts.append(MirrorServer(chosen, MirrorDesk(kept, state / "journal.db", chosen.keys())))
        if chosen.deliver_after_h:
            parts.append(Rounds(kept, ledger, timepiece, chosen.deliver_after_h * 3600))
    return mirror, parts


def _start(parts: Sequence[Part], stack: ExitStack) -> None:
    """In order; the stack stops them in reverse, those that were started."""
    for part in parts:
        stack.callback(part.stop)
        part.start()


def watch(loop: TillLoop, essential: dict[str, Callable[[], bool]], address: str, stop: threading.Event) -> int:
    """Until told to stop, or until an essential part is dead: half a till must not pass for a whole one."""
    log.info("ready: http://%s/", address)
    notify(READY, f"STATUS=http://{address}/")
    beat_s = watchdog_s()
    while not stop.wait(LOOK_S if beat_s is None else min(LOOK_S, beat_s)):
        if any(not alive() for alive in essential.values()):
            break
        if beat_s is not None and loop.answers(beat_s):
            notify(ALIVE)
    notify(STOPPING)
    dead = [name for name, alive in essential.items() if not alive()]
    if dead:
        log.critical("%s has died; the daemon ends, and what was answered is in the journal", " and ".join(dead))
        return BROKEN
    log.info("stopping: sales in flight are finished first")
    return FINE


def _ledger_changed(report: SyncReport, inbox: Inbox, inquiries: Inquiries) -> None:
    if report.reachable:
        inquiries.ledger_reachable()
    inbox.post(
        SyncChanged(
            report.reachable,
            report.last_success,
            report.next_attempt,
            report.detail,
            report.accepted,
            report.ledger_time,
            report.orders,
        )
    )


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; a second SIGINT ends at once, which costs no record."""
    stop = threading.Event()

    def told(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    earlier = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _machine_id() -> str:
    """systemd's id of this installation (machine-id(5)); empty where there is none."""
    try:
        return MACHINE_ID.read_text().strip()
    except OSError:
        return ""


def _refused(why: str) -> int:
    print(f"tilld: {why}", file=sys.stderr)
    return CANNOT_START
