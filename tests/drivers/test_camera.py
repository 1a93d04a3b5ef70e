"""The camera driver over real video files, folders and streams, and over captures that fail as cameras do."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import camera_source, frames
from drivers.base import (
    CardRead,
    CardUnreadable,
    Condition,
    DriverError,
    EntryMode,
    Place,
    ReaderAbsent,
    ReaderForbidden,
    ReaderHeld,
    ReaderState,
    Report,
    Technology,
)
from drivers.camera import Options, Reader
from drivers.camera_source import Lens, told
from drivers.picture_folder import _picture_in
from tests.virtual import worn
from tests.virtual.watching import Watched

PATIENCE_S = 60.0


def film(path: Path, pictures: list[worn.Picture], fps: int = 15) -> Path:
    """A Motion-JPEG file."""
    rows, columns = pictures[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (columns, rows), isColor=True)
    assert writer.isOpened()
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


@contextlib.contextmanager
def opened(source: str | Path, folder: Path, *, reopened: bool = False, **more: Any) -> Iterator[Reader]:
    reader = Reader(Place("camera", str(folder), reopened), Options(source=str(source), **more))
    try:
        reader.open()
        first = reader.read(1.0)
        assert isinstance(first, Condition)
        assert first.state is ReaderState.READY
        yield reader
    finally:
        reader.close()
        reader.close()


def reports(reader: Reader, timeout_s: float = 0.05) -> list[Report]:
    """Everything until the source has no more."""
    found = []
    while (report := reader.read(timeout_s)) is not None or _has_more(reader):
        if report is not None:
            found.append(report)
    return found


def _has_more(reader: Reader) -> bool:
    source = reader._source
    return isinstance(source, frames.Film) and not source._over


def test_a_film_of_two_customers_is_two_reads(tmp_path: Path) -> None:
    """Each card is one read, with its technology, however many frames it is in; nothing else is read."""
    first, second = worn.worn("qr", 0, 1), worn.worn("ean13", 1, 2)
    empty = list(worn.empty_frames(30, 1))
    path = film(tmp_path / "two.avi", [*empty[:5], *[first.picture] * 8, *empty, *[second.picture] * 8, *empty[:5]])
    with opened(path, tmp_path) as reader:
        got = reports(reader)
    assert [(r.technology, r.data) for r in got if isinstance(r, CardRead)] == [
        (Technology.QR, first.text),
        (Technology.EAN, second.text),
    ]
    assert all(isinstance(r, CardRead) and r.entry_mode is EntryMode.SCANNED for r in got)


def test_a_worn_film_is_read_over_its_frames(tmp_path: Path) -> None:
    """A card that is hard to read is read once, with the effort told."""
    pictures, text = worn.clip("code128", 4, 1)
    with opened(film(tmp_path / "worn.avi", pictures), tmp_path) as reader:
        (report,) = reports(reader)
    assert isinstance(report, CardRead)
    assert report.data == text
    assert report.effort > 1


def test_pictures_that_appear_in_a_folder_are_read_once(tmp_path: Path) -> None:
    """A picture put there is a presentation; what is no picture and what holds no code is told, and life goes on."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    card = worn.worn("code128", 0, 1)
    cv2.imwrite(str(folder / "a.png"), card.picture)
    with opened(folder, tmp_path) as reader:
        first = reader.read(1.0)
        (folder / "b.jpg").write_bytes(b"\xff\xd8 no picture")
        (folder / "notes.txt").write_text("not looked at")
        spoilt = reader.read(1.0)
        cv2.imwrite(str(folder / "c.png"), next(worn.empty_frames(1, 1)))
        blank = reader.read(1.0)
        nothing = reader.read(0.05)
    assert isinstance(first, CardRead)
    assert (first.technology, first.data) == (Technology.CODE128, card.text)
    assert isinstance(spoilt, CardUnreadable)
    assert spoilt.reason == "damaged"
    assert isinstance(blank, CardUnreadable)
    assert blank.reason == "no_code"
    assert nothing is None


def test_a_reopened_reader_does_not_present_old_pictures_again(tmp_path: Path) -> None:
    """They may be of the customer before."""
    cv2.imwrite(str(tmp_path / "a.png"), worn.worn("qr", 0, 1).picture)
    with opened(tmp_path, tmp_path, reopened=True) as reader:
        assert reader.read(0.05) is None


@pytest.mark.parametrize(
    ("source", "error"),
    [("/dev/video-not-there", ReaderAbsent), ("9999", ReaderAbsent), ("/proc/version", ReaderAbsent)],
)
def test_what_cannot_be_opened_is_named(source: str, error: type[DriverError], tmp_path: Path) -> None:
    """The technician reads which source it is and what mends it."""
    with pytest.raises(error) as raised, opened(source, tmp_path):
        pass
    assert raised.value.condition.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_forbidden_device_is_told_as_such(tmp_path: Path) -> None:
    """With the group that helps."""
    device = tmp_path / "video0"
    device.touch(mode=0)
    with pytest.raises(ReaderForbidden, match="may not open"), opened(device, tmp_path):
        pass


