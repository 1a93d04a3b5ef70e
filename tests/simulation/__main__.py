"""python -m tests.simulation SEED replays one schedule; FIRST-LAST runs them all and names those that fail."""

import logging
import sys
import time
import traceback

from tests.simulation.world import run


def main() -> int:
    logging.disable()
    first, _, last = sys.argv[1].partition("-")
    began, failed = time.monotonic(), 0
    for seed in range(int(first), int(last or first) + 1):
        try:
            world = run(seed)
        except AssertionError as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"seed {seed}: {error or where.line} ({where.name})")
            if not last:
                raise
        else:
            if not last:
                print("\n".join(world.events))
    print(f"{failed} schedules failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
