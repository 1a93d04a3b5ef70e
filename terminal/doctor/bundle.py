"""The support archive: everything that helps from afar, and nothing that opens a door or names a customer."""

import io
import json
import platform
import sqlite3
import tarfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import msgspec

from offline_queue.journal_reader import UNDECIDED, JournalReader
from offline_queue.opening import open_to_read
from offline_queue.private_file import written_privately
from terminal.commands.client import NotRunning, ask
from terminal.commands.console import Place
from terminal.doctor.findings import Diagnosis
from terminal.doctor.patient import Patient
from terminal.doctor.state_files import secrets
from terminal.doctor.veil import Veil, secrets_in
from terminal.questions import outcome

LOG_LINES: Final = "2000"
MOST: Final = 50
"""Transactions of each kind that are shown."""
END: Final = "end-mark.txt"
Member = Callable[[], str]


def write(file: Path, found: Diagnosis, patient: Patient, place: Place) -> list[str]:
    """A tar.gz that its owner alone may read; the names of its members. Raises OSError."""
    veil = veil_of(patient)
    members = {name: _safely(make) for name, make in contents(found, patient, place, veil).items()}
    members[END] = "".join(f"{name}\n" for name in members) + "complete\n"
    with written_privately(file) as out, tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in members.items():
            _add(archive, f"tilld-{patient.config.terminal.id}/{name}", text.encode())
    return list(members)


def veil_of(patient: Patient) -> Veil:
    """Tokens, keys, and all that stands in the key files of the config."""
    kept = [file for kind in ("*.token", "*.key", "*.pem", "*-key.json") for file in patient.state.glob(kind)]
    return Veil(secrets_in([*kept, *secrets(patient)]))


def contents(found: Diagnosis, patient: Patient, place: Place, veil: Veil) -> Mapping[str, Member]:
    """What makes each member; what fails is told in its place and hides no other."""
    return {
        "doctor.json": lambda: _json(veil.value(msgspec.to_builtins(found))),
        "status.json": lambda: _json(veil.value(_status(place))),
        "queue.json": lambda: _json(veil.value(queue(patient))),
        "config.toml": lambda: veil.config(_config(patient)),
        "log.txt": lambda: veil.text(_log(patient)),
        "versions.json": lambda: _json(versions()),
        "schema.sql": lambda: schema(patient),
        "readers.json": lambda: _json(veil.value(counters(patient.state))),
    }


def _safely(make: Member) -> str:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - a bundle is made of broken things; what fails says so in its place
        return f"could not be had: {type(error).__name__}\n"


def _status(place: Place) -> Any:
    try:
        return ask(place.socket, "GET", "/v1/status").body
    except NotRunning as why:
        return {"running": False, "why": str(why)}


def queue(patient: Patient) -> dict[str, Any]:
    """Totals, and transactions that wait or are disputed, from the journal itself; cards masked, no key of the POS."""
    with closing(JournalReader(open_to_read(patient.journal, alone=not patient.running))) as journal:
        totals, streams = journal.totals(), journal.streams()
        waiting = journal.list(None, MOST, UNDECIDED)
        entries = [msgspec.to_builtins(outcome(each)) for each in [*waiting, *journal.disputed(None, MOST)]]
    for entry in entries:
        entry.pop("idempotency_key", None)
    return {
        "totals": msgspec.to_builtins(totals),
        "streams": [{"stream": head.stream, "head": head.seq} for head in streams],
        "entries": entries,
    }


def _config(patient: Patient) -> str:
    return patient.config_file.read_text() if patient.config_file else "# no file: the built-in defaults\n"


def _log(patient: Patient) -> str:
    return patient.machine.said("journalctl", "-u", "tilld", "-n", LOG_LINES, "--no-pager", "-o", "short-iso").text


def versions() -> dict[str, Any]:
    """Of tilld, what it is made of, and the system under it."""
    system = platform.uname()
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": {"kernel": system.release, "machine": system.machine, "os": _os_name()},
        "packages": dict(sorted((each.metadata["Name"], each.version) for each in distributions())),
    }


def _os_name() -> str:
    try:
        return str(platform.freedesktop_os_release().get("PRETTY_NAME", ""))
    except OSError:
        return ""


def schema(patient: Patient) -> str:
    """The journal's tables as they are in the file; no row of theirs."""
    with closing(open_to_read(patient.journal, alone=not patient.running)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
        (number,) = connection.execute("PRAGMA user_version").fetchone()
    return "".join([f"-- user_version {number}\n", *(f"{sql};\n" for (sql,) in rows)])


def counters(state: Path) -> dict[str, Any]:
    """By reader, as they were last written down."""
    files = sorted((state / "readers").glob("*.counters.json"))
    return {file.name.removesuffix(".counters.json"): json.loads(file.read_bytes()) for file in files}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
    archive.addfile(member, io.BytesIO(content))
