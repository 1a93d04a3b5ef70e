"""The parts of the till, each made from the ground by one function here; terminal/daemon.py starts and stops them.

A new part: `start` and `stop`, a function that makes it, and its place in the daemon's row.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from offline_queue.inquiries import Inquiries
from offline_queue.journal_marks import LEDGER_KEY
from offline_queue.mirror import Mirror
from offline_queue.mirror_copy import FolderKeeper
from offline_queue.requests import Identity
from offline_queue.sync import Sync
from offline_queue.sync_report import SyncReport
from offline_queue.terminal_key import public_key
from terminal.api.desk import Desk
from terminal.api.guests import Guests
from terminal.api.scans import Scans
from terminal.api.server import ApiServer
from terminal.cards.phone_lookup import PhoneCards, PhoneDesk
from terminal.cards.recognition import recognition_of
from terminal.desks import Surroundings
from terminal.doctor.resident import Resident
from terminal.ground import HISTORY, JOURNAL, SOCKET, Ground
from terminal.history.recorder import Recorder
from terminal.inbox import AccountHeard, AllowanceAnswered, Settled, Welcomed
from terminal.mirror.desk import MirrorDesk
from terminal.mirror.parts import FOLDER, MirrorServer, Rounds, keeper_of
from terminal.readers.hotplug import Hotplug
from terminal.readers.supervisor import ReaderSupervisor
from terminal.readers.tally import Tally
from terminal.till import Till
from terminal.trial.alarm import Alarm
from terminal.trial.talk import TrialDue

if TYPE_CHECKING:
    from terminal.api.nexo.server import NexoServer


class Part(Protocol):
    """Whatever is started with the till and stopped with it."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Lines:
    """What speaks with the ledger: `sync` carries records there, `inquiries` ask it while a customer waits."""

    sync: Sync
    inquiries: Inquiries


@dataclass(frozen=True)
class Mirroring:
    """`own` is this till's own mirror, if it has one; `parts` are all that have to do with copies."""

    own: Mirror | None
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Readers:
    """By their configured names: who watches each reader, and what it has read in its life."""

    supervisors: Mapping[str, ReaderSupervisor]
    tallies: Mapping[str, Tally]

    def hotplug(self) -> Hotplug:
        return Hotplug([reader.look_now for reader in self.supervisors.values()])


def lines(ground: Ground) -> Lines:
    """Both tell the till by its inbox; when the ledger is back, what was asked in vain is asked again."""
    post = ground.inbox.post
    sync = Sync(
        *(ground.store, ground.ledger, ground.timepiece, _identity(ground)),
        on_change=lambda report: _ledger_changed(report, ground, inquiries),
        on_settled=lambda verdicts, balances, cursor: post(Settled(verdicts, balances, cursor)),
        keep_days=ground.config.journal.keep_days,
        on_welcome=lambda word: post(Welcomed(word.time, word.rights, word.recovering)),
        hotlist=ground.directory.hotlist,
    )
    inquiries = Inquiries(
        *(ground.store, ground.ledger, ground.timepiece),
        on_allowance=lambda right, answer: post(AllowanceAnswered(right, answer)),
        on_account=lambda number, account, known: post(AccountHeard(number, account, known)),
        on_heard=sync.heard_elsewhere,
    )
    return Lines(sync, inquiries)


def mirroring(ground: Ground, stack: ExitStack) -> Mirroring:
    """Raises UnsafeLedgerUrl."""
    own = _own_mirror(ground, stack) if ground.config.mirror.to else None
    kept = _kept_for_peers(ground) if ground.config.mirror.listen else ()
    return Mirroring(own, (own, *kept) if own else kept)


def readers(ground: Ground) -> Readers:
    config, state = ground.config, ground.state
    tallies = {reader.name: Tally.of_reader(state, reader.name) for reader in config.readers}
    supervisors = {
        reader.name: ReaderSupervisor(
            *(reader.name, reader.driver, reader.options, ground.inbox.post),
            *(state, ground.timepiece, tallies[reader.name]),
            notes=config.cards.notes,
        )
        for reader in config.readers
    }
    return Readers(supervisors, tallies)


def alarm(ground: Ground) -> Alarm:
    return Alarm(lambda: ground.inbox.report(TrialDue()))


def history(ground: Ground, readers: Readers, stack: ExitStack) -> Recorder:
    """What keeps the last days, with a reader of its own at the journal."""
    journal = ground.store.reader()
    stack.callback(journal.close)
    return Recorder(ground.state / HISTORY, journal.totals, readers.tallies, ground.timepiece)


