"""An examination for a person's eyes: a table as it grows, its end marked. Pure, but for click's colours."""

from collections.abc import Iterator
from typing import Final

import click

from offline_queue.legible import legible
from terminal.doctor.findings import GRAVITY, Diagnosis, Finding, Section, Verdict

MARKS: Final = {Verdict.OK: "ok", Verdict.UNKNOWN: "unknown", Verdict.ATTENTION: "ATTENTION", Verdict.BROKEN: "BROKEN"}
COLOURS: Final = {Verdict.OK: "green", Verdict.UNKNOWN: "cyan", Verdict.ATTENTION: "yellow", Verdict.BROKEN: "red"}
WIDTH: Final = 9
INDENT: Final = " " * (WIDTH + 4)


def heading(found: Section) -> str:
    return click.style(f"{found.name}", bold=True) + click.style(f"  {found.took_ms} ms", dim=True)


def lines(section: Section) -> Iterator[str]:
    """The section, a line for each finding, and below a fault what it should be and what mends it."""
    yield heading(section)
    for finding in section.findings:
        yield from told(finding)


def told(finding: Finding) -> Iterator[str]:
    """Texts from devices, certificates and the ledger are shown, never obeyed."""
    mark = click.style(f"{MARKS[finding.verdict]:{WIDTH}}", fg=COLOURS[finding.verdict])
    about = f" [{legible(finding.subject)}]" if finding.subject else ""
    yield f"  {mark}  {finding.code}{about}: {legible(finding.evidence)}"
    if finding.remedy is not None:
        yield f"{INDENT}should be: {finding.what}"
        yield f"{INDENT}-> {legible(finding.remedy)}  ({finding.who})"


def end_mark(found: Diagnosis) -> str:
    """The last line: without it something is missing."""
    verdicts = [finding.verdict for section in found.sections for finding in section.findings]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in GRAVITY if verdict in verdicts]
    down = "" if found.running else ", the till is down"
    return f"end of examination of {legible(found.terminal)}, level {found.level}: {', '.join(counts)}{down}"
