"""What systemd is told."""

import os
import socket
from pathlib import Path

import pytest

from terminal.systemd import READY, notify, watchdog_s


def test_words_arrive_as_one_datagram(tmp_path: Path) -> None:
    """On a path as on an abstract address."""
    for address in (str(tmp_path / "notify"), f"@tilld-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(address.replace("@", "\0", 1))
            assert notify(READY, "STATUS=fine", environment={"NOTIFY_SOCKET": address})
            assert systemd.recv(100) == b"READY=1\nSTATUS=fine"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/no/such"}])
def test_without_a_listener_nothing_happens(environment: dict[str, str]) -> None:
    """A till that a person started runs all the same."""
    assert not notify(READY, environment=environment)


def test_the_watchdog_is_fed_twice_as_often_as_needed() -> None:
    """And only where it watches this process."""
    assert watchdog_s({"WATCHDOG_USEC": "30000000"}) == 15
    assert watchdog_s({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}) == 15
    assert watchdog_s({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_s({}) is None
