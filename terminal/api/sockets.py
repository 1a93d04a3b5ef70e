"""The two addresses that the API listens on, taken before anything starts, and who holds them when they are taken."""

import ipaddress
import socket
from pathlib import Path
from typing import Final

from drivers.local_socket import short_path

BACKLOG: Final = 128

_NOT_LOOPBACK: Final = {
    "api": (
        "[api] listen = {listen!r} is not the loopback: the API speaks plain HTTP with a token."
        " Listen on 127.0.0.1 and put a proxy with TLS in front of it (then name it in [api] hosts)."
    ),
    "nexo": (
        "[nexo] listen = {listen!r} is not the loopback: the POS that speaks nexo runs on this machine."
        " Listen on 127.0.0.1."
    ),
    "mirror": (
        "[mirror] listen = {listen!r} is not the loopback, and copies hold card numbers: name a certificate and"
        " private_key in [mirror], or allow plain_http on a network that is yours alone."
    ),
}


class CannotListen(Exception):
    """The API's address cannot be had; the message says who has it and what to do."""


def bind_tcp(listen: str, *, section: str = "api", beyond: bool = False) -> socket.socket:
    """Binds `HOST:PORT`, on the loopback unless `beyond` it; port 0 takes a free one. Raises CannotListen."""
    host, port = parse_listen(listen, section=section, beyond=beyond)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY; without it each answer waits 40 ms for a delayed ACK.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        held = holder_of(port)
        by = f"held by {held}" if held else error.strerror
        raise CannotListen(
            f"The till cannot listen on {listen}: {by}. End that program, or set another address in [{section}] listen."
        ) from None
    bound.setblocking(False)
    return bound


def refuse_taken(listen: str, *, section: str = "api") -> None:
    """Raises CannotListen: asked before a reader is opened and the ledger is greeted for a till that cannot start."""
    bind_tcp(listen, section=section).close()


def parse_listen(listen: str, *, section: str = "api", beyond: bool = False) -> tuple[str, int]:
    """`127.0.0.1:8780`, `localhost:8780` or `[::1]:8780`. Raises CannotListen for anything but the loopback,
    unless `beyond` it is safe too.
    """
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    host = "127.0.0.1" if host == "localhost" else host
    if not (host and port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536):
        raise CannotListen(f"[{section}] listen = {listen!r} is not HOST:PORT, for example 127.0.0.1:8780.")
    if not (beyond or _is_loopback(host)):
        raise CannotListen(_NOT_LOOPBACK[section].format(listen=listen))
    return host, int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind_unix(path: Path) -> socket.socket:
    """Binds the socket file for its owner alone. What lies there is of a daemon that is gone: the state is locked."""
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(path) as short:
            bound.bind(short)
        path.chmod(0o600)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise CannotListen(f"The till cannot make its socket {path}: {error.strerror}.") from None
    bound.setblocking(False)
    return bound


def holder_of(port: int) -> str | None:
    """`nginx (pid 812)`, as far as this user may see it."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*") if wanted else ():
        try:
            if str(descriptor.readlink()) in wanted:
                process = descriptor.parent.parent
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            # The process has just gone, or it is another user's.
            continue
    return None


def _listening_inodes(port: int) -> set[str]:
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    return {inode for table in tables if table.exists() for inode in listening_inodes(table.read_text(), port)}


def listening_inodes(table: str, port: int) -> set[str]:
    """Pure: the inodes of the sockets that listen on `port`, from the text of /proc/net/tcp (proc(5))."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return {row[9] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}