def test_an_unknown_symbology_is_named(tmp_path: Path) -> None:
    """With those that are known."""
    with pytest.raises(DriverError, match="qrr") as raised, opened(tmp_path, tmp_path, symbologies=("qrr",)):
        pass
    assert "code128" in str(raised.value.condition.remedy)


def exhaust(source: Callable[[], object]) -> None:
    """Takes for ever: only an error ends it."""
    while True:
        source()


class FakeCamera:
    """A capture that gives what it is told to: pictures, then its last one for ever, or nothing more."""

    def __init__(self, pictures: list[worn.Picture], *, freezes: bool = False) -> None:
        self._pictures, self._freezes = pictures, freezes
        self.released = threading.Event()
        self._paced = threading.Event()

    def read(self) -> tuple[bool, Any]:
        self._paced.wait(0.002)  # a camera's own pace
        if len(self._pictures) > 1 or (self._freezes and self._pictures):
            return True, self._pictures.pop(0) if len(self._pictures) > 1 else self._pictures[0]
        return False, None

    def release(self) -> None:
        self.released.set()


def drained(live: frames.Live) -> DriverError:
    """What ends the stream."""
    with pytest.raises(DriverError) as raised:
        exhaust(lambda: live.next(PATIENCE_S))
    return raised.value


def test_an_unplugged_camera_is_absent() -> None:
    """A capture that fails is a camera that has gone; the device is given back."""
    camera = FakeCamera(list(worn.empty_frames(5, 1)))
    live = frames.Live(camera, "/dev/video7")
    error = drained(live)
    live.close()
    assert isinstance(error, ReaderAbsent)
    assert "/dev/video7" in error.condition.detail
    assert camera.released.is_set()


def test_a_frozen_camera_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same frame to the last bit, again and again, is no picture of anything."""
    monkeypatch.setattr(frames, "FROZEN_S", 0.2)
    live = frames.Live(FakeCamera(list(worn.empty_frames(3, 1)), freezes=True), "/dev/video7")
    error = drained(live)
    live.close()
    assert "frozen" in error.condition.detail


def test_only_the_newest_frame_counts() -> None:
    """What has waited in a buffer is of the past: a slow reader skips it."""
    pictures = [np.full((40, 60), n, np.uint8) for n in range(30)]
    live = frames.Live(FakeCamera(pictures, freezes=True), "camera")
    seen = []
    while not seen or seen[-1] != 29:
        frame = live.next(PATIENCE_S)
        assert frame is not None
        seen.append(int(frame.picture[0, 0]))
    live.close()
    assert seen == sorted(seen)


@contextlib.contextmanager
def stream(pictures: list[worn.Picture]) -> Iterator[str]:
    """The pictures as Motion JPEG over HTTP, once, then the line is closed."""
    parts = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            with contextlib.suppress(OSError):
                for part in parts:
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part)}\r\n\r\n"
                    self.wfile.write(head.encode() + part + b"\r\n")

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/camera.mjpg"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_stream_is_read_and_its_end_is_an_absent_camera(tmp_path: Path) -> None:
    """An address gives frames as a device does; when the line is closed the reader is absent."""
    card = worn.worn("qr", 0, 2)
    with stream([card.picture] * 40) as address, opened(address, tmp_path) as reader:
        got: list[Report | None] = []
        with pytest.raises(ReaderAbsent):
            exhaust(lambda: got.append(reader.read(PATIENCE_S)))
    assert [r.data for r in got if isinstance(r, CardRead)] == [card.text]


class FakeDevice:
    """A UVC camera as cv2.VideoCapture shows it: it has some controls, and of those it takes a range of values."""

    def __init__(self, ranges: dict[int, range], *, lies: bool = False) -> None:
        self._ranges, self._lies = ranges, lies
        self.set_to: list[tuple[int, float]] = []
        self._values: dict[int, float] = {}

    def set(self, key: int, value: float) -> bool:
        self.set_to.append((key, value))
        if key not in self._ranges:
            return False
        if value in self._ranges[key]:
            self._values[key] = value
        return value in self._ranges[key] or self._lies

    def get(self, key: int) -> float:
        return self._values.get(key, -1.0)


FULL = {
    cv2.CAP_PROP_AUTO_EXPOSURE: range(1, 4),
    cv2.CAP_PROP_EXPOSURE: range(3, 2048),
    cv2.CAP_PROP_AUTOFOCUS: range(2),
    cv2.CAP_PROP_FOCUS: range(0, 256, 5),
}


def test_the_lens_is_told_what_the_config_says_in_the_order_that_works() -> None:
    """Automatic, manual, then the time: otherwise some cameras keep the old one. A set focus ends the searching."""
    device = FakeDevice(FULL)
    assert told(device, Lens(1280, 720, 15, exposure=200, focus=30)) == ()
    assert device.set_to[-5:] == [
        (cv2.CAP_PROP_AUTO_EXPOSURE, 3),
        (cv2.CAP_PROP_AUTO_EXPOSURE, 1),
        (cv2.CAP_PROP_EXPOSURE, 200),
        (cv2.CAP_PROP_AUTOFOCUS, 0),
        (cv2.CAP_PROP_FOCUS, 30),
    ]


def test_a_lens_that_is_not_spoken_of_is_left_as_it_is() -> None:
    """Makers' defaults are mostly right, and some cameras never recover from a wrong value."""
    device = FakeDevice(FULL)
    assert told(device, Lens(1280, 720, 15)) == ()
    assert not {key for key, _ in device.set_to} & set(FULL)


