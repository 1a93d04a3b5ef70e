"""`tilld doctor`: what is wrong with this till or its machine, and what mends it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from offline_queue.legible import legible_json
from terminal.commands.console import Code, Failed, Place, answering, placed, remark

if TYPE_CHECKING:
    from terminal.doctor.findings import Diagnosis, Section
    from terminal.doctor.patient import Patient

EXAMPLES: Final = """
\b
Examples:
  tilld doctor                                   what can be seen without touching anything
  tilld doctor --level external                  opens readers, asks the ledger, times the disk
  tilld doctor --level interactive               asks for a card at each reader
  tilld doctor --section ledger --json | jq '.sections[].findings[] | select(.verdict == "broken")'
  tilld doctor --bundle /tmp/tilld.tar.gz        an archive for support, without secrets and card numbers
  tilld doctor --fix-hint > mend.sh              the commands, to be read and run

\b
Exit codes: 0 all is well, 1 something needs attention, 3 the till is down and nothing else is wrong.
docs/doctor.md lists every code and its remedy. As root it sees more: sudo tilld doctor
"""
LEVELS: Final = click.Choice(["internal", "external", "interactive"])


@click.command(epilog=EXAMPLES)
@click.option("--level", type=LEVELS, default="internal", show_default=True, help="How far it may go.")
@click.option("--section", metavar="NAME", help="Only this section.")
@click.option("--bundle", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write an archive.")
@click.option("--fix-hint", is_flag=True, help="Print a script with what mends it, and the browsers' policy file.")
@click.option("--origin", "origins", multiple=True, metavar="URL", help="The POS's web page, for --fix-hint.")
@answering
@placed
def doctor(
    place: Place,
    level: str,
    section: str | None,
    bundle: Path | None,
    origins: Sequence[str],
    *,
    fix_hint: bool,
    as_json: bool,
) -> Code:
    """Examine the till and its machine: what is wrong, the evidence, what mends it, and who can.

    With the till down it looks at what it can, and changes nothing.
    """
    from terminal.doctor.findings import Level
    from terminal.doctor.local import exit_code, patient_of

    if as_json and fix_hint:
        raise click.UsageError("--json and --fix-hint both want the standard output; choose one.")
    patient = patient_of(place, Level(level))
    if patient.silence:
        remark(f"The till does not answer ({patient.silence}): what follows is what can be seen without it.")
    found = _examined(patient, place, section, silent=as_json or fix_hint)
    if bundle is not None:
        _bundled(bundle, found, patient, place)
    _told(found, [*patient.config.api.origins, *origins], as_json=as_json, fix_hint=fix_hint)
    return Code(exit_code(found))


def _examined(patient: "Patient", place: Place, name: str | None, *, silent: bool) -> "Diagnosis":
    """Each section is shown as soon as it is there."""
    from terminal.doctor.examination import Examination
    from terminal.doctor.findings import Level
    from terminal.doctor.local import Opinion, diagnosis
    from terminal.doctor.sections import TAPS, chosen
    from terminal.doctor.sheet import lines

    try:
        parts = chosen(name, patient.level)
    except LookupError as error:
        raise click.BadParameter(str(error.args[0]), param_hint="--section") from None
    found: list[Section] = []
    for section in Opinion(patient, place.socket, Examination()).sections(parts):
        found.append(section)
        if not silent:
            click.echo("\n".join(lines(section)))
        elif sys.stderr.isatty():
            remark(f"{len(found)} of {len(parts)}: {section.name} {section.verdict}")
    if patient.level is Level.INTERACTIVE and name in {None, TAPS}:
        found.append(_tapped(place, silent=silent))
    return diagnosis(patient, found)


def _tapped(place: Place, *, silent: bool) -> "Section":
    from terminal.commands.client import NotRunning
    from terminal.doctor import taps
    from terminal.doctor.findings import section_of
    from terminal.doctor.sheet import lines

    try:
        section = taps.section(place, remark)
    except NotRunning as why:
        section = section_of("taps", 0, [taps.READS.unknown(f"only a till that runs can read: {why}")])
    if not silent:
        click.echo("\n".join(lines(section)))
    return section


def _bundled(file: Path, found: "Diagnosis", patient: "Patient", place: Place) -> None:
    from terminal.doctor import bundle

    try:
        members = bundle.write(file, found, patient, place)
    except OSError as error:
        raise Failed(f"the archive {file} could not be written: {error.strerror}.", Code.ATTENTION) from None
    remark(f"{file}: {', '.join(members)}. Secrets and card numbers are masked; look through it before you send it.")


def _told(found: "Diagnosis", origins: Sequence[str], *, as_json: bool, fix_hint: bool) -> None:
    import msgspec

    from terminal.doctor import fix_hint as hints
    from terminal.doctor.sheet import end_mark

    if as_json:
        click.echo(legible_json(json.dumps(msgspec.to_builtins(found), ensure_ascii=False)))
    elif fix_hint:
        try:
            click.echo(hints.script(found, list(dict.fromkeys(origins))), nl=False)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--origin") from None
    else:
        click.echo(end_mark(found))
