"""`tilld test-card`: test a reader with a card, and check the sheet of such a test."""

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from offline_queue.legible import legible
from terminal.commands import completion
from terminal.commands.console import Code, Failed, Place, answer, answering, placed
from terminal.trial.forms import Form, rendered
from terminal.trial.screen import screen
from terminal.trial.sheet import SignedSheet
from terminal.trial.sheet_check import verify
from terminal.trial.sheet_text import judgement_lines
from terminal.trial.talk import MOST_TAPS, USUAL_TAPS, TrialState, TrialView

EXAMPLES: Final = """
\b
Examples:
  tilld test-card --reader counter
  tilld test-card --reader counter --taps 10 --operator "Anne" --report counter.html
  tilld test-card --verify counter.html

\b
Ends with 0 when the reader passes, with 1 when it does not.
"""
WAIT_MS: Final = 10_000
"""Shorter than the client's patience, and than a trial's lease."""
FORM_OF: Final = {".json": Form.JSON, ".txt": Form.TEXT, ".html": Form.HTML, ".htm": Form.HTML}
FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.command("test-card", epilog=EXAMPLES)
@click.option("--reader", metavar="NAME", shell_complete=completion.readers(),
              help="Which reader [default: the only one].")  # fmt: skip
@click.option("--taps", type=click.IntRange(1, MOST_TAPS), default=USUAL_TAPS, show_default=True, metavar="N")
@click.option("--operator", metavar="NAME", help="Who tests: stands on the sheet.")
@click.option("--report", type=FILE, metavar="FILE", help="Write the signed sheet: .json, .txt or .html.")
@click.option("--verify", "sheet", type=FILE, metavar="FILE", help="Check a sheet instead of testing.")
@click.option("--key", metavar="BASE64", help="The key that must have signed it [default: this till's].")
@answering
@placed
def trial(
    place: Place,
    reader: str | None,
    taps: int,
    operator: str | None,
    report: Path | None,
    sheet: Path | None,
    key: str | None,
    *,
    as_json: bool,
) -> Code:
    """Test a reader: present a card, again and again, and get a signed sheet.

    Until the test ends the reader serves no customer. The till's other readers go on.
    """
    if sheet is not None:
        return verify(place, sheet, key, as_json=as_json)
    form = None if report is None else _form(report)
    wanted = {"reader": reader or _only_reader(place), "taps": taps, "operator": operator}
    begun = _view(place.need("POST", "/v1/trials", wanted))
    ended = _watched(place, begun, quiet=as_json)
    signed = msgspec.convert(place.need("GET", f"/v1/trials/{ended.id}/sheet.json"), SignedSheet)
    if report is not None and form is not None:
        _write(report, rendered(signed, form))
    answer(msgspec.to_builtins(signed), _ending(ended, report), as_json=as_json)
    return Code.FINE if ended.judgement and ended.judgement.passed else Code.ATTENTION


def _form(report: Path) -> Form:
    if report.suffix.lower() not in FORM_OF:
        raise click.BadParameter(f"{report.name!r} ends in none of {', '.join(FORM_OF)}.", param_hint="--report")
    if not report.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {report.absolute().parent}.", param_hint="--report")
    return FORM_OF[report.suffix.lower()]


def _only_reader(place: Place) -> str:
    names = [reader["name"] for reader in place.need("GET", "/v1/status")["readers"]]
    if len(names) != 1:
        raise click.UsageError(
            f"Choose the reader to test with --reader: {legible(', '.join(names)) or 'none is set up'}."
        )
    return str(names[0])


def _watched(place: Place, trial: TrialView, *, quiet: bool) -> TrialView:
    """Until it has ended. Whoever breaks it off ends it, and gets the sheet of what there was."""
    with screen(quiet=quiet) as show:
        try:
            while trial.state is TrialState.RUNNING:
                show(trial)
                path = f"/v1/trials/{trial.id}?seen={trial.revision}&wait_ms={WAIT_MS}"
                trial = _view(place.need("GET", path))
        except KeyboardInterrupt:
            trial = _view(place.need("POST", f"/v1/trials/{trial.id}/end"))
        show(trial)
    return trial


def _ending(trial: TrialView, report: Path | None) -> str:
    lines = [*judgement_lines(trial.judgement), *([f"The sheet is in {report}."] if report else [])]
    passed = trial.judgement is not None and trial.judgement.passed
    headline, *rest = map(legible, lines)
    return "\n".join([click.style(headline, fg="green" if passed else "red", bold=True), *rest])


def _write(report: Path, document: bytes) -> None:
    try:
        report.write_bytes(document)
    except OSError as error:
        raise Failed(
            f"the sheet could not be written to {report}: {error.strerror}. The test is over; the page"
            " /technician/test-card has its sheet until the till is restarted.",
            Code.ATTENTION,
        ) from None


def _view(plain: Any) -> TrialView:
    return msgspec.convert(plain, TrialView)
