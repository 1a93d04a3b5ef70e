"""NATS JetStream as a contender: a server of its own on a free port, one file stream, the key as message id."""

import asyncio
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from offline_queue.entry import Entry, encode

CONFIG = """
listen: 127.0.0.1:{port}
jetstream {{ store_dir: "{folder}"{sync} }}
"""


def server() -> str | None:
    """The server beside this Python, else the one on the PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    return str(beside) if beside.exists() else shutil.which("nats-server")


def version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


def can_sync_always(program: str, folder: Path) -> bool:
    """Servers before 2.10 do not know `sync_interval`: they sync every two minutes, whatever they acknowledge."""
    config = folder / "probe.conf"
    config.write_text(CONFIG.format(port=0, folder=folder, sync=", sync_interval: always"))
    return subprocess.run([program, "-c", str(config), "-t"], capture_output=True, check=False).returncode == 0


class JetStream:
    """`append` publishes and waits for the acknowledgement; callers share one connection."""

    def __init__(self, folder: Path, *, always: bool) -> None:
        program = server()
        assert program is not None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        config = folder / "nats.conf"
        config.write_text(CONFIG.format(port=port, folder=folder, sync=", sync_interval: always" if always else ""))
        self._process = subprocess.Popen(
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._connection: Any = self._run(self._connect(port))

    def append(self, entry: Entry) -> None:
        self._run(self._publish(entry))

    def close(self) -> None:
        self._run(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._process.terminate()
        self._process.wait(10)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _connect(self, port: int) -> Any:
        import nats

        deadline = time.monotonic() + 10
        while True:
            try:
                connection = await nats.connect(
                    f"nats://127.0.0.1:{port}", max_reconnect_attempts=0, allow_reconnect=False
                )
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)
        self._stream = connection.jetstream()
        await self._stream.add_stream(name="sales", subjects=["sales"])
        return connection

    async def _publish(self, entry: Entry) -> None:
        await self._stream.publish("sales", encode(entry), headers={"Nats-Msg-Id": entry.key})
