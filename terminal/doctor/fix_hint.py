"""The remedies of an examination as a script to be read and then run. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from offline_queue.legible import legible
from terminal.doctor.browser_policy import FILE, FOLDERS, document
from terminal.doctor.findings import GRAVITY, Diagnosis, Finding, Verdict

FAULTS: Final = frozenset({Verdict.ATTENTION, Verdict.BROKEN})
RESTART: Final = "sudo systemctl restart tilld"
"""Once, at the end: what goes before must be there when the till starts."""

_PROGRAMS: Final = (
    *("sudo", "tilld", "journalctl", "systemctl", "resolvectl", "timedatectl", "ls", "df", "ps", "nc", "top"),
    *("chmod", "ping", "dmesg"),
)
_COMMAND: Final = re.compile(rf"(?:{'|'.join(_PROGRAMS)}) [^,;]*")
_PLACEHOLDER: Final = re.compile(r"\b(PORT|HOST|DIR|FILE|USER|STATE|YYYY)\b")


def commands(remedy: str) -> list[str]:
    """What can be run of a remedy: all of its parts, or nothing where one is a sentence or names no real thing."""
    parts = [part.strip() for part in remedy.split(";")]
    if all(_COMMAND.fullmatch(part) and not _PLACEHOLDER.search(part) and legible(part) == part for part in parts):
        return parts
    return []


def script(found: Diagnosis, origins: Sequence[str]) -> str:
    """A shell script; whatever comes from devices or the ledger stands in comments, and cannot leave them."""
    lines = [
        "#!/bin/sh",
        f"# tilld {found.version}, {legible(found.terminal)}, {found.made_at}. Read it before you run it.",
        "",
        *_remedies(sorted(_faults(found), key=lambda fault: -GRAVITY.index(fault.verdict))),
        *_policy(origins),
    ]
    return "\n".join(lines) + "\n"


def _faults(found: Diagnosis) -> list[Finding]:
    return [each for section in found.sections for each in section.findings if each.verdict in FAULTS]


def _remedies(faults: Sequence[Finding]) -> Iterator[str]:
    """The gravest first, each command once."""
    done = {RESTART}
    for number, fault in enumerate(faults, 1):
        subject = f" [{legible(fault.subject)}]" if fault.subject else ""
        yield f"# {number}. {fault.verdict}: {fault.code}{subject}: {legible(fault.evidence)}"
        runnable = commands(fault.remedy or "")
        if not runnable:
            yield f"#    {fault.who}: {legible(fault.remedy or '')}"
        for command in runnable:
            if command not in done:
                yield command
            done.add(command)
        yield ""
    if any(RESTART in commands(fault.remedy or "") for fault in faults):
        yield RESTART
        yield ""


def _policy(origins: Sequence[str]) -> Iterator[str]:
    if not origins:
        yield "# The POS's own web page needs no policy, unless it comes from another address than the till's: name it"
        yield "# in [api] origins, or here with --origin https://pos.example.com"
        return
    yield "# Chrome, Chromium and Edge: the POS's web page may ask the till without asking the cashier."
    yield f"for folder in {' '.join(FOLDERS)}; do"
    yield f'    sudo install -d "$folder/{FILE.rpartition("/")[0]}"'
    yield f"    sudo tee \"$folder/{FILE}\" >/dev/null <<'END'"
    yield document(origins)
    yield "END"
    yield "done"
