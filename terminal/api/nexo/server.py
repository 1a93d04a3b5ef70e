"""The nexo listener: uvicorn with TLS on a loop and thread of its own."""

import asyncio
import contextlib
import logging
import ssl
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import uvicorn

from terminal.api.callers import Doorkeeper
from terminal.api.desk import Desk
from terminal.api.guard import own_hosts
from terminal.api.nexo import certificate
from terminal.api.nexo.app import PATH, create_app
from terminal.api.nexo.counter import Counter
from terminal.api.nexo.exchange_log import FILE, ExchangeLog
from terminal.api.nexo.security_key import Encryption, load_or_create
from terminal.api.nexo.talk import Memory, Shop
from terminal.api.problems import Refused
from terminal.api.protocol import HEAD_TIME_S
from terminal.api.server import START_TIME_S, STOP_TIME_S, WebServer, web_config
from terminal.api.sockets import CannotListen, bind_tcp
from terminal.inbox import ReadAbandoned

RENEWAL_S: Final = 3600
"""How often the certificate is looked at; it is renewed weeks before its end."""


log = logging.getLogger("nexo")


Renewal = Callable[[], Coroutine[Any, Any, None]]


class TlsLoop(asyncio.SelectorEventLoop):
    """Whoever connects and says nothing is cut off as soon as one who has finished the handshake and says nothing."""

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        if options.get("ssl"):
            options["ssl_handshake_timeout"] = HEAD_TIME_S
        return await super().create_server(*arguments, **options)


class NexoServer:
    """Binds at `start`, so that a taken address is an error there; serves until `stop`. `state` is the state folder."""

    def __init__(self, desk: Desk, shop: Shop, state: Path) -> None:
        self._desk, self._shop, self._state = desk, shop, state
        self.address = desk.listen
        self._web: WebServer | None = None
        self._log: ExchangeLog | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Raises CannotListen, KeyFileUnusable or OSError. `address` is the real one afterwards."""
        encryption = Encryption(load_or_create(self._state, self._shop.terminal))
        listener = bind_tcp(self._desk.listen, section="nexo")
        host, port = listener.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        with contextlib.ExitStack() as in_vain:
            in_vain.callback(listener.close)
            certified(self._state, self._shop.poi_id, host)
            self._log = ExchangeLog.open(self._state / FILE)
            in_vain.callback(self._log.close)
            self._web = WebServer(self._config(encryption, self._log, host))
            in_vain.pop_all()
        self._thread = threading.Thread(target=self._web.run, args=([listener],), name="nexo", daemon=True)
        self._thread.start()
        self._web.up.wait(START_TIME_S)
        log.info("nexo: https://%s%s; the POS trusts %s", self.address, PATH, self._state / certificate.CA_FILE)

    def alive(self) -> bool:
        """False once the server has died."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """No new messages; ends a waiting read, lets what was taken finish; bounded in time."""
        if self._web is None or self._thread is None:
            return
        with contextlib.suppress(Refused):
            self._desk.put(ReadAbandoned("aborted"))
        self._web.end()
        self._thread.join(STOP_TIME_S + 2)
        if self._log is not None:
            self._log.close()
        self._web = self._thread = self._log = None

    def _config(self, encryption: Encryption, exchanges: ExchangeLog, host: str) -> uvicorn.Config:
        counter = Counter(self._desk, self._shop, Memory(exchanges))
        hosts = own_hosts(self.address, (self.address,))
        app = create_app(counter, encryption, Doorkeeper(self._desk.tokens), hosts, self._shop.language)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._state / certificate.FILE)
        except ssl.SSLError as error:
            raise CannotListen(f"{certificate.FILE} in the state folder cannot be used: {error}. Delete it.") from error
        renew = renewing(self._state, self._shop.poi_id, host, context.load_cert_chain)
        config = web_config(app, loop=TlsLoop, callback_notify=renew, timeout_notify=RENEWAL_S)
        config.load()
        config.ssl = context
        return config


def renewing(state: Path, poi_id: str, host: str, load: Callable[[Path], None]) -> Renewal:
    """Renews the certificate in time; new connections are shown the new one."""

    async def renew() -> None:
        if await asyncio.to_thread(certified, state, poi_id, host):
            load(state / certificate.FILE)

    return renew


def certified(state: Path, poi_id: str, host: str) -> bool:
    """Whether there is a new certificate. One that cannot be renewed (a full disk) serves on: it is good for weeks."""
    try:
        return certificate.ensure(state, poi_id, host, datetime.now(UTC))
    except OSError as error:
        if not (state / certificate.FILE).exists():
            raise
        log.warning("%s cannot be renewed (%s); it is tried again each hour", certificate.FILE, error)
        return False
