"""The till's one thread: takes events from the inbox and hands them to the till, one after the other."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol

from terminal.inbox import Asked, Event, Inbox, InboxFull, Stop

DRAIN_S: Final = 10.0
"""More than a commit on the slowest disk takes."""
LOOK_S: Final = 1.0

log = logging.getLogger("till")


class Handler(Protocol):
    """`stopping` once Stop was handled; `idle` when nothing that was taken is without its answer."""

    @property
    def stopping(self) -> bool: ...

    @property
    def idle(self) -> bool: ...

    def handle(self, event: Event) -> None: ...


class TillLoop:
    """`on_end` is called when the thread ends, however it ends."""

    def __init__(self, till: Handler, inbox: Inbox, on_end: Callable[[], None]) -> None:
        self._till = till
        self._inbox = inbox
        self._on_end = on_end
        self._over = False
        self._thread = threading.Thread(target=self._run, name="till", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def alive(self) -> bool:
        """False as soon as it takes nothing any more, though its thread may still be leaving."""
        return self._thread.is_alive() and not self._over

    def answers(self, within_s: float) -> bool:
        """True when the thread takes a question from the inbox and answers it in that time."""
        reply: Future[Any] = Future()
        try:
            self._inbox.offer(Asked("health", "", reply))
            return bool(reply.result(within_s))
        except (TimeoutError, InboxFull):
            return False

    def stop(self) -> None:
        """What was taken is answered first; bounded by DRAIN_S."""
        if self._thread.is_alive():
            self._inbox.report(Stop())
            self._thread.join(DRAIN_S)

    def _run(self) -> None:
        try:
            while not (self._till.stopping and self._till.idle):
                event = self._inbox.take(LOOK_S if self._till.stopping else None)
                if event is not None:
                    self._till.handle(event)
        except Exception:
            # The till's state may be wrong now, so the process ends and is started anew; the journal is whole.
            log.exception("the till's thread failed")
        finally:
            self._over = True
            self._on_end()
