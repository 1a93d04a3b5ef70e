"""`make bench-decode IMAGES=dir`: what is read, what is misread and how long it takes, beside other decoders.

`dir` holds pictures and manifest.jsonl, a line each: path, category, symbology, truth (texts; none for pictures
without a code). Without IMAGES only rendered cards and clips are read. Time is that of one core.
"""

import argparse
import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from bench.eyes import OURS, Decoder, Picture, decoders, read
from drivers.decoding.engines import digits13
from drivers.decoding.history import History
from drivers.decoding.symbol import Symbol
from tests.virtual import worn

SIDE = 1280
"""Pixels: every decoder gets the same picture, no longer than this."""
QR = frozenset({"QR"})
BARS = frozenset({"EAN13", "EAN8", "CODE128"})
SINGLE_ANY = 6
"""Frames of a clip that are also read each for itself."""


@dataclass(frozen=True)
class Sample:
    """A picture and what is in it."""

    name: str
    category: str
    symbology: str
    truth: frozenset[str]
    picture: Picture


@dataclass
class Tally:
    """What one decoder made of the pictures of one category."""

    texts: int = 0
    found: int = 0
    wrong: int = 0
    pictures: int = 0
    ms: list[float] = field(default_factory=list)

    def add(self, truth: frozenset[str], got: set[str], ms: float) -> None:
        self.texts += len(truth)
        self.found += len(truth & got)
        self.wrong += len(got - truth)
        self.pictures += 1
        self.ms.append(ms)

    def plus(self, other: "Tally") -> "Tally":
        return Tally(
            self.texts + other.texts,
            self.found + other.found,
            self.wrong + other.wrong,
            self.pictures + other.pictures,
            self.ms + other.ms,
        )

    def __str__(self) -> str:
        rate = f"{100 * self.found / self.texts:5.1f}" if self.texts else "    -"
        p95 = float(np.percentile(self.ms, 95)) if self.ms else 0.0
        return f"{rate} % {self.wrong:4d} wrong {statistics.median(self.ms or [0]):6.1f} ms {p95:6.1f} p95"


Table = dict[str, dict[str, Tally]]
"""By category, then by decoder."""


def photographs(folder: Path) -> Iterator[Sample]:
    """Those whose truth is known."""
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        picture = cv2.imread(str(folder / entry["path"]), cv2.IMREAD_GRAYSCALE)
        if picture is None or entry["truth"] is None:
            continue
        scale = SIDE / max(picture.shape)
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        truth = frozenset(normal(text, entry["symbology"]) for text in entry["truth"])
        yield Sample(entry["path"], entry["category"], entry["symbology"], truth, np.asarray(picture, np.uint8))


def normal(text: str, symbology: str) -> str:
    """As all decoders are compared: UPC as EAN-13, Codabar without its start and stop letters."""
    if (symbology in {"EAN13", "ean13"} and len(text) == 12) or (symbology == "UPCE" and len(text) in {8, 12}):
        return digits13(text)
    return text.strip("ABCDabcd") if symbology == "CODABAR" else text


def cards(count: int) -> Iterator[Sample]:
    """Rendered worn cards of every kind and grade."""
    for kind in worn.KINDS:
        for grade in worn.GRADES:
            for seed in range(count):
                card = worn.worn(kind, grade, seed)
                yield Sample(f"{kind}-{seed}", f"worn {grade}", kind, frozenset({card.text}), card.picture)


def compared(samples: Iterator[Sample], contenders: dict[str, Decoder]) -> tuple[Table, Table]:
    """The tallies by category and by symbology."""
    by_category: Table = defaultdict(lambda: defaultdict(Tally))
    by_symbology: Table = defaultdict(lambda: defaultdict(Tally))
    for sample in samples:
        for name, decoder in contenders.items():
            texts, ms = read(decoder, sample.picture)
            got = {normal(text, sample.symbology) for text in texts}
            by_category[sample.category][name].add(sample.truth, got, ms)
            by_symbology[sample.symbology][name].add(sample.truth, got, ms)
            if name == OURS and got - sample.truth:
                print(f"misread: {sample.name}: {sorted(got - sample.truth)} for {sorted(sample.truth)}")
    return by_category, by_symbology


