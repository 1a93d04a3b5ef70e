"""Who may leave copies at another till, see them and take them away: each named peer its own, and nobody else."""

import contextlib
import http.client
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from offline_queue.ledger_answers import TransientLedgerError
from offline_queue.ledger_client import UnsafeLedgerUrl
from offline_queue.mirror_copy import MAX_COPY_BYTES, Copy, FolderKeeper, MirrorUnreachable
from offline_queue.mirror_peer import PeerKeeper
from offline_queue.room import Room, Space
from offline_queue.signing import authorization, signing_input
from offline_queue.terminal_key import sign
from terminal.api.sockets import CannotListen
from terminal.config_mirror import MirrorConfig
from terminal.mirror import desk as desk_module
from terminal.mirror.desk import MirrorDesk
from terminal.mirror.parts import MirrorServer, Rounds, keeper_of
from tests.offline_queue.copies import KEY, STREAM, TERMINAL, copied, records
from tests.offline_queue.journals import TIMEPIECE

OTHER, OTHER_KEY = "S001-T02", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PATH = f"/v1/mirror/{TERMINAL}"


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


class Peer:
    """Asks as a till does, or as somebody who wants to be taken for one."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, method: str, path: str = PATH, body: bytes = b"", /, **signed: Any) -> tuple[int, str]:
        """The status and the body; `signed` is what the signature says otherwise than the request."""
        told: dict[str, Any] = {
            "terminal": TERMINAL,
            "key": KEY,
            "method": method,
            "path": path,
            "body": body,
            **signed,
        }
        signature = sign(told["key"], signing_input(told["method"], told["path"], told["body"]))
        headers = {"Authorization": authorization(told["terminal"], signature)} if told["terminal"] else {}
        with contextlib.closing(http.client.HTTPConnection(self.address, timeout=30)) as connection:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def leave(self, copy: Copy, **signed: Any) -> tuple[int, str]:
        return self.ask("POST", PATH, msgspec.json.encode(copy), **signed)


@pytest.fixture
def kept(tmp_path: Path) -> FolderKeeper:
    return FolderKeeper(tmp_path / "mirror")


@pytest.fixture
def peer(kept: FolderKeeper, tmp_path: Path) -> Iterator[Peer]:
    desk = MirrorDesk(kept, tmp_path / "journal.db", {TERMINAL: public(KEY), OTHER: public(OTHER_KEY)})
    server = MirrorServer(MirrorConfig(listen="127.0.0.1:0"), desk)
    server.start()
    yield Peer(server.address)
    server.stop()


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        ({"terminal": ""}, "for the peers that its config names"),
        ({"terminal": "S001-T03"}, "for the peers that its config names"),
        ({"terminal": OTHER, "key": OTHER_KEY}, "for the peers that its config names"),
        ({"key": OTHER_KEY}, "not by the key"),
        ({"method": "PUT"}, "not by the key"),
        ({"path": f"/v1/mirror/{OTHER}"}, "not by the key"),
        ({"body": b"something else"}, "not by the key"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nobody_asks_in_the_name_of_a_peer(
    peer: Peer, kept: FolderKeeper, method: str, signed: dict[str, Any], why: str
) -> None:
    """Without a signature, with that of another peer, or with one that was made for another request."""
    kept.keep(copied(records(1)))
    path, body = {"GET": (PATH, b""), "POST": (PATH, b"{}"), "DELETE": (f"{PATH}/{STREAM}/1", b"")}[method]
    status, said = peer.ask(method, path, body, **signed)
    assert (status, why in said) == (401, True)
    assert kept.held(TERMINAL) == {STREAM: 1}


def test_a_stranger_has_nothing_of_its_own_here(peer: Peer, kept: FolderKeeper) -> None:
    """However well it signs for itself: the config does not name it."""
    path = "/v1/mirror/S001-T03"
    copy = msgspec.json.encode(replace(copied(records(1)), terminal="S001-T03"))
    for method, body in (("GET", b""), ("POST", copy)):
        assert peer.ask(method, path, body, terminal="S001-T03", key=OTHER_KEY)[0] == 401
    assert kept.streams() == []


def test_each_peer_sees_and_takes_away_its_own_alone(peer: Peer, kept: FolderKeeper) -> None:
    """A till of the same shop is no less a stranger to another's sales."""
    assert peer.leave(copied(records(2))) == (200, "{}")
    assert peer.ask("GET") == (200, f'{{"{STREAM}":2}}')
    asked = {"terminal": OTHER, "key": OTHER_KEY}
    assert peer.ask("GET", f"/v1/mirror/{OTHER}", **asked) == (200, "{}")
    assert peer.ask("DELETE", f"/v1/mirror/{OTHER}/{STREAM}/2", **asked) == (200, "{}")
    assert kept.held(TERMINAL) == {STREAM: 2}
    assert peer.ask("DELETE", f"{PATH}/{STREAM}/2") == (200, "{}")
    assert kept.held(TERMINAL) == {}


