"""What /proc/self/mountinfo says of the disk under a folder (proc(5)). Pure."""

import re
from pathlib import PurePosixPath
from typing import NamedTuple

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """`options` are the mount's and its file system's together."""

    point: str
    kind: str
    source: str
    options: frozenset[str]


def mounts(mountinfo: str) -> list[Mount]:
    """In the order of the file, in which a later one hides an earlier one; lines that are none are passed over."""
    found = []
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if dash and len(fields) >= 6 and len(rest) >= 3:
            options = frozenset(fields[5].split(",")) | frozenset(rest[2].split(","))
            found.append(Mount(plain(fields[4]), rest[0], plain(rest[1]), options))
    return found


def plain(field: str) -> str:
    """Spaces, tabs, line feeds and backslashes are written as octal numbers there."""
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), field)


def mount_of(folder: str, found: list[Mount]) -> Mount | None:
    """The one that the folder is on: the deepest, and of those the last."""
    path = PurePosixPath(folder)
    fitting = [mount for mount in found if path.is_relative_to(mount.point)]
    return max(reversed(fitting), key=lambda mount: len(PurePosixPath(mount.point).parts), default=None)
