"""The house keeps its order: who may import whom, what stays pure, what a reader brings along."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("drivers", "offline_queue", "terminal", "ledger")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

ALLOWED = {
    "drivers": {
        *{"drivers", "msgspec", "biip", "evdev", "nfc", "serial", "smartcard", "cryptography"},
        *{"cv2", "numpy", "pyzbar", "zxingcpp"},
    },
    "offline_queue": {"offline_queue", "msgspec", "urllib3", "cryptography", "sqlite_utils"},
    "ledger": {
        "ledger",
        "msgspec",
        "cryptography",
        "sqlite_utils",
        "starlette",
        "uvicorn",
        "click",
        "rich",
        "psycopg",
    },
    "terminal": {
        "terminal",
        "phonenumbers",
        "drivers",
        "offline_queue",
        "msgspec",
        "h11",
        "starlette",
        "uvicorn",
        "click",
        "rich",
        "cryptography",
        "segno",
    },
}
ALSO = {
    # The ledger shares the entry, the wire, the claim code, the form of exports, the manner of config and key files and
    # of texts on a terminal, and what outlives a power cut with the till, and nothing else of it.
    "ledger": {
        *{
            "offline_queue.entry",
            *{"offline_queue.wire", "offline_queue.wire_accounts", "offline_queue.wire_feeds", "offline_queue.signing"},
            "offline_queue.timepiece",
            "offline_queue.config_file",
            "offline_queue.legible",
            *{"offline_queue.disk_sync", "offline_queue.private_file"},
        },
        *{"offline_queue.claim_codes", "offline_queue.claimed_sale", "offline_queue.packing"},
        *{"offline_queue.terminal_key", "offline_queue.export_lines", "offline_queue.exporting"},
        "offline_queue.receipts",
    },
    # The command line is where `tilld ledger` comes in.
    "terminal/cli.py": {"ledger.cli"},
}
PURE = (
    "terminal/cards/identification.py",
    "terminal/cards/check_digits.py",
    "terminal/cards/links.py",
    "terminal/cards/number_formats.py",
    "terminal/cards/payment_numbers.py",
    "terminal/counter/refusals.py",
    "terminal/cards/rotating_codes.py",
    *(f"terminal/setup/{name}.py" for name in ("card_numbers", "commented", "draft", "toml_values")),
    "terminal/cards/sdm.py",
    "terminal/sales/transaction.py",
    "terminal/claims/words.py",
    "terminal/cards/note_codes.py",
    "terminal/api/nexo/names.py",
    "terminal/api/nexo/messages.py",
    "terminal/api/nexo/exchange.py",
    "terminal/api/nexo/money.py",
    "terminal/api/nexo/answers.py",
    "terminal/api/nexo/guarding.py",
    "terminal/api/nexo/sale_shapes.py",
    "terminal/api/nexo/transactions.py",
    "terminal/trial/taps.py",
    "terminal/trial/judging.py",
    "terminal/trial/remark_words.py",
    "terminal/trial/holding.py",
    "terminal/trial/sheet_text.py",
    "terminal/trial/sheet_page.py",
    "drivers/card_record.py",
    "terminal/promises/offline_limits.py",
    "terminal/history/buckets.py",
    "terminal/history/waiting.py",
    "terminal/history/shapes.py",
    "terminal/sync_progress.py",
    "terminal/attention.py",
    "offline_queue/words.py",
    "terminal/wording.py",
    "terminal/api/tongues.py",
    "terminal/api/no_answer.py",
    "terminal/api/nexo/operators.py",
    "terminal/counter/ladder_words.py",
    "terminal/counter/failure_words.py",
    "terminal/counter/headings.py",
    "offline_queue/counted.py",
    "terminal/sales/expiries.py",
    *(
        f"offline_queue/{name}.py"
        for name in ("next_step", "hearing", "failing", "steps", "signing", "wire", "wire_accounts", "wire_feeds")
    ),
    "offline_queue/conflicts.py",
    "offline_queue/sync_report.py",
    "offline_queue/base45.py",
    "offline_queue/claim_codes.py",
    "offline_queue/claimed_sale.py",
    "offline_queue/plain_cbor.py",
    "offline_queue/typed_lines.py",
    "offline_queue/packing.py",
    "ledger/http/admission.py",
    "ledger/http/attendance.py",
    *(
        path.relative_to(ROOT).as_posix()
        for folder in ("drivers/decoding", "ledger/points", "ledger/facts", "ledger/rules", "ledger/sheet")
        for path in sorted((ROOT / folder).glob("*.py"))
    ),
)
LEDGER_FLOORS = (
    *("port", "points", "facts", "rules", "sheet", "tables", "audit", "books"),
    *("sqlite", "postgres", "http", "config", "commands", "cli"),
)
"""From the ground up: what stands higher may import what stands lower. The two engines stand beside each other."""
IMPURE = {"time", "random", "secrets", "os", "logging", "socket", "sqlite3", "threading", "subprocess", "pathlib"}
HARDWARE = {"smartcard", "nfc", "cv2", "serial", "evdev", "cryptography"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    """Drivers know no till, the queue no hardware, the ledger no terminal."""
    room = path.relative_to(ROOT).parts[0]
    allowed = ALLOWED[room] | sys.stdlib_module_names
    also = ALSO.get(room, set()) | ALSO.get(name(path), set())
    foreign = [m for m in imports(ast.parse(path.read_text())) if m.split(".")[0] not in allowed and m not in also]
    assert not foreign


@pytest.mark.parametrize("path", sorted((ROOT / "clients" / "python").rglob("*.py")), ids=name)
def test_the_python_client_needs_nothing_but_python(path: Path) -> None:
    """Whoever writes a POS may put it into any environment."""
    used = {module.split(".")[0] for module in imports(ast.parse(path.read_text()))}
    assert used <= {*sys.stdlib_module_names, "tilld_client"}


@pytest.mark.parametrize("path", sorted((ROOT / "ledger").rglob("*.py")), ids=name)
def test_the_ledger_is_built_in_floors(path: Path) -> None:
    """Rules know no tables, tables no books, books no engine and no HTTP: each floor can be read after those below."""
    own = LEDGER_FLOORS.index(floor_of(module_name(path))) if path.stem != "__init__" else 0
    used = {floor_of(m) for m in runtime_imports(path) if m.startswith("ledger.")}
    above = {floor for floor in used if LEDGER_FLOORS.index(floor) > own}
    assert not above
    assert not {"sqlite", "postgres"} <= used | {LEDGER_FLOORS[own]} or path.name == "command_line.py"


@pytest.mark.parametrize("file", PURE)
def test_what_decides_is_pure(file: str) -> None:
    """No clock, no randomness, no log and no I/O where points are decided."""
    used = {module.split(".")[0] for module in imports(ast.parse((ROOT / file).read_text()))}
    assert not used & IMPURE


@pytest.mark.parametrize("path", sorted((ROOT / "drivers").glob("*.py")), ids=name)
def test_a_driver_loads_its_hardware_library_only_when_opened(path: Path) -> None:
    """A till without a camera never loads OpenCV: what is heavy is imported inside functions."""
    at_the_top = ast.parse(path.read_text()).body
    loaded = {m.split(".")[0] for n in at_the_top if isinstance(n, ast.Import | ast.ImportFrom) for m in imports(n)}
    assert not loaded & HARDWARE


def test_nfcpy_stays_behind_its_fence() -> None:
    """Nobody maintains it any more: one file knows its names, and can be replaced alone."""
    users = {
        name(path) for path in MODULES if any(m.split(".")[0] == "nfc" for m in imports(ast.parse(path.read_text())))
    }
    assert users == {"drivers/contactless.py"}


def test_no_module_imports_itself_in_a_circle() -> None:
    """Every module can be understood after those it imports."""
    graph = {module_name(path): set(local_imports(path)) for path in MODULES}
    done: set[str] = set()
    while ready := [m for m in graph if m not in done and not graph[m] - done - {m}]:
        done |= set(ready)
    assert not set(graph) - done


def module_name(path: Path) -> str:
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def runtime_imports(path: Path) -> Iterator[str]:
    """Without those that are there for the type checker alone."""
    for node in ast.parse(path.read_text()).body:
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            yield from imports(node)


def floor_of(module: str) -> str:
    """Both config modules are one floor."""
    return module.split(".")[1].removesuffix("_programme")


def local_imports(path: Path) -> Iterator[str]:
    known = {module_name(p) for p in MODULES}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if (found := full if full in known else node.module) in known:
                    yield found


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_tells_where_to_look(package: str) -> None:
    """Its first page names every module and room in it, so that a newcomer finds the file."""
    named = set(re.findall(r"\w+", ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text())) or ""))
    rooms = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / package).glob("[!_]*.py")}
    assert not (rooms | modules) - named


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    """Someone new reads the first line of a file and knows what lives there."""
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_a_driver_brings_its_companions() -> None:
    """A reader is one file with `class Reader`, with options, a support table and a line in the readers' page."""
    page = (ROOT / "docs" / "readers.md").read_text()
    drivers = [path for path in (ROOT / "drivers").glob("*.py") if "\nclass Reader:" in path.read_text()]
    assert {"contactless", "keyboard_wedge", "pcsc", "serial_line", "simulated"} <= {path.stem for path in drivers}
    for path in drivers:
        text = path.read_text()
        assert "class Options(" in text, path
        assert f"`{path.stem}`" in page, path


def test_nothing_names_a_machine_or_a_download_host() -> None:
    """The project can be built from any mirror, anywhere: no lock with addresses, no path of one machine."""
    hosts = r"py[p]i\.org|pythonhoste[d]\.org|registr[y]\.npmjs\.org|de[b]\.debian\.org"
    found = subprocess.run(["git", "grep", "-nIE", hosts], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.stdout == ""
