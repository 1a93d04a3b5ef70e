"""`make screens`: the pictures of the docs, taken of the real pages of a real till in a real Chromium.

The day that they show is the one that tests/web/test_a_day.py proves.
"""

import sys
import tempfile
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from docs.small_png import small_png
from tests.acceptance import day
from tests.acceptance.rig import tilld
from tests.web.conftest import CHROMIUM, QUIET

FOLDER: Final = Path(__file__).parent / "screens"
MOST_BYTES: Final = 100_000
SIZE: Final = {"width": 1280, "height": 800}
COLUMNS: Final = 100
SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {terminal_width} {terminal_height}" role="img">
<title>tilld status</title>
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}</defs>
<rect width="{terminal_width}" height="{terminal_height}" rx="8" fill="#191919"/>
<g transform="translate(8, 8)" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""rich's own frame loads a font from the web; this one loads nothing."""


class Photographer:
    """Keeps a picture of each moment that the docs show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, moment: str, page: Page) -> None:
        taken = page.screenshot(animations="disabled", caret="hide")
        picture = cv2.imdecode(np.frombuffer(taken, np.uint8), cv2.IMREAD_COLOR)
        small = small_png(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        if len(small) > MOST_BYTES:
            raise SystemExit(f"{moment}: {len(small)} bytes are more than a picture of the docs may have")
        (self.folder / f"{moment}.png").write_bytes(small)
        print(f"{moment}.png: {len(small)} bytes", flush=True)


def status_picture(shop: day.Shop) -> str:
    """What `tilld status` prints, as a picture of a terminal."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, highlight=False)
    console.print(Text("$ tilld status\n", style="bold"), end="")
    console.print(Text.from_ansi(tilld("status", *shop.place).stdout))
    return console.export_svg(theme=DIMMED_MONOKAI, code_format=SVG, unique_id="status")


def take(browser: Browser, folder: Path) -> None:
    """The whole day, moment by moment."""
    look = Photographer(folder)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-screens-")))
        shop = day.Shop(place, stack)
        context = stack.enter_context(browser.new_context(locale="en-GB", viewport=SIZE, color_scheme="light"))
        counter, office = day.opened(context), day.opened(context)
        day.morning(shop, counter, look)
        day.noon(shop, counter, look)
        (folder / "status.svg").write_text(status_picture(shop))
        disputed = day.afternoon(shop, counter, look)
        day.evening(shop, office, look, disputed)
        office.goto(day.reader_tested(shop, office, look, place).as_uri())
        look("sheet", office)


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        program = CHROMIUM if CHROMIUM.exists() else Path(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        take(browser, FOLDER)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
