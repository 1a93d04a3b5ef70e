"""The ledger on a socket: bound before anything else starts, so that a taken port is said at once."""

import errno
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

import uvicorn
from starlette.applications import Starlette

from offline_queue.config_file import shown

DRAIN_S: Final = 10
"""Requests in flight at SIGTERM have this long; what they brought is committed or will be sent again."""


class CannotListen(Exception):
    """The address is not to be had; the text says why and what to do."""


def address(listen: str) -> tuple[str, int]:
    """HOST:PORT, an IPv6 host in brackets. Raises ValueError."""
    host, _, port = listen.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise ValueError(f"{shown(listen)} is no HOST:PORT, for example 127.0.0.1:8790")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """True for this machine itself, by name or address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise CannotListen(_why(host, port, error)) from error
    # asyncio does this only for sockets that name their protocol; without it each answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use, perhaps by another ledger. `ss -ltnp sport = :{port}` shows who holds"
            f" it; stop that, or choose another port: --listen {host}:{port + 1}"
        )
    if error.errno == errno.EACCES:
        return f"this user may not listen on port {port}; choose one above 1023"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"


class LedgerServer(uvicorn.Server):
    """Serves an application on a bound socket; `ready` is called with its URL once requests are answered."""

    def __init__(self, app: Starlette, listener: socket.socket, ready: Callable[[str], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,  # paths hold card numbers
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=DRAIN_S,
            )
        )
        self._listener, self._ready = listener, ready

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready(self.url)

    def serve_until_stopped(self) -> None:
        """Blocks until SIGTERM, SIGINT or `stop`; requests in flight are answered first."""
        try:
            self.run(sockets=[self._listener])
        finally:
            self._listener.close()

    def stop(self) -> None:
        """May be called from any thread."""
        self.should_exit = True