@pytest.mark.parametrize(
    ("device", "lens", "refused"),
    [
        (FakeDevice({}), Lens(1280, 720, 15, 200, 30), ("exposure", "autofocus", "focus")),
        (FakeDevice({}), Lens(1280, 720, 15, autofocus=True), ("autofocus",)),
        (FakeDevice(FULL), Lens(1280, 720, 15, exposure=5000), ("exposure",)),
        (FakeDevice(FULL, lies=True), Lens(1280, 720, 15, focus=33), ("focus",)),
    ],
    ids=["no-controls", "fixed-focus", "out-of-range", "says-yes-and-does-nothing"],
)
def test_what_a_camera_does_not_take_is_told(device: FakeDevice, lens: Lens, refused: tuple[str, ...]) -> None:
    """The value is read back: a camera's yes is not believed."""
    assert told(device, lens) == refused


def test_what_a_camera_has_not_taken_stands_in_its_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It looks all the same; the technician reads which options do nothing."""
    source = camera_source.Source(frames.Live(FakeCamera([], freezes=True), "x"), ("focus", "exposure"))
    monkeypatch.setattr(camera_source, "opened", lambda *_, **__: source)
    reader = Reader(Place("camera", str(tmp_path)), Options())
    reader.open()
    said = reader.read(1.0)
    reader.close()
    assert isinstance(said, Condition)
    assert said.detail == "looking at 0; the camera does not take focus, exposure"


def test_a_set_focus_and_a_searching_one_contradict_each_other() -> None:
    """Told before anything is opened."""
    with pytest.raises(ValueError, match="choose one"):
        Options(focus=30, autofocus=True)


@pytest.mark.parametrize("opens", [True, False])
def test_a_program_that_holds_the_camera_is_named(tmp_path: Path, opens: bool) -> None:
    """Any number of programs may open a camera and one gets its frames: whether it opens or only stays dark."""
    device = tmp_path / "video0"
    device.touch()
    code = "import sys; held = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(device)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        if opens:
            live = frames.Live(FakeCamera([]), str(device))
            error = drained(live)
            live.close()
        else:
            with pytest.raises(ReaderHeld) as raised, opened(device, tmp_path):
                pass
            error = raised.value
        other.communicate()
    assert error.condition.state is ReaderState.HELD
    assert f"process {other.pid}" in error.condition.detail


def png(columns: int, rows: int) -> bytes:
    """A grey picture without a mark on it, however large, in a small file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    packer, line = zlib.compressobj(), bytes(columns + 1)
    data = b"".join(packer.compress(line) for _ in range(rows)) + packer.flush()
    size = columns.to_bytes(4, "big") + rows.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_small_file_with_an_endless_picture_costs_no_memory(tmp_path: Path) -> None:
    """A hundred million pixels in a file of 100 kB are damage, and the process stays small and goes on."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    with Watched(tmp_path, "camera", options={"source": str(folder)}) as reader:
        pid = reader.state(ReaderState.READY).pid
        bomb = tmp_path / "bomb"
        bomb.write_bytes(png(10_000, 10_000))
        bomb.rename(folder / "bomb.png")
        assert reader.failure().reason == "damaged"
        (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        assert int(peak) < 150 * 1024
        cv2.imwrite(str(tmp_path / "card.png"), worn.worn("qr", 0, 1).picture)
        (tmp_path / "card.png").rename(folder / "card.png")
        assert reader.card().data == worn.worn("qr", 0, 1).text
        assert reader.supervisor.status.pid == pid


@given(st.binary(max_size=200), st.integers(0, 10**6), st.sampled_from([".png", ".jpg", ".bmp"]))
@settings(max_examples=60)
def test_any_file_in_the_folder_is_a_picture_or_none(noise: bytes, at: int, kind: str) -> None:
    """Noise, and honest pictures in which a piece was overwritten."""
    honest = cv2.imencode(kind, worn.worn("qr", 0, 1).picture)[1].tobytes()
    torn = bytearray(honest)
    torn[at % len(torn) : at % len(torn) + len(noise)] = noise
    with tempfile.TemporaryDirectory() as name:
        for data in (noise, bytes(torn), honest[: at % len(honest)]):
            path = Path(name) / f"one{kind}"
            path.write_bytes(data)
            picture = _picture_in(path)
            assert picture is None or picture.ndim == 2
