"""Other users of the machine, and tokens that are no longer, or never were, this till's."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.rig import TillProcess, free_port
from tests.attacks.conftest import RealApi

NOBODY = 65534
KNOCK = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
connection = socket.socket(socket.AF_UNIX); connection.settimeout(60)
try:
    connection.connect(sys.argv[1])
    connection.sendall(b"GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    print("answered" if connection.recv(100) else "hung up on")
except OSError as error:
    print("refused by the kernel" if isinstance(error, PermissionError) else "hung up on")
"""
LOOK = """
import os, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for path in sys.argv[1:]:
    try:
        open(path, "rb").read(); print("read", path)
    except PermissionError: pass
"""


def as_nobody(script: str, *arguments: object) -> str:
    """What a process of another user prints."""
    command = [sys.executable, "-I", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_has_no_part_in_the_socket(real: TillProcess, api: RealApi) -> None:
    """Neither through the folder, nor when somebody has opened folder and socket to all: the kernel says who it is."""
    unix = real.state / "tilld.sock"
    assert as_nobody(KNOCK, unix) == "refused by the kernel"
    opened = [path for path in (unix, *unix.parents) if stat.S_IMODE(path.stat().st_mode) & 0o007 != 0o007]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in opened}
    try:
        for path in opened:
            path.chmod(0o777)
        assert as_nobody(KNOCK, unix) == "hung up on"
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert api.ask("GET", "/healthz").status == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_reads_none_of_the_tills_files(real: TillProcess) -> None:
    """Tokens, keys, journal and cards are for the till's user alone, even in a folder that was opened by mistake."""
    kept = [path for path in real.state.rglob("*") if path.is_file()]
    assert {"pos.token", "technician.token", "terminal.key", "journal.db"} <= {path.name for path in kept}
    opened = [path for path in (real.state, *real.state.parents) if path.stat().st_mode & 0o005 != 0o005]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in opened}
    try:
        for path in opened:
            path.chmod(0o755)
        assert as_nobody(LOOK, *kept) == ""
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def test_a_token_of_another_till_opens_nothing(real: TillProcess, api: RealApi, tmp_path: Path) -> None:
    """Each till makes its own; and a technician's is no other till's either."""
    other = TillProcess(tmp_path / "other", f"http://127.0.0.1:{free_port()}")
    other.start()
    try:
        theirs = RealApi(other)
        assert theirs.ask("GET", "/v1/status", token=api.token).status == 401
        assert theirs.ask("GET", "/v1/status", token=api.technician).status == 401
        assert api.ask("GET", "/v1/status", token=theirs.token).status in {401, 429}
        old = theirs.token
        other.stop()
        (other.state / "pos.token").unlink()
        other.start()
        renewed = RealApi(other)
        assert renewed.ask("GET", "/v1/status", token=old).status == 401
        assert renewed.ask("GET", "/v1/status").status == 200
    finally:
        other.stop()


@pytest.mark.parametrize("scheme", ["", "Basic ", "Bearer  x ", "bearer", "Token "])
def test_the_token_counts_only_as_a_bearer(api: RealApi, scheme: str) -> None:
    """In no other scheme, not in the query, not as a cookie, not cut, not lengthened."""
    asked = f"GET /v1/status?token={api.token} HTTP/1.1\r\nHost: {api.address}\r\nCookie: tilld_page={api.token}\r\n"
    for token in (api.token, api.token[:-1], api.token + "x", api.token.swapcase()):
        if (scheme, token) != ("bearer ", api.token):
            answer = api.raw(f"{asked}Authorization: {scheme}{token}\r\nConnection: close\r\n\r\n".encode())
            assert answer.split()[1] in {b"401", b"429"}


def test_the_till_listens_on_the_loopback_alone(real: TillProcess) -> None:
    """The kernel's own table of this process's sockets: no address but 127.0.0.1 and the Unix socket."""
    assert real.child is not None
    inodes = {str(fd.readlink()) for fd in Path(f"/proc/{real.child.pid}/fd").iterdir()}
    rows = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    listening = {row[1].rpartition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}
    assert listening == {"0100007F"}
    with socket.socket() as probe, pytest.raises(OSError):
        probe.connect(("127.0.0.2", real.port))
