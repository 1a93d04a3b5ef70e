"""python -m tests.simulation SEED replays one schedule; FIRST-LAST runs them all and names those that fail."""

import sys
import time

from tests.simulation.world import run


def main() -> int:
    first, _, last = sys.argv[1].partition("-")
    began, failed = time.monotonic(), 0
    for seed in range(int(first), int(last or first) + 1):
        try:
            world = run(seed)
        except AssertionError as error:
            failed += 1
            print(f"seed {seed}: {error}")
            if not last:
                raise
        else:
            if not last:
                print("\n".join(world.events))
    print(f"{failed} schedules failed, {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
