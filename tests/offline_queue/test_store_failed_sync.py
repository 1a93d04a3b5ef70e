"""A disk that takes a commit's bytes and then cannot sync them: what was refused must never come back."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from offline_queue.journal import NotRecorded
from tests.offline_queue.sales import open_store, put, sale

ROOT = Path(__file__).parents[2]


def victim(path: Path) -> None:
    """Sells at each line that it reads, and says what became of it."""
    store = open_store(path, seed=-7)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            put(store, sale(key=line.strip()))
        except NotRecorded:
            print("refused", flush=True)
        else:
            print("recorded", flush=True)


@contextmanager
def no_sync(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Every sync of the process fails meanwhile."""
    command = ["strace", "-f", "-p", str(process.pid), "-e", "trace=fdatasync,fsync"]
    command += ["-e", "inject=fdatasync,fsync:error=EIO", "-o", "/dev/null"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            tracer.wait(60)
            pytest.skip(f"this machine lets nobody trace: {said.strip()}")
        try:
            yield
        finally:
            tracer.terminate()


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, to fail a sync")
def test_what_a_failed_sync_refused_stays_refused(path: Path) -> None:
    """The bytes of the commit are in the log already when its sync fails; the process dies before another commit."""
    command = [sys.executable, "-c", f"from {__name__} import victim, Path; victim(Path({str(path)!r}))"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as till:
        assert till.stdin is not None
        assert till.stdout is not None
        assert till.stdout.readline() == "ready\n"
        answers = []
        with no_sync(till):
            till.stdin.write("refused\n")
            till.stdin.flush()
            answers.append(till.stdout.readline())
            till.kill()
    assert answers == ["refused\n"]
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        assert reader.find_key("refused") is None
        assert reader.verify().ok
        assert not put(store, sale(key="refused")).replayed
