"""A daemon with a dead part ends, and says which."""

import logging
import os
import socket
from pathlib import Path

import pytest

from terminal.daemon import BROKEN, FINE, watch
from terminal.ending import Ending
from terminal.inbox import Inbox, Stop
from terminal.state_folder import StateUnusable, prepare
from terminal.till_loop import TillLoop


class Nobody:
    """A till that is never asked."""

    stopping = idle = True

    def handle(self, event: object) -> None:
        raise AssertionError(event)


LOOP = TillLoop(Nobody(), Inbox(), lambda: None)


def test_a_dead_part_ends_the_daemon(caplog: pytest.LogCaptureFixture) -> None:
    """With the exit code that systemd starts again on."""
    code = watch(LOOP, {"the journal": lambda: False, "the API": lambda: True}, "127.0.0.1:1", Ending())
    assert code == BROKEN
    assert "the journal has died" in caplog.text


def test_a_stop_with_all_parts_alive_is_fine(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is told but that it stops."""
    stop = Ending()
    stop.set()
    with caplog.at_level(logging.INFO):
        assert watch(LOOP, {"the API": lambda: True}, "127.0.0.1:1", stop) == FINE
    assert "died" not in caplog.text


def test_a_dead_till_thread_is_noticed_at_once() -> None:
    """Its end sets the event that the daemon waits for."""
    stop, inbox = Ending(), Inbox()
    loop = TillLoop(_Failing(), inbox, stop.set)
    loop.start()
    inbox.offer(Stop())
    assert stop.wait(60)
    loop.stop()
    assert watch(loop, {"the till's thread": loop.alive}, "127.0.0.1:1", stop) == BROKEN


class _Failing:
    stopping = idle = False

    def handle(self, event: object) -> None:
        raise ZeroDivisionError(str(event))


def test_a_folder_of_the_till_s_own_is_closed_to_others(tmp_path: Path) -> None:
    """New, empty or with our journal in it: 0700 from now on."""
    for name, content in (("new", None), ("empty", ""), ("ours", "journal.db")):
        folder = tmp_path / name
        if content is not None:
            folder.mkdir(mode=0o755)
        if content:
            (folder / content).touch()
        prepare(folder)
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_need_is_left_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says so; our files in it are private anyway."""
    tmp_path.chmod(0o755)
    (tmp_path / "something").touch()
    prepare(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert "chmod 700" in caplog.text


def test_a_folder_that_everybody_writes_to_is_refused(tmp_path: Path) -> None:
    """Others could put a token that they know in the place of ours."""
    tmp_path.chmod(0o777)
    (tmp_path / "something").touch()
    with pytest.raises(StateUnusable, match=r"every user may write.*\n.*--state DIR"):
        prepare(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["pos.token", "lock"])
def test_what_another_user_has_put_there_is_not_taken_for_ours(tmp_path: Path, name: str) -> None:
    """Neither a token that they know nor a link to what they want overwritten."""
    (tmp_path / name).symlink_to(tmp_path / "target")
    os.chown(tmp_path / name, 65534, 65534, follow_symlinks=False)
    with pytest.raises(StateUnusable, match=f"{name} in it belongs to another user"):
        prepare(tmp_path)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A file is in its way."""
    (tmp_path / "file").touch()
    with pytest.raises(StateUnusable, match="--state DIR"):
        prepare(tmp_path / "file")


@pytest.mark.parametrize("again", [False, True])
def test_systemd_hears_of_an_end_only_where_the_process_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> None:
    """A till that starts anew with another config is not stopping: systemd would wait for it in vain, and kill it."""
    stop = Ending()
    stop.again = again
    stop.set()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert watch(LOOP, {"the API": lambda: True}, "127.0.0.1:1", stop) == FINE
        assert systemd.recv(4096).startswith(b"READY=1")
        if again:
            with pytest.raises(BlockingIOError):
                systemd.recv(4096)
        else:
            assert systemd.recv(4096) == b"STOPPING=1"
