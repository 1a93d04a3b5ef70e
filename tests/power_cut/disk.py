"""A disk in a file, whose power can be cut.

The file is what the block device holds. What ext4 has not written back yet lives in the memory of the mounted
file system above the loop device, not in this file: a copy of it is the disk at the moment of the cut.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIZE_MB = 48


class NoDisk(Exception):
    """This machine gives no loop device or does not let us mount it."""


def run(*command: str) -> str:
    """Raises NoDisk with what the command said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except FileNotFoundError as error:
        raise NoDisk(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise NoDisk(f"{' '.join(command)}: {error.stderr.strip()}") from error
    return done.stdout.strip()


@dataclass(frozen=True)
class Disk:
    """`folder` is where the file system of `image` is mounted."""

    image: Path
    folder: Path

    def copied(self, to: Path) -> Path:
        """The image as the device holds it now: no sync, no unmount."""
        shutil.copyfile(self.image, to)
        return to


def made(image: Path) -> Path:
    """A fresh ext4 file system in a file, as Debian makes it."""
    with image.open("wb") as file:
        file.truncate(SIZE_MB * 1024 * 1024)
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
    return image


@contextlib.contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Disk]:
    """Replays the file system's journal where the power was cut; always unmounts and gives the device back."""
    folder.mkdir(exist_ok=True)
    device = run("losetup", "--find", "--show", str(image))
    try:
        run("mount", "-t", "ext4", device, str(folder))
        try:
            yield Disk(image, folder)
        finally:
            run("umount", str(folder))
    finally:
        run("losetup", "--detach", device)
