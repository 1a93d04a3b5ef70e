"""From a POS's request to its 201: through the whole till, beside a bare route of the same web stack.

The difference is what tilld adds: the guard, the rules, the till's thread and the journal's commit.
"""

import asyncio
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from bench.figures import percentile
from tests.acceptance.rig import LedgerProcess, Process, TillProcess, free_port

SALES = 3000
CALLERS = (1, 16)
BODY = json.dumps({"kind": "earn", "card": {"number": "2990000000017"}, "points": 5}).encode()


async def bare(scope: dict[str, str], receive: Callable[..., object], send: Callable[..., object]) -> None:
    """Reads a JSON body and answers 201, as little as a Starlette route can do."""
    import msgspec
    from starlette.requests import Request
    from starlette.responses import Response

    if scope["type"] != "http":
        return
    body = msgspec.json.decode(await Request(scope, receive).body())  # type: ignore[arg-type]
    await Response(msgspec.json.encode(body), 201, media_type="application/json")(scope, receive, send)  # type: ignore[arg-type]


def serve_bare(port: int) -> None:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(bare, port=port, http="h11", log_level="error", lifespan="off"))  # type: ignore[arg-type]
    asyncio.run(server.serve())


def latencies(port: int, headers: dict[str, str], callers: int, sales: int) -> list[float]:
    """Seconds of each sale, `callers` connections at once. Raises AssertionError for anything but a 201."""
    took: list[list[float]] = [[] for _ in range(callers)]
    start = threading.Barrier(callers)

    def sell(mine: list[float], caller: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        start.wait()
        for number in range(sales // callers):
            key = f"{time.time_ns()}-{caller}-{number}"
            begun = time.perf_counter()
            connection.request("POST", "/v1/transactions", BODY, {**headers, "Idempotency-Key": key})
            answer = connection.getresponse()
            answer.read()
            mine.append(time.perf_counter() - begun)
            assert answer.status == 201, answer.status
        connection.close()

    threads = [threading.Thread(target=sell, args=(took[n], n)) for n in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [second for mine in took for second in mine]


@contextmanager
def bare_route(folder: Path) -> Iterator[int]:
    port, process = free_port(), Process(folder / "bare.log")
    process.spawn([sys.executable, "-m", "bench.http_sale", str(port)], {})
    try:
        wait_for(port)
        yield port
    finally:
        process.kill()


def wait_for(port: int) -> None:
    """Until somebody listens, for at most ten seconds."""
    deadline = time.monotonic() + 10
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
        finally:
            connection.close()


def run(*, quick: bool) -> Table:
    """Milliseconds, and the ratio to the bare route in the same run."""
    sales = SALES // 5 if quick else SALES
    table = Table(title="HTTP sale to 201 (one keep-alive connection a caller, client on the same 2 cores)")
    for heading in ("contender", "callers", "p50 ms", "p99 ms", "sales/s", "p50 to bare"):
        table.add_column(heading, justify="left" if heading == "contender" else "right")
    with tempfile.TemporaryDirectory(prefix="tilld-bench-") as name:
        folder = Path(name)
        ledger = LedgerProcess(folder)
        till = TillProcess(folder, f"http://127.0.0.1:{ledger.port}")
        try:
            ledger.start("--enrolment", "open", "--unknown-cards", "register")
            till.start()
            token = (till.state / "pos.token").read_text().strip()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            with bare_route(folder) as port:
                contenders = {"bare Starlette route": port, "tilld, synced to the ledger meanwhile": till.port}
                for callers in CALLERS:
                    measure(table, contenders, headers, callers, sales)
        finally:
            till.stop()
            ledger.stop()
    return table


def measure(table: Table, contenders: dict[str, int], headers: dict[str, str], callers: int, sales: int) -> None:
    """In three rounds, so that a noisy neighbour meets every contender."""
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    spent = dict.fromkeys(contenders, 0.0)
    for _ in range(3):
        for name, port in contenders.items():
            begun = time.perf_counter()
            seen[name] += latencies(port, headers, callers, sales // 3)
            spent[name] += time.perf_counter() - begun
    yardstick = percentile(next(iter(seen.values())), 50)
    for name, seconds in seen.items():
        p50, p99 = percentile(seconds, 50), percentile(seconds, 99)
        rate = f"{len(seconds) / spent[name]:,.0f}"
        table.add_row(name, str(callers), f"{p50 * 1e3:.2f}", f"{p99 * 1e3:.2f}", rate, f"{p50 / yardstick:.2f}x")


if __name__ == "__main__":
    serve_bare(int(sys.argv[1]))
