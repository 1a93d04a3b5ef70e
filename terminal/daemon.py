"""The composition root: every part of the till, started in order and stopped in reverse, on one screen.

How each part is made stands in terminal/parts.py, what they stand on in terminal/ground.py.
"""

import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from drivers.key_file import KeysUnusable
from offline_queue.journal import JournalUnusable
from offline_queue.ledger_client import UnsafeLedgerUrl
from offline_queue.terminal_key import KeyUnusable
from terminal import log as logs
from terminal import parts
from terminal.api.sockets import CannotListen, refuse_taken
from terminal.config import Config
from terminal.ending import Ending
from terminal.ground import lay
from terminal.instance import AlreadyRunning, Instance
from terminal.parts import Part
from terminal.state_folder import StateUnusable, prepare
from terminal.systemd import ALIVE, READY, STOPPING, notify, watchdog_s
from terminal.till_loop import TillLoop

FINE, CANNOT_START, BROKEN = 0, 2, 4
AGAIN: Final = -1
"""Not an exit code: the till has stopped in order to read its config again."""
LOOK_S: Final = 1.0
"""How soon a dead part is noticed."""

log = logging.getLogger("daemon")


def run(config: Config, state: Path, file: Path | None, stop: Ending) -> int:
    """Runs until `stop` is set; 0 after a clean stop, 2 when it cannot start, 4 when an essential part died.

    AGAIN where it shall start anew, stopped as cleanly. `file` is where the config stands: other commands find it by
    the folder.
    """
    logs.set_up()
    os.umask(0o077)
    try:
        prepare(state)
        with Instance.claim(state, file):
            code = _serve(config, state, stop)
            return AGAIN if code == FINE and stop.again else code
    except AlreadyRunning as running:
        return _refused(f"{running}.\nStop that one, or give this one a state folder of its own with --state DIR.")
    except (CannotListen, JournalUnusable, KeysUnusable, KeyUnusable, StateUnusable, UnsafeLedgerUrl) as cannot:
        return _refused(str(cannot))
    except (OSError, sqlite3.OperationalError) as error:
        return _refused(
            f"the state folder {state} cannot be used: {error}.\nMake it writable, or name another with --state DIR."
        )


def _serve(config: Config, state: Path, stop: Ending) -> int:
    """The whole till on one screen: the ground, then each part, then the row in which they start."""
    refuse_taken(config.api.listen)
    if config.nexo.enabled:
        refuse_taken(config.nexo.listen, section="nexo")
    with ExitStack() as stack:
        ground = lay(config, state, stack)
        lines, mirroring, readers = parts.lines(ground), parts.mirroring(ground, stack), parts.readers(ground)
        past, alarm = parts.history(ground, readers, stack), parts.alarm(ground)
        till = parts.till(ground, lines, mirroring, readers, past, alarm)
        till.start()
        for risk in config.risks():
            log.warning("%s", risk)
        scans = parts.scans(ground)
        loop, api = TillLoop(till, ground.inbox, on_end=stop.set), parts.api(ground, past, scans)
        talking: list[Part] = [loop, lines.inquiries, lines.sync, *mirroring.parts]
        reading: list[Part] = [*readers.supervisors.values(), readers.hotplug(), alarm]
        essential = {
            "the journal": lambda: ground.store.failure is None,
            "the till's thread": loop.alive,
            "the API": api.alive,
        }
        nexo = parts.nexo(ground)
        if nexo is not None:
            essential["the nexo listener"] = nexo.alive
        dialects: list[Part] = [part for part in (scans, nexo) if part is not None]
        _start([*talking, *reading, past, *dialects, api], stack)
        return watch(loop, essential, api.address, stop)


def _start(row: Sequence[Part], stack: ExitStack) -> None:
    """In order; the stack stops them in reverse, those that were started."""
    for part in row:
        stack.callback(part.stop)
        part.start()


def watch(loop: TillLoop, essential: dict[str, Callable[[], bool]], address: str, stop: Ending) -> int:
    """Until told to stop, or until an essential part is dead: half a till must not pass for a whole one."""
    log.info("ready: http://%s/", address)
    notify(READY, f"STATUS=http://{address}/")
    beat_s = watchdog_s()
    while not stop.wait(LOOK_S if beat_s is None else min(LOOK_S, beat_s)):
        if any(not alive() for alive in essential.values()):
            break
        if beat_s is not None and loop.answers(beat_s):
            notify(ALIVE)
    if not stop.again:  # else systemd would wait for the end of this process
        notify(STOPPING)
    dead = [name for name, alive in essential.items() if not alive()]
    if dead:
        log.critical("%s has died; the daemon ends, and what was answered is in the journal", " and ".join(dead))
        return BROKEN
    log.info("stopping: sales in flight are finished first")
    return FINE


def _refused(why: str) -> int:
    print(f"tilld: {why}", file=sys.stderr)
    return CANNOT_START
