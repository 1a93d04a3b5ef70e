"""What holds for all tests: where their files are, how properties are tried, and that Ctrl-C reaches what they start.

Files are in memory, since the tests wait for a hundred thousand commits.

No proof is lost by that. A killed process leaves its files in the kernel's memory in any case, and where the power is
cut (tests/power_cut) the disk is an image: what counts is what was written through to it.
"""

import os
import signal
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 << 30
"""Several times what the tests leave lying about; a container often has less, and then they take the usual place."""


def _in_memory() -> bool:
    try:
        about = os.statvfs(MEMORY)
    except OSError:
        return False
    runs_programs = not about.f_flag & os.ST_NOEXEC
    return runs_programs and about.f_bavail * about.f_frsize > ROOM_BYTES and os.access(MEMORY, os.W_OK)


if "TMPDIR" not in os.environ and _in_memory():
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

# A shell starts what runs in its background with SIGINT ignored (POSIX.1-2017, XCU 2.11), and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Nothing is held to the wall clock. Whoever runs pytest tries what nobody has tried yet; the gate tries what it tried
# before, so that the same code always gets the same verdict.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("gate", settings.get_profile("explore"), derandomize=True)
settings.load_profile("explore")
