"""A sheet as one HTML file to print and to keep: its own style, no script, nothing loaded from elsewhere. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Final

from terminal.trial.judging import Judgement, Remark
from terminal.trial.sheet import SignedSheet
from terminal.trial.sheet_text import cells, facts
from terminal.trial.taps import Tap

_COLUMNS: Final = ("Tap", "Result", "Technology", "Card", "Which", "Read ms", "Till ms", "Tries", "Wear", "Why")
_STYLE: Final = """
@page { size: A4; margin: 15mm; }
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #1d2522;
  font: 400 1rem/1.45 system-ui, "Noto Sans", sans-serif; }
h1 { font-size: 1.2rem; font-weight: 600; }
h2 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
.verdict { padding: 1rem 1.25rem; border: 3px solid; border-radius: 0.5rem; font-size: 1.6rem; font-weight: 700;
  print-color-adjust: exact; }
.passed { color: #0b5c55; background: #e3f1ee; }
.failed { color: #8c241d; background: #fae7e3; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.2rem; margin: 1rem 0; }
dt { color: #55605c; }
dd { margin: 0; overflow-wrap: anywhere; }
li { margin: 0.4rem 0; }
.fails { font-weight: 600; }
table { width: 100%; border-collapse: collapse; font-size: 0.85rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.5rem; border-bottom: 1px solid #d8d3c9; }
tr { break-inside: avoid; }
td:not(:last-child) { white-space: nowrap; }
pre { font-size: 0.6rem; line-height: 1.25; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def page(signed: SignedSheet, block: str) -> str:
    """`block` is the signed sheet as it ends the page."""
    sheet, trial = signed.sheet, signed.sheet.trial
    title = escape(f"Test of reader {trial.reader}, terminal {sheet.terminal}")
    about = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(signed))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{_verdict(trial.judgement)}
<dl>
{about}
</dl>
{_table(trial.taps)}
<h2>Signature</h2>
<p>Signed by the terminal's key {escape(signed.key)} (Ed25519).
Check this file: <code>tilld test-card --verify FILE</code></p>
<pre>{escape(block)}</pre>
</main>
</body>
</html>
"""


def _verdict(judgement: Judgement | None) -> str:
    if judgement is None:
        return "<p>The test is not over.</p>"
    mood = "passed" if judgement.passed else "failed"
    found = "\n".join(map(_remark, judgement.remarks))
    verdict = f'<p class="verdict {mood}">{escape(judgement.headline)}</p>'
    return f"{verdict}\n<p>{escape(judgement.card_headline)}</p>\n<ul>\n{found}\n</ul>"


def _remark(remark: Remark) -> str:
    mood = ' class="fails"' if remark.fails else ""
    advice = f"<br>What to do: {escape(remark.advice)}" if remark.advice else ""
    return f"<li{mood}>{escape(remark.about.capitalize())}: {escape(remark.say)}{advice}</li>"


def _table(taps: Iterable[Tap]) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    rows = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells(tap))}</tr>" for tap in taps)
    return f"<h2>Taps</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
