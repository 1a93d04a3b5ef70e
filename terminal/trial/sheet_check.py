"""`tilld test-card --verify`: whether a sheet is as a known till has signed it."""

from pathlib import Path

import msgspec

from offline_queue.legible import legible
from terminal.commands.console import Code, Failed, Place, answer, remark
from terminal.trial.forms import Checked, check
from terminal.trial.sheet import NoSheet
from terminal.trial.sheet_text import judgement_lines, progress


def verify(place: Place, sheet: Path, key: str | None, *, as_json: bool) -> Code:
    """Ends with 0 for a sheet that is as the expected key has signed it."""
    try:
        checked = check(sheet.read_bytes())
    except OSError as error:
        raise Failed(f"{sheet} cannot be read: {error.strerror}.", Code.USAGE) from None
    except NoSheet as why:
        raise Failed(
            f"{sheet} is no sheet of a test ({legible(str(why))}). Ask for the file anew.", Code.ATTENTION
        ) from None
    expected = key or _own_key(place)
    known = checked.sheet.key == expected
    told = {
        "genuine": checked.genuine,
        "shown_as_signed": checked.shown,
        "known_key": known,
        "sheet": msgspec.to_builtins(checked.sheet.sheet),
    }
    if expected is None:
        remark(
            "There is no till's key here: name the one that must have signed it with --key; `tilld enroll` shows it."
        )
    answer(told, _verdict(checked, known=known), as_json=as_json)
    return Code.FINE if checked.genuine and checked.shown and known else Code.ATTENTION


def _own_key(place: Place) -> str | None:
    """This till's public key, None where there is no till. Raises Failed."""
    from offline_queue.terminal_key import KeyUnusable, load_or_create_key, public_key

    file = place.state / "terminal.key"
    try:
        return public_key(load_or_create_key(file)) if file.exists() else None
    except (KeyUnusable, OSError) as error:
        raise Failed(f"{error}", Code.ATTENTION) from None


def _verdict(checked: Checked, *, known: bool) -> str:
    signed = checked.sheet
    if not checked.genuine:
        return "FORGED: this sheet was changed after it was signed. Do not believe it; ask for the file anew."
    lines = [f"Signed by {signed.key}" + (", as expected." if known else ", which is NOT the expected key.")]
    if not checked.shown:
        lines.append("The words around the signed sheet are not its own: believe only what follows.")
    trial = signed.sheet.trial
    lines += [f"terminal {signed.sheet.terminal}, reader {trial.reader}, {trial.ended_at}, {progress(trial)}"]
    return "\n".join(map(legible, [*lines, *judgement_lines(trial.judgement)]))
