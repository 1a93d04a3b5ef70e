"""python -m tests.simulation [--load LOAD] SEED replays one schedule; FIRST-LAST runs them all over all cores."""

import argparse
import logging

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.loads import LOADS
from tests.simulation.run import LAST_EVENTS, Tally, over_all_cores
from tests.simulation.stage import staged
from tests.simulation.templates import new_folder
from tests.simulation.world import again_at, made


def replay(load: str, seed: int, console: Console) -> int:
    """One schedule, with its last events where it fails and all of them where it does not."""
    logging.disable()
    with new_folder() as folder, staged():
        world = made(seed, LOADS[load], folder)
        try:
            world.run(again=again_at(seed))
        except Exception:
            console.print(*world.events[-LAST_EVENTS:], sep="\n", highlight=False)
            raise
        finally:
            world.close()
    console.print(*world.events, sep="\n", highlight=False)
    console.print(f"{load} {seed}: {len(world.told)} sales answered, all invariants hold")
    return 0


def many(load: str, seeds: range, console: Console) -> Tally:
    """With progress; failures are printed as they are found, with the line that replays them."""
    tally = Tally()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"{load}, seeds {seeds[0]}-{seeds[-1]}", total=len(seeds))
        for share in over_all_cores(load, seeds):
            tally.add(share)
            progress.advance(task, share.schedules)
            for failure in share.failures:
                console.print(str(failure), highlight=False, markup=False)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--load", choices=LOADS, default="mixed")
    parser.add_argument("seeds", metavar="SEED or FIRST-LAST")
    told, console = parser.parse_args(), Console(soft_wrap=True)
    first, _, last = told.seeds.partition("-")
    if not last:
        return replay(told.load, int(first), console)
    tally = many(told.load, range(int(first), int(last) + 1), console)
    console.print(
        f"{tally.schedules} schedules of load {told.load}: {len(tally.failures)} failed; {tally.told} sales answered,"
        f" {tally.burnt} burnt with their only copy, {tally.restored} ledgers put back, {tally.copied} tills copied,"
        f" put back or burnt; {1000 * tally.seconds / tally.schedules:.0f} ms each"
    )
    return 1 if tally.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
