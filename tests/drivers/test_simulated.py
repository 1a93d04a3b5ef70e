"""The simulated reader's socket: however deep it lies, and for nobody but its own user."""

import os
import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest

from drivers import simulated
from drivers.base import CardRead, Condition, Place
from drivers.local_socket import peer_uid
from drivers.simulated import NotTapped, Options, Reader, Tap, tap


def opened(folder: Path) -> Reader:
    reader = Reader(Place("counter", str(folder)), Options())
    reader.open()
    assert isinstance(reader.read(1), Condition)
    return reader


def presented(reader: Reader, path: Path) -> tuple[object, Exception | None]:
    """What the reader reports of a tap, and what the one who taps is told."""
    trouble: list[Exception] = []

    def present() -> None:
        try:
            tap(path, Tap(card="2990000000017"))
        except NotTapped as why:
            trouble.append(why)

    client = threading.Thread(target=present)
    client.start()
    report = reader.read(10)
    client.join(60)
    return report, trouble[0] if trouble else None


def test_a_card_is_tapped_however_deep_the_folder_lies(tmp_path: Path) -> None:
    """A path of more than 107 bytes is no socket's name for the kernel."""
    folder = tmp_path.joinpath(*["a-folder-of-a-long-name"] * 6)
    folder.mkdir(parents=True)
    with closing(opened(folder)) as reader:
        report, trouble = presented(reader, folder / "counter.sock")
    assert isinstance(report, CardRead)
    assert (report.data, trouble) == ("2990000000017", None)
    assert not (folder / "counter.sock").exists()


def test_another_user_presents_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the folder's permissions let through."""
    monkeypatch.setattr(simulated, "peer_uid", lambda _: os.getuid() + 1)
    with closing(opened(tmp_path)) as reader:
        report, trouble = presented(reader, tmp_path / "counter.sock")
    assert report is None
    assert "another user" in str(trouble)


def test_the_kernel_tells_who_is_at_the_other_end(tmp_path: Path) -> None:
    """Our own process is ours."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer_uid(ours) == os.getuid()