def total(table: Table, keys: Callable[[str], bool]) -> dict[str, Tally]:
    """All chosen rows as one."""
    summed: dict[str, Tally] = defaultdict(Tally)
    for key, row in table.items():
        if keys(key):
            for name, tally in row.items():
                summed[name] = summed[name].plus(tally)
    return summed


def show(title: str, row: dict[str, Tally]) -> None:
    print(f"\n{title}, {max((t.pictures for t in row.values()), default=0)} pictures")
    for name, tally in row.items():
        print(f"  {name:24} {tally}")


def show_categories(table: Table) -> None:
    """One line a category: ours, and the best of the others; a star where another is better."""
    print("\ncategory                    texts   tilld    best single decoder")
    for category, row in sorted(table.items()):
        ours = row[OURS]
        if not ours.texts:
            continue
        name, best = max(((n, t) for n, t in row.items() if n != OURS), key=lambda item: item[1].found)
        star = " *" if best.found > ours.found else ""
        rate, other = (100 * t.found / ours.texts for t in (ours, best))
        print(f"  {category:24} {ours.texts:6d} {rate:6.1f} % {other:6.1f} % {name}{star}")


def clips(count: int, zxing: Decoder) -> None:
    """How many clips are read by any frame alone, and by the frames together."""
    print("\nclips                          zxing-cpp, any frame   tilld, any frame alone   tilld, together   wrong")
    for grade in (3, 4, 5):
        _clip_row(f"worn {grade}", [worn.clip(k, grade, s) for k in worn.KINDS for s in range(count)], zxing)
    for light in (0.02, 0.012, 0.008):
        _clip_row(f"light {light}", [worn.dark_clip(k, s, light) for k in worn.KINDS for s in range(count)], zxing)


def _clip_row(title: str, made: list[tuple[list[Picture], str]], zxing: Decoder) -> None:
    ours = decoders()[OURS]
    other = sum(any(text in read(zxing, frame)[0] for frame in frames) for frames, text in made)
    alone = sum(
        any(text in read(ours, frame)[0] for frame in frames[:: len(frames) // SINGLE_ANY]) for frames, text in made
    )
    told = [presented(frames) for frames, _ in made]
    together = sum(text in got for got, (_, text) in zip(told, made, strict=True))
    wrong = sum(len(got - {text}) for got, (_, text) in zip(told, made, strict=True))
    print(f"  {title:12} {len(made):4d} clips {other:20d} {alone:22d} {together:16d} {wrong:10d}")


def presented(frames: list[Picture], fps: int = 15) -> set[str]:
    """All that a clip presents."""
    history = History()
    seen = [symbol for n, frame in enumerate(frames) for symbol in history.see(frame, n / fps)]
    return {symbol.text for symbol in seen if isinstance(symbol, Symbol)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="?", type=Path)
    parser.add_argument("--cards", type=int, default=10, help="rendered cards of each kind and grade")
    parser.add_argument("--clips", type=int, default=4, help="rendered clips of each kind and grade")
    chosen = parser.parse_args()
    contenders = decoders()
    if chosen.images:
        by_category, by_symbology = compared(photographs(chosen.images), contenders)
        show_categories(by_category)
        show("QR photographs", total(by_symbology, QR.__contains__))
        show("EAN, UPC-A and Code 128 photographs", total(by_symbology, BARS.__contains__))
        show("without a code", total(by_symbology, "NONE".__eq__))
        show("all photographs", total(by_symbology, lambda _: True))
    by_category, by_symbology = compared(cards(chosen.cards), contenders)
    show_categories(by_category)
    show("rendered worn cards", total(by_symbology, lambda _: True))
    clips(chosen.clips, contenders["zxing-cpp"])


if __name__ == "__main__":
    main()
