"""Words to systemd (sd_notify(3)): one datagram on the socket that $NOTIFY_SOCKET names; silent without it."""

import os
import socket
from collections.abc import Mapping
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"


def notify(*words: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Sends e.g. READY, STOPPING, ALIVE or `STATUS=text`; False when nobody listens."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        try:
            line.sendto("\n".join(words).encode(), address.replace("@", "\0", 1))
        except OSError:
            return False  # systemd restarting must not stop a till
    return True


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often ALIVE is due, in seconds: half of what systemd allows; None when it watches nothing or another pid."""
    allowed, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not allowed.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(allowed) / 2_000_000