def till(ground: Ground, lines: Lines, mirroring: Mirroring, readers: Readers, past: Recorder, alarm: Alarm) -> Till:
    mirror = mirroring.own
    return Till(
        Surroundings(
            config=ground.config,
            version=ground.version,
            store=ground.store,
            journal=ground.journal,
            directory=ground.directory,
            timepiece=ground.timepiece,
            recognition=recognition_of(ground.config),
            inquiries=lines.inquiries,
            sync=lines.sync,
            report=ground.inbox.report,
            publish=past.overhearing(ground.notices.publish),
            key=ground.key,
            after_copy=mirror.after_copy if mirror else None,
            write_note=lambda reader, wish: readers.supervisors[reader].write_note(wish),
            mirror=lambda: mirror.report if mirror else None,
            tallies=readers.tallies,
            alarm=alarm.set,
        )
    )


def scans(ground: Ground) -> Scans | None:
    """For Odoo, if the shop gives card numbers to it."""
    chosen = ground.config.hw_proxy
    return Scans(ground.notices) if chosen.enabled and chosen.card_numbers else None


def api(ground: Ground, past: Recorder, scans: Scans | None) -> ApiServer:
    listen, odoo = ground.config.api, ground.config.hw_proxy
    desk = Desk(
        post=ground.inbox.offer,
        notices=ground.notices,
        tokens=ground.tokens,
        listen=listen.listen,
        terminal=ground.terminal,
        version=ground.version,
        hosts=listen.hosts,
        guests=Guests.named(listen.origins, odoo.origins if odoo.enabled else ()),
        hw_proxy=odoo.enabled,
        scans=scans,
        language=ground.config.terminal.language,
        page_language=ground.config.page_language(),
        history=past,
        doctor=doctor(ground),
        find_by_phone=_phones(ground),
    )
    return ApiServer(desk, ground.state / SOCKET)


def nexo(ground: Ground) -> "NexoServer | None":
    """None where the shop has not switched it on; what makes certificates is loaded only then."""
    config = ground.config
    if not config.nexo.enabled:
        return None
    from terminal.api.nexo.server import NexoServer
    from terminal.api.nexo.talk import Shop

    desk = Desk(ground.inbox.offer, ground.notices, ground.tokens, config.nexo.listen, ground.terminal, ground.version)
    shop = Shop(
        poi_id=config.nexo.poi_id or ground.terminal,
        terminal=ground.terminal,
        brand=config.nexo.brand,
        acquirer=urlsplit(config.ledger.url).hostname or "ledger",
        software=ground.version,
        rule=config.programme.points_rule(),
        display=config.nexo.display,
        language=config.terminal.language,
    )
    return NexoServer(desk, shop, ground.state)


def _phones(ground: Ground) -> Callable[[str], PhoneCards] | None:
    region = ground.config.cards.phone_region
    desk = PhoneDesk(ground.ledger, ground.timepiece, region)
    return desk.find if region else None


def doctor(ground: Ground) -> Resident:
    return Resident(ground.config, ground.state, ground.store.synchronous, ground.timepiece)


def _identity(ground: Ground) -> Identity:
    return Identity(ground.terminal, public_key(ground.key), ground.software, ground.config.ledger.public_key or None)


def _ledger_changed(report: SyncReport, ground: Ground, inquiries: Inquiries) -> None:
    if report.reachable:
        inquiries.ledger_reachable()
    ground.inbox.post(report)


def _own_mirror(ground: Ground, stack: ExitStack) -> Mirror:
    chosen = ground.config.mirror
    keeper = keeper_of(chosen, ground.terminal, ground.key)
    stack.callback(keeper.close)
    return Mirror(ground.store, keeper, ground.timepiece, ground.terminal, ground.key, wait_ms=chosen.wait_ms)


def _kept_for_peers(ground: Ground) -> tuple[Part, ...]:
    chosen, kept = ground.config.mirror, FolderKeeper(ground.state / FOLDER)
    server = MirrorServer(chosen, MirrorDesk(kept, ground.state / JOURNAL, chosen.keys()))
    if not chosen.deliver_after_h:
        return (server,)
    ledger_key = partial(_ledger_key, ground)
    return server, Rounds(kept, ground.ledger, ground.timepiece, chosen.deliver_after_h * 3600, ledger_key)


def _ledger_key(ground: Ground) -> str | None:
    """As the shop has named it, or as the till has heard it first."""
    with closing(ground.store.reader()) as journal:
        return ground.config.ledger.public_key or journal.recall(LEDGER_KEY)
