"""A PostgreSQL server of the tests' own: Debian's programs, a folder, a Unix socket, durable as in production."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

PROGRAMS: Final = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
MISSING: Final = "no PostgreSQL server programs (on Debian: apt-get install postgresql)"
SETTINGS: Final = (
    "listen_addresses=",
    "max_connections=100",
    "shared_buffers=64MB",
    "deadlock_timeout=200ms",
    "log_min_messages=warning",
)
"""fsync and full_page_writes are on by default, and stay so."""


class Cluster:
    """A running server, and its one database by URL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"postgresql://till@/postgres?host={folder}"

    def emptied(self) -> str:
        """The URL of a database without books."""
        self.run("DROP SCHEMA IF EXISTS tilld CASCADE")
        return self.url

    def run(self, statement: str) -> None:
        with self.connected() as connection:
            connection.execute(statement.encode())

    def connected(self) -> "psycopg.Connection[Any]":
        """For a test to look in, or to stand in the way."""
        import psycopg

        connection = psycopg.connect(self.url, autocommit=True)
        connection.execute("SET search_path = tilld")
        return connection

    def restart(self) -> None:
        """All connections are lost."""
        _run("pg_ctl", "restart", "-w", "-m", "fast", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"))

    def log(self) -> str:
        return (self.folder / "log").read_text()


def programs() -> Path:
    """The folder of the newest server's programs."""
    assert PROGRAMS is not None, MISSING
    return PROGRAMS


@contextmanager
def cluster(*settings: str, within: Path | None = None) -> Iterator[Cluster]:
    """Starts and stops a server in a folder of its own; as an unprivileged user, since it refuses to be root."""
    folder = Path(tempfile.mkdtemp(prefix="tilld-pg-", dir=within))
    try:
        _own(folder)
        _run(
            "initdb",
            "--pgdata",
            str(folder / "data"),
            "--username=till",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
        )
        options = " ".join(f"-c {setting}" for setting in (*SETTINGS, *settings, f"unix_socket_directories={folder}"))
        _run("pg_ctl", "start", "-w", "-D", str(folder / "data"), "-l", str(folder / "log"), "-o", options)
        try:
            yield Cluster(folder)
        finally:
            _run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(folder / "data"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> pwd.struct_passwd | None:
    """Who the server runs as when the tests are root's."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _own(folder: Path) -> None:
    if user := _user():
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o755)


def _run(program: str, *arguments: str) -> None:
    user = _user()
    done = subprocess.run(
        [programs() / program, *arguments],
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
        check=False,
        text=True,
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"
