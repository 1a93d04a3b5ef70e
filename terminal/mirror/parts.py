"""The parts of a till that mirror: what goes elsewhere, what is kept for peers, and what is brought for them."""

import logging
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from offline_queue.delivery import Delivery
from offline_queue.ledger_client import Ledger
from offline_queue.mirror_copy import FolderKeeper, Keeper, MirrorUnreachable
from offline_queue.mirror_peer import PeerKeeper
from offline_queue.timepiece import Timepiece
from terminal.api.protocol import ImpatientProtocol
from terminal.api.server import START_TIME_S, WebServer, web_config
from terminal.api.sockets import CannotListen, bind_tcp
from terminal.config_mirror import MirrorConfig
from terminal.mirror.desk import MirrorDesk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FOLDER: Final = "mirror"
"""In the state folder: copies kept for peers."""
ROUND_S: Final = 900.0
STOP_S: Final = 5.0
AT_ONCE: Final = 32

log = logging.getLogger("mirror")


def keeper_of(config: MirrorConfig, terminal: str, key: "Ed25519PrivateKey") -> Keeper:
    """Where this till's copies go. Raises UnsafeLedgerUrl."""
    if "://" not in config.to:
        return FolderKeeper(Path(config.to))
    return PeerKeeper(config.to, terminal, key, allow_plain_http=config.plain_http, ca_file=config.ca_file or None)


class MirrorServer:
    """Keeps copies for peers between `start` and `stop`. `address` is the real one after `start`."""

    def __init__(self, config: MirrorConfig, desk: MirrorDesk) -> None:
        self._config, self._desk = config, desk
        self.address = config.listen
        self._server: WebServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Raises CannotListen."""
        config = self._config
        listener = bind_tcp(config.listen, section="mirror", beyond=bool(config.certificate) or config.plain_http)
        host, port = listener.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            self._server = WebServer(self._uvicorn_config())
        except (OSError, ssl.SSLError) as error:
            listener.close()
            raise CannotListen(f"[mirror] certificate and private_key cannot be used: {error}.") from error
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="mirror-server", daemon=True
        )
        self._thread.start()
        self._server.up.wait(START_TIME_S)

    def _uvicorn_config(self) -> uvicorn.Config:
        config = web_config(
            self._desk.app(),
            http=ImpatientProtocol,
            limit_concurrency=AT_ONCE,
            timeout_graceful_shutdown=1,
            ssl_certfile=self._config.certificate or None,
            ssl_keyfile=self._config.private_key or None,
        )
        config.load()
        return config

    def stop(self) -> None:
        """Requests under way end first, within a second."""
        if self._server is not None and self._thread is not None:
            self._server.end()
            self._thread.join(STOP_S)
        self._desk.close()


class Rounds:
    """Brings to the ledger what is kept of peers that were silent for `after_s` seconds.

    `ledger_key` tells the ledger's key (base64) as this till knows it by then.
    """

    def __init__(
        self,
        keeper: FolderKeeper,
        ledger: Ledger,
        timepiece: Timepiece,
        after_s: float,
        ledger_key: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._keeper, self._ledger, self._timepiece, self._after_s = keeper, ledger, timepiece, after_s
        self._ledger_key = ledger_key
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror-rounds", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def make(self) -> None:
        """One round. Raises MirrorUnreachable."""
        delivery = Delivery(self._keeper, self._ledger, self._timepiece, self._ledger_key())
        for terminal, stream, kept_at in self._keeper.streams():
            # Both times are this machine's own; a clock that was set meanwhile makes a round early or late, no more.
            if self._timepiece.unix_ms() / 1000 - kept_at >= self._after_s:
                done = delivery.bring(terminal, stream)
                log.warning(
                    "brought copies of %s, silent since %s: %d of %d records are with the ledger%s",
                    terminal,
                    time.strftime("%Y-%m-%d %H:%M", time.localtime(kept_at)),
                    done.accepted,
                    done.kept,
                    f"; {done.trouble}" if done.trouble else "",
                )

    def _run(self) -> None:
        while not self._stopping.wait(ROUND_S):
            try:
                self.make()
            except MirrorUnreachable as error:
                log.warning("copies kept for peers cannot be read: %s", error)
