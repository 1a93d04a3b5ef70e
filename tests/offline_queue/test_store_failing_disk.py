"""A disk that fails at any single operation: what was answered with yes is there, what was refused is not, ever."""

import json
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.offline_queue.sales import open_store, put, sale
from tests.virtual.failing_disk import Fault, environment, missing

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def lives(folder: Path, fault: Fault, times: int) -> list[dict[str, Any]]:
    """What became of each life, one for each operation that could fail."""
    plan = folder / "plan"
    plan.write_bytes(bytes(12))
    command = [sys.executable, "-m", "tests.offline_queue.troubled"]
    command += [str(folder), str(plan), fault.name, str(times), "0", "1"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(plan, "journal.db"),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("fault", "times"),
    [(Fault.IO_ERROR, 1), (Fault.IO_ERROR, 3), (Fault.NO_SPACE, 1), (Fault.NO_SPACE, 8), (Fault.TORN, 1)],
)
def test_each_operation_may_fail(tmp_path: Path, fault: Fault, times: int) -> None:
    """Whichever write, sync or truncation it is: yes means durable, no means nothing, and the till goes on after it."""
    told = lives(tmp_path, fault, times)
    assert len(told) > 5, "the disk has failed too seldom to show anything"
    assert [life["failed"] for life in told] == [True] * (len(told) - 1) + [False]
    assert any(life["no"] for life in told)
    for life in told:
        assert life["alive"]
        assert [key for key in life["yes"] if key.startswith("later")] or fault is Fault.NO_SPACE
        _judge(Path(life["left"]), life)
        shutil.rmtree(life["left"])


def _judge(left: Path, life: dict[str, Any]) -> None:
    with closing(open_store(left / "journal.db")) as store, closing(store.reader()) as journal:
        assert journal.verify().ok
        rights = {right.id for right in journal.allowances()}
        held = {name for name in (*life["yes"], *life["no"]) if name in rights or journal.find_key(name) is not None}
        assert held == set(life["yes"]), life
        put(store, sale())
