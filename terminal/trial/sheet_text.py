"""A sheet as plain text, for a terminal, a mail and a line printer. Pure."""

from collections.abc import Iterator, Sequence

from offline_queue.legible import legible
from terminal.trial.judging import Judgement, Remark
from terminal.trial.sheet import SignedSheet
from terminal.trial.talk import TrialView
from terminal.trial.taps import Tap

HEADING = ("TAP", "RESULT", "TECHNOLOGY", "CARD", "", "READ MS", "TILL MS", "TRIES", "WEAR", "WHY")


def text(signed: SignedSheet, block: str) -> str:
    """`block` is the signed sheet as it ends the text."""
    sheet, trial = signed.sheet, signed.sheet.trial
    about = [*facts(signed)]
    width = max(len(name) for name, _ in about)
    lines = [
        *(f"tilld test-card, terminal {sheet.terminal}", ""),
        *(f"{name.ljust(width)}  {value}" for name, value in about),
        *("", *judgement_lines(trial.judgement)),
        *("", *tap_lines(trial.taps)),
    ]
    signature = f"Signed by {signed.key} (Ed25519). Check: tilld test-card --verify FILE"
    return "\n".join([*map(legible, [*lines, "", signature]), block, ""])


def facts(signed: SignedSheet) -> Iterator[tuple[str, str]]:
    """What was tested, where, when and by whom, as name and value."""
    sheet, trial = signed.sheet, signed.sheet.trial
    yield "Terminal", f"{sheet.terminal}, store {sheet.store}"
    yield "Reader", f"{trial.reader} (driver {trial.driver})"
    yield "Device", trial.device
    yield "Tested", f"{trial.started_at} to {trial.ended_at}"
    yield "Taps", f"{len(trial.taps)} of {trial.wanted} ({trial.state})"
    yield "Technician", trial.operator or "not named"
    yield "Software", f"tilld {sheet.version}"


def judgement_lines(judgement: Judgement | None) -> list[str]:
    """The headline, then each remark with what to do."""
    if judgement is None:
        return ["The test is not over."]
    headlines = [judgement.headline, *filter(None, [judgement.card_headline])]
    return [*headlines, *(line for remark in judgement.remarks for line in _remark_lines(remark))]


def _remark_lines(remark: Remark) -> list[str]:
    mark = "!!" if remark.fails else "--"
    said = f"  {mark} {remark.about}: {remark.say}"
    return [said, f"     -> {remark.advice}"] if remark.advice else [said]


def tap_lines(taps: Sequence[Tap]) -> list[str]:
    """A table with a heading, its columns aligned."""
    rows = [HEADING, *map(cells, taps)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADING))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def tap_line(tap: Tap) -> str:
    """One tap in a sentence, for where no table can grow."""
    times = [f"{name} {ms} ms" for name, ms in (("read", tap.read_ms), ("till", tap.till_ms)) if ms is not None]
    said = [f"tap {tap.n}: {tap.result}", tap.technology, tap.card, *times, _why(tap)]
    return ", ".join(part for part in said if part)


def cells(tap: Tap) -> tuple[str, ...]:
    """One tap as HEADING has it; a dash where nobody told."""
    figures = (tap.read_ms, tap.till_ms, tap.effort, tap.wear)
    shown = ("-" if figure is None else str(figure) for figure in figures)
    return (str(tap.n), tap.result, tap.technology, tap.card or "-", tap.label, *shown, _why(tap))


def _why(tap: Tap) -> str:
    return f"{tap.reason}: {tap.detail}" if tap.reason else ""


def progress(trial: TrialView) -> str:
    """Where a running trial stands, in a line."""
    good = sum(tap.answered for tap in trial.taps)
    repeats = f", {trial.repeats} too soon to count: lift the card for a moment" if trial.repeats else ""
    return f"{len(trial.taps)} of {trial.wanted} taps, {good} read{repeats}"
