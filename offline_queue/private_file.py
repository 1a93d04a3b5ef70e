"""Files that hold card numbers or secrets, written where a person says."""

import os
import stat
from pathlib import Path
from typing import BinaryIO


def written_privately(path: Path) -> BinaryIO:
    """Open for writing from its beginning, for its owner alone, also where it was there and open to others.

    What is no file, a pipe or /dev/null, keeps its mode. Raises OSError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "wb")
    except BaseException:
        os.close(descriptor)
        raise
