"""The web server: uvicorn on a loop and thread of its own, on the TCP address and on the Unix socket."""

import asyncio
import contextlib
import dataclasses
import os
import socket
import threading
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from drivers.local_socket import peer_uid
from terminal.api.app import create_app
from terminal.api.desk import Desk
from terminal.api.problems import Refused
from terminal.api.protocol import ImpatientProtocol
from terminal.api.rooms import Visitor
from terminal.api.sockets import bind_tcp, bind_unix
from terminal.inbox import ReadAbandoned

MAX_CONNECTIONS: Final = 500
"""Half of the usual limit of open files, so that the journal always finds one."""
KEEP_ALIVE_S: Final = 30
STOP_TIME_S: Final = 5
START_TIME_S: Final = 10
TICK_S: Final = 1.0
LAST_MOMENT_S: Final = 0.01
"""A few turns of the loop: it makes the connections that it has accepted."""


class GuardedProtocol(ImpatientProtocol):
    """Knows its peer, and makes room."""

    visitor: Visitor
    app_state: dict[str, Any]
    connections: Any

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        self.visitor = Visitor(connection.family == socket.AF_UNIX, self.loop.time())
        self.app_state = {**self.app_state, "visitor": self.visitor}
        if self.visitor.is_local and _is_stranger(connection):
            transport.abort()
            return
        self._make_room()

    def _make_room(self) -> None:
        """The oldest connection that has not proven to be a POS's goes, so that idle ones keep no sale out."""
        if len(self.connections) <= MAX_CONNECTIONS:
            return
        staying: list[GuardedProtocol] = [one for one in self.connections if not one.transport.is_closing()]
        if len(staying) > MAX_CONNECTIONS:
            strangers = [one for one in staying if not (one.visitor.is_local or one.visitor.proven)]
            min(strangers, key=lambda one: one.visitor.since, default=self).transport.abort()


def _is_stranger(connection: socket.socket) -> bool:
    """Root and the till's own user may; file permissions say the same, this holds when someone loosens them."""
    return peer_uid(connection) not in {0, os.getuid()}


class WebServer(uvicorn.Server):
    """Says when it has started and ends when told, where uvicorn itself would poll ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self._ended = False
        self._end = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.up.set()
        tick = 0
        while not self._ended:
            # The tick renews the Date header.
            await self.on_tick(tick * 10)
            tick += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Leaves nobody waiting: who came in at the last moment is answered, who stays too long is cut off.

        uvicorn counts on the end of the process for both, but this one goes on when the till reads its config again,
        and asyncio forgets a connection that it has accepted when the listener is closed before it is made.
        """
        loop = asyncio.get_running_loop()
        for listener in (one for server in self.servers for one in server.sockets):
            loop.remove_reader(listener)
        await asyncio.sleep(LAST_MOMENT_S)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def end(self) -> None:
        """From any thread, also before it is up and after it has gone."""
        self._ended = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                self._loop.call_soon_threadsafe(self._end.set)


class ApiServer:
    """Binds at `start`, so that a taken address is an error there; serves until `stop`."""

    def __init__(self, desk: Desk, socket_path: Path) -> None:
        self._desk = desk
        self._socket_path = socket_path
        self._uvicorn: WebServer | None = None
        self._thread: threading.Thread | None = None
        self.address = desk.listen

    def start(self) -> None:
        """Raises CannotListen. `address` is the real one afterwards."""
        tcp = bind_tcp(self._desk.listen)
        with contextlib.ExitStack() as in_vain:
            in_vain.callback(tcp.close)
            unix = bind_unix(self._socket_path)
            in_vain.pop_all()
        host, port = tcp.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._uvicorn = WebServer(web_config(create_app(dataclasses.replace(self._desk, listen=self.address))))
        self._thread = threading.Thread(target=self._uvicorn.run, args=([tcp, unix],), name="api", daemon=True)
        self._thread.start()
        self._uvicorn.up.wait(START_TIME_S)

    def alive(self) -> bool:
        """False once the server has died: an essential part, without which the daemon ends."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """No new requests; ends streams and waiting reads, lets sales that were taken finish; bounded in time."""
        if self._uvicorn is None or self._thread is None:
            return
        self._desk.notices.close()
        # With a full inbox the waiting read ends with its connection.
        with contextlib.suppress(Refused):
            self._desk.put(ReadAbandoned("aborted"))
        self._uvicorn.end()
        self._thread.join(STOP_TIME_S + 2)
        self._socket_path.unlink(missing_ok=True)
        self._uvicorn = self._thread = None


def web_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """What every listener for a POS has in common; `options` are uvicorn's, for what is not."""
    common: dict[str, Any] = {
        "http": GuardedProtocol,
        "ws": "none",
        "loop": "asyncio",
        "lifespan": "off",
        "interface": "asgi3",
        "access_log": False,
        "log_config": None,
        "log_level": "error",
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": STOP_TIME_S,
    }
    return uvicorn.Config(app, **{**common, **options})
