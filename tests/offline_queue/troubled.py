"""A till on a failing disk: for each operation of its journal one life in which just that one fails.

Run as `python -m tests.offline_queue.troubled FOLDER PLAN FAULT TIMES FIRST STEP`, with the disk's shim loaded. Each
life ends as by `kill -9`: what is on the disk is copied and judged by somebody else. Prints one JSON line for each:
what was answered with yes, what was refused, and whether the disk had failed at all.
"""

import json
import shutil
import sys
from pathlib import Path

from offline_queue.journal import NotRecorded
from offline_queue.store import Store
from tests.offline_queue.sales import open_store, put, right, sale
from tests.virtual.failing_disk import Fault, Plan

SALES = 6
LONGEST = 400
"""Operations in a life; the disk of the last one does not fail any more."""


def lived(folder: Path, plan: Plan, fault: Fault, times: int, after: int) -> dict[str, object]:
    store = open_store(folder / "journal.db", seed=after)
    told: dict[str, list[str]] = {"yes": [], "no": []}
    plan.fail(fault, after=after, times=times)
    for number in range(SALES):
        _sell(store, f"sale-{after}-{number}", told)
        if number == SALES // 2:
            _wish(store, f"right-{after}", told)
    failed = plan.heal()
    for number in range(2):
        _sell(store, f"later-{after}-{number}", told)
    left = folder.with_name(f"{folder.name}.left")
    shutil.copytree(folder, left)
    store.close()
    return {"left": str(left), "failed": failed, "alive": store.failure is None, **told}


def _sell(store: Store, key: str, told: dict[str, list[str]]) -> None:
    try:
        put(store, sale(key=key))
    except NotRecorded:
        told["no"].append(key)
    else:
        told["yes"].append(key)


def _wish(store: Store, name: str, told: dict[str, list[str]]) -> None:
    """Work that goes another way through the writer than a plain sale."""
    try:
        store.ask_allowance(right(name))
    except NotRecorded:
        told["no"].append(name)
    else:
        told["yes"].append(name)


def main(folder: Path, plan: Plan, fault: Fault, times: int, first: int, step: int) -> None:
    for after in range(first, LONGEST, step):
        life = folder / f"{fault.name}-{times}-{after}"
        life.mkdir()
        told = lived(life, plan, fault, times, after)
        print(json.dumps(told), flush=True)
        if not told["failed"]:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Plan(Path(sys.argv[2])), Fault[sys.argv[3]], *map(int, sys.argv[4:7]))