GOOD = copied(records(2))
FORGED = {
    "of another till": replace(GOOD, terminal=OTHER),
    "with a record less": replace(GOOD, records=GOOD.records[:1]),
    "with another place": replace(GOOD, first=2),
    "of another stream": replace(GOOD, stream="6" * 32),
    "with another end": replace(GOOD, head="0" * 64),
    "sealed by nobody": replace(GOOD, seal=""),
    "sealed with what is no base64": replace(GOOD, seal="*" + GOOD.seal),
    "sealed by another till": replace(GOOD, seal=b64encode(OTHER_KEY.sign(b"x")).decode()),
    "under a name that leaves the folder": replace(GOOD, terminal=".."),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_copy_that_could_not_be_delivered_is_not_taken(peer: Peer, kept: FolderKeeper, forgery: str) -> None:
    """Its seal proves whose it is and that it is whole; without that the ledger would not take it from anybody."""
    status, said = peer.leave(FORGED[forgery])
    assert (status, "no sealed copy" in said) == (400, True)
    assert kept.streams() == []


def test_what_is_no_copy_is_not_taken(peer: Peer, kept: FolderKeeper) -> None:
    """Neither something else, nor more than any copy can be."""
    assert peer.ask("POST", PATH, b"call the plumber")[0] == 400
    assert peer.ask("POST", PATH, b"x" * MAX_COPY_BYTES)[0] == 400
    status, said = peer.ask("POST", PATH, b"x" * (MAX_COPY_BYTES + 1))
    assert (status, "so long" in said) == (413, True)
    assert kept.streams() == []


def test_a_name_that_no_stream_has_takes_nothing_away(peer: Peer) -> None:
    """It would become the name of a file."""
    status, said = peer.ask("DELETE", f"{PATH}/notes/1")
    assert (status, "no name" in said) == (400, True)


def test_a_till_needs_its_room_itself(
    peer: Peer, kept: FolderKeeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its own disk runs low, or a peer has left more than enough; what was kept stays, and can be taken away."""
    first, second = copied(records(1)), copied(records(1), stream="6" * 32)
    assert peer.leave(first)[0] == 200
    size = sum(file.stat().st_size for file in kept.folder.glob("*/*"))
    with monkeypatch.context() as patch:
        patch.setattr(desk_module, "MAX_KEPT_BYTES", size - 1)
        assert peer.leave(second) == (507, '{"title":"this till has no room for copies","status":507}')
        patch.setattr(desk_module, "MAX_KEPT_BYTES", size)
        assert peer.leave(second)[0] == 200
    asked: list[Path] = []

    def space(journal: Path) -> Space:
        asked.append(journal)
        return Space(0, 40 * 1024 * 1024)

    with monkeypatch.context() as patch:
        patch.setattr(desk_module, "space", space)
        assert space(tmp_path).room is Room.LOW
        assert peer.leave(copied(records(1), stream="7" * 32))[0] == 507
        assert peer.ask("DELETE", f"{PATH}/{STREAM}/1")[0] == 200
    assert asked[1:] == [tmp_path / "journal.db"]
    assert kept.held(TERMINAL) == {"6" * 32: 1}


def test_a_disk_that_takes_nothing_is_said(peer: Peer, kept: FolderKeeper) -> None:
    """The till that wanted to leave a copy goes on without, and hears why."""
    kept.folder.write_text("no folder")
    assert peer.leave(GOOD) == (503, '{"title":"the copy could not be written","status":503}')
    with (
        contextlib.closing(PeerKeeper(f"http://{peer.address}", TERMINAL, KEY)) as till,
        pytest.raises(MirrorUnreachable, match=r"answered 503: .*could not be written"),
    ):
        till.keep(GOOD)


@pytest.mark.parametrize("answer", ["[]", "no JSON", '{"a":"b"}', "\udcff"])
def test_what_is_no_mirror_is_said(kept: FolderKeeper, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some other server answers at that address: nothing is taken for held there."""
    with contextlib.closing(PeerKeeper("http://127.0.0.1:9", TERMINAL, KEY)) as till:
        monkeypatch.setattr(till, "_ask", lambda *_: answer.encode(errors="surrogateescape"))
        with pytest.raises(MirrorUnreachable, match=r"127\.0\.0\.1:9 is no mirror"):
            till.held(TERMINAL)


class Elsewhere(BaseHTTPRequestHandler):
    """Some server that is no mirror; it notes who was asked for what."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "9999")
        self.end_headers()
        self.wfile.write(b"x" * 9999)

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


def test_copies_go_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold card numbers: whoever answers there cannot send them on, and is not quoted at length."""
    monkeypatch.setattr(Elsewhere, "asked", asked := list[str]())
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with (
            contextlib.closing(PeerKeeper(f"http://127.0.0.1:{server.server_port}", TERMINAL, KEY)) as till,
            pytest.raises(MirrorUnreachable, match=r"answered 307: x{200}$"),
        ):
            till.keep(GOOD)
        server.shutdown()
        thread.join()
    assert asked == [PATH]


def test_beyond_this_machine_only_behind_tls(kept: FolderKeeper, tmp_path: Path) -> None:
    """Neither are copies taken from elsewhere nor sent there in the clear, unless the config says so."""
    server = MirrorServer(MirrorConfig(listen="0.0.0.0:0"), MirrorDesk(kept, tmp_path / "journal.db", {}))
    with pytest.raises(CannotListen):
        server.start()
    server.stop()
    away = MirrorConfig(to="http://192.0.2.1:8770")
    with pytest.raises(UnsafeLedgerUrl):
        keeper_of(away, TERMINAL, KEY)
    keeper_of(replace(away, plain_http=True), TERMINAL, KEY).close()


def test_a_certificate_that_cannot_be_read_is_said_at_the_start(kept: FolderKeeper, tmp_path: Path) -> None:
    """By the names of its config keys; what was started so far is given up, and can be stopped."""
    desk = MirrorDesk(kept, tmp_path / "journal.db", {})
    missing = str(tmp_path / "missing.pem")
    server = MirrorServer(MirrorConfig(listen="127.0.0.1:0", certificate=missing, private_key=missing), desk)
    with pytest.raises(CannotListen, match=r"\[mirror\] certificate and private_key"):
        server.start()
    server.stop()


def test_copies_go_where_the_config_says(tmp_path: Path) -> None:
    """To a folder, or to a peer by its URL."""
    folder = keeper_of(MirrorConfig(to=str(tmp_path)), TERMINAL, KEY)
    assert isinstance(folder, FolderKeeper)
    assert folder.folder == tmp_path
    with contextlib.closing(keeper_of(MirrorConfig(to="http://127.0.0.1:9"), TERMINAL, KEY)) as peer:
        assert isinstance(peer, PeerKeeper)


class Away:
    """A ledger that nobody reaches; it knows which streams were to be brought."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def send(self, header: Any, records: Any) -> Any:
        self.asked.append(header.stream)
        raise TransientLedgerError("no connection")


def test_only_what_is_of_silent_peers_is_brought(kept: FolderKeeper) -> None:
    """From the moment on that the config names, the oldest first; what a peer has just left it brings itself."""
    now = TIMEPIECE.unix_ms() // 1000
    for stream, age in (("5", 99), ("6", 100), ("7", 300), ("8", 0)):
        kept.keep(copied(records(1), stream=stream * 32))
        os.utime(kept.folder / TERMINAL / f"{stream * 32}.jsonl", (now - age, now - age))
    ledger: Any = Away()
    Rounds(kept, ledger, TIMEPIECE, 100).make()
    assert ledger.asked == ["7" * 32, "6" * 32]
    assert len(kept.streams()) == 4


def test_rounds_that_never_began_can_be_stopped(kept: FolderKeeper) -> None:
    """A till that fails in its start ends all that it has; one that runs ends at once, whatever it waits for."""
    Rounds(kept, Away(), TIMEPIECE, 100).stop()  # type: ignore[arg-type]
    rounds = Rounds(kept, Away(), TIMEPIECE, 100)  # type: ignore[arg-type]
    rounds.start()
    rounds.stop()
    assert not rounds._thread.is_alive()
