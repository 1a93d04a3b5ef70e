"""The clock: points begin and end on calendar days, so a wrong one costs customers points."""

import ctypes
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from terminal.doctor.findings import Check, Finding, Verdict, Who
from terminal.doctor.patient import Patient

SYNCHRONISED: Final = Check(
    "clock.synchronised",
    "The clock is set by the network (NTP)",
    "sudo timedatectl set-ntp true; timedatectl timesync-status",
    Who.ROOT,
)
PLAUSIBLE: Final = Check(
    "clock.plausible",
    "The clock shows a date that can be",
    "Set it with `sudo timedatectl set-time`, then change the clock's battery",
    Who.ROOT,
)
BATTERY: Final = Check(
    "clock.battery",
    "The machine has a clock that goes on without power",
    "Fit a clock module with a battery; until then start the till only with the network up",
    Who.TECHNICIAN,
)
CHECKS: Final = (SYNCHRONISED, PLAUSIBLE, BATTERY)

OLDEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this version was written: without a battery a machine begins at 1970 or at its system's build date."""
NEWEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
TIME_ERROR: Final = 5
"""What adjtimex(2) answers while the kernel's clock is not disciplined."""
_TIMEX_BYTES: Final = 512
"""More than sizeof(struct timex), 208 on 64 bits; all zeros asks and changes nothing."""


def look(patient: Patient) -> Iterator[Finding]:
    yield plausible(datetime.fromtimestamp(time.time(), UTC), patient.machine.word("/proc/sys/kernel/random/boot_id"))
    network = synchronised(kernel_clock(), said_by_timedatectl(patient))
    yield network
    clocks = [path.name for path in patient.machine.glob("/sys/class/rtc/rtc*")]
    yield battery(clocks, network_keeps_it=network.verdict is Verdict.OK)


def plausible(now: datetime, boot_id: str | None) -> Finding:
    """Pure."""
    evidence = f"{now.isoformat(timespec='seconds')}, boot {boot_id or 'unknown'}"
    return PLAUSIBLE.ok(evidence) if OLDEST <= now <= NEWEST else PLAUSIBLE.broken(evidence)


def kernel_clock() -> int | None:
    """What adjtimex(2) answers; None where the system does not let us ask."""
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return state if state >= 0 else None


def said_by_timedatectl(patient: Patient) -> str | None:
    """None where there is none that answers."""
    try:
        said = patient.machine.said("timedatectl", "show")
    except OSError:
        return None
    return said.text if said.code == 0 else None


def network_time(shown: str) -> bool | None:
    """Pure: NTPSynchronized of `timedatectl show`; None where it says nothing of it."""
    fields = dict(line.partition("=")[::2] for line in shown.splitlines())
    return {"yes": True, "no": False}.get(fields.get("NTPSynchronized", "").strip())


_WORDS: Final = {True: "yes", False: "no", None: "silent"}


def synchronised(kernel: int | None, shown: str | None) -> Finding:
    """Pure. The kernel's own word counts where there is no systemd, as in a container."""
    told = network_time(shown) if shown is not None else None
    if told is None and kernel is None:
        return SYNCHRONISED.unknown("neither the kernel nor timedatectl says")
    good = told if told is not None else kernel != TIME_ERROR
    evidence = f"timedatectl: {_WORDS[told]}, adjtimex: {'silent' if kernel is None else kernel}"
    return SYNCHRONISED.ok(evidence) if good else SYNCHRONISED.attention(evidence)


def battery(found: list[str], *, network_keeps_it: bool) -> Finding:
    """Pure. A Raspberry Pi before the 5 has none, which is no fault while the network is there."""
    if found:
        return BATTERY.ok(", ".join(found))
    if network_keeps_it:
        return BATTERY.ok("none, and the network keeps the time; after a power cut it is wrong until then")
    return BATTERY.attention("no real-time clock: after a power cut the time is wrong until the network gives it")
