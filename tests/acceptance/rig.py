"""Real processes for acceptance tests and the demo: a ledger, a till, and the POS that talks to it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

TILLD = [sys.executable, "-m", "terminal"]
START_S = 180
STOP_S = 120
PORTS = range(20_000, 32_000)
"""Below those that Linux gives away by itself (net.ipv4.ip_local_port_range: 32768 and more)."""


def tilld(*arguments: str | Path, env: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """One run of the command line, to its end."""
    command = [*TILLD, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, env={**os.environ, **(env or {})})


def asked(*arguments: str | Path) -> Any:
    """What a command says with --json."""
    done = tilld(*arguments, "--json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


class Process:
    """A child that is always ended; its output goes to `log`."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.child: subprocess.Popen[bytes] | None = None

    def spawn(self, command: list[str], env: Mapping[str, str]) -> None:
        with self.log.open("ab") as out:
            self.child = subprocess.Popen(
                command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env={**os.environ, **env}
            )

    def kill(self) -> None:
        """SIGKILL: nothing is said, nothing is tidied."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self.child is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(how)
        try:
            code = self.child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        if self.child.stdout is not None:
            self.child.stdout.close()
        self.child = None
        return code


@contextlib.contextmanager
def ready_socket(folder: Path) -> Iterator[tuple[str, socket.socket]]:
    """systemd's readiness protocol, so that nothing has to poll or sleep."""
    path = folder / "notify.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(path))
        told.settimeout(START_S)
        yield str(path), told


def free_port() -> int:
    """A port that is this process's until it ends, for whoever listens on it again and again.

    The kernel gives it to nobody by itself, and no other test process takes it: each claims its ports by names that
    only one process can have at a time (abstract sockets, unix(7)).
    """
    for offset in range(len(PORTS)):
        port = PORTS[(os.getpid() * 101 + offset) % len(PORTS)]
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0tilld-test-port-{port}")
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            claim.close()
            continue
        claim.detach()
        return port
    raise OSError(f"no port is free from {PORTS.start} to {PORTS.stop - 1}")


class LedgerProcess(Process):
    """`tilld ledger` on a port of its own that it keeps over restarts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "ledger.log")
        self.port = free_port()
        self.database = f"sqlite:///{folder / 'ledger.db'}"

    def start(self, *options: str) -> None:
        listen = f"127.0.0.1:{self.port}"
        command = [*TILLD, "ledger", "--listen", listen, "--database", self.database, *options]
        with self.log.open("ab") as errors:
            self.child = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, env=dict(os.environ)
            )
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert b"listening" in line, self.log.read_text()

    def account(self, number: str) -> Any:
        return asked("ledger", "account", number, "--database", self.database)


class TillProcess(Process):
    """`tilld run` with a state folder and config that survive its deaths."""

    def __init__(self, folder: Path, ledger_url: str, *, extra: str = "", readers: str | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(folder / "till.log")
        self.state = folder / "state"
        self.config = folder / "tilld.toml"
        self.port = free_port()
        chosen = '[[reader]]\nname = "simulated"\ndriver = "simulated"\n' if readers is None else readers
        self.config.write_text(
            f'[api]\nlisten = "127.0.0.1:{self.port}"\n[ledger]\nurl = "{ledger_url}"\n{extra}\n{chosen}'
        )

    def start(self, env: Mapping[str, str] | None = None) -> None:
        with ready_socket(self.config.parent) as (path, told):
            command = [*TILLD, "run", "--config", str(self.config), "--state", str(self.state)]
            self.spawn(command, {**(env or {}), "NOTIFY_SOCKET": path})
            try:
                while b"READY=1" not in told.recv(4096):
                    pass
            except TimeoutError:
                raise AssertionError(f"the till did not start:\n{self.log.read_text()}") from None

    def drain(self) -> None:
        """Asks for a pass and returns when the ledger has custody of everything and has decided it."""
        self.until(lambda status: status["queue"]["queued"] == 0 and status["ledger"]["reachable"])

    def order(self, code: str) -> str:
        """Asks for passes until the till has been told this finding; its words."""
        self.until(lambda status: code in [order["code"] for order in status["ledger"]["orders"]])
        shown = tilld("status", "--state", self.state).stdout
        assert f"attention {code}: " in shown
        return next(line for line in shown.splitlines() if line.startswith(f"attention {code}"))

    def until(self, holds: Callable[[Any], bool]) -> None:
        """Asks for passes until the status holds."""
        watcher = http.client.HTTPConnection("127.0.0.1", self.port, timeout=STOP_S)
        pos = self.pos()
        try:
            watcher.request("GET", "/v1/events", headers={"Authorization": f"Bearer {pos.token}"})
            events = watcher.getresponse()
            while True:
                assert pos.ask("POST", "/v1/sync")[0] == 202
                if holds(pos.ask("GET", "/v1/status")[1]):
                    return
                while not (line := events.readline()).startswith(b"event: sync"):
                    assert line, f"the till has ended:\n{self.log.read_text()}"
        finally:
            watcher.close()
            pos.close()

    def pos(self) -> "Pos":
        return Pos(self.port, (self.state / "pos.token").read_text().strip())


@contextlib.contextmanager
def till_with_ledger(folder: Path) -> Iterator[TillProcess]:
    """A till that runs beside its own ledger, which enrols it and registers whatever card it meets."""
    ledger = LedgerProcess(folder)
    till = TillProcess(folder / "till", f"http://127.0.0.1:{ledger.port}")
    try:
        ledger.start("--unknown-cards", "register", "--enrolment", "open")
        till.start()
        yield till
    finally:
        till.stop()
        ledger.stop()


class Pos:
    """A POS: one keep-alive connection, the token, JSON."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Mapping[str, str]]:
        """Status, JSON and headers. Raises OSError or HTTPException when the till is gone."""
        sent = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = None
        if body is not None:
            data = json.dumps(body)
            sent["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, data, sent)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        return answer.status, json.loads(text) if text else None, answer.headers

    def transaction(self, key: str, kind: str, **fields: Any) -> tuple[int, Any]:
        status, answer, _ = self.ask("POST", "/v1/transactions", {"kind": kind, **fields}, Idempotency_Key=key)
        return status, answer

    def redeem(self, key: str, **fields: Any) -> tuple[int, Any]:
        """Asked again as it was while the ledger takes longer than a customer waits: a loaded machine is slow."""
        while (heard := self.transaction(key, "redeem", **fields))[1].get("code") == "offline_limit":
            pass
        return heard

    def close(self) -> None:
        self.connection.close()
