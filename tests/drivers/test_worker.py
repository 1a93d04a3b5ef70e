"""The reader's process and its parent's end."""

import os
import subprocess
import sys
from pathlib import Path


def test_a_parent_that_was_killed_leaves_no_traceback(tmp_path: Path) -> None:
    """Its log is read by a technician; the reader gives its device back and ends without a word."""
    heard, told = os.pipe()
    command = [sys.executable, "-m", "drivers.worker", "simulated", "counter", str(told)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[told]) as worker:
        os.close(told)
        assert worker.stdin is not None
        worker.stdin.write(b'{"folder":"%s"}\n' % os.fsencode(tmp_path))
        worker.stdin.flush()
        assert b"ready" in os.read(heard, 4096)
        os.close(heard)
        worker.wait(20)
        _, errors = worker.communicate()
    assert (worker.returncode, errors) == (0, b"")
    assert not (tmp_path / "counter.sock").exists()
