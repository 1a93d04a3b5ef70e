"""Files in which one bit is wrong, as a worn flash card gives them back."""

import random
from collections.abc import Callable
from pathlib import Path


def unseen(path: Path, seen: Callable[[Path], object], *, seed: int, flips: int) -> tuple[list[int], int]:
    """Bends a copy of the file so many times, one bit each, and lets it be `seen`; a str tells how it was found out.

    The places of the bits that changed what is seen without being found out, and how many were found out.
    """
    chance, whole = random.Random(seed), path.read_bytes()
    sound, bent = seen(path), path.with_name("bent.db")
    assert not isinstance(sound, str)
    missed, found = list[int](), 0
    for _ in range(flips):
        place = chance.randrange(len(whole) * 8)
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        bent.write_bytes(changed)
        now = seen(bent)
        missed += [] if now == sound or isinstance(now, str) else [place]
        found += isinstance(now, str)
        for leftover in path.parent.glob("bent.db*"):
            leftover.unlink()
    return missed, found
