"""What must outlive a power cut: the names in a folder, as well as the bytes of its files."""

import os
from pathlib import Path


def sync_to_disk(path: Path) -> None:
    """Waits until the disk has it (fsync(2)): a file's bytes, or a folder's names after one was made or renamed there.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
