"""An NTAG 424 DNA on the real pcscd: what its reader hands on is what the till can verify."""

from pathlib import Path

import pytest

from drivers.base import EntryMode, ReaderState, Technology
from terminal.sdm import SdmRule, Tapped, opened
from tests.virtual.dynamic import DynamicTag
from tests.virtual.pcscd import VirtualPcscd
from tests.virtual.watching import Watched

META, FILE = bytes(range(16)), bytes(range(16, 32))


@pytest.mark.pcscd
def test_each_tap_has_a_message_of_its_own(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """From the chip's memory to the counter, whole at the first attempt."""
    tag, rule = DynamicTag("https://l.example/t", META, FILE), SdmRule("https://l.example/t", META, FILE)
    with Watched(tmp_path, "pcsc", options={"match": pcscd.names[0]}) as reader:
        reader.state(ReaderState.READY)
        for taps in (1, 2):
            pcscd.insert(tag.tapped())
            read = reader.card()
            assert (read.technology, read.entry_mode, read.effort) == (Technology.TYPE_4, EntryMode.CONTACTLESS, 1)
            assert opened(rule, read.data or "") == Tapped((read.uid or "").upper(), taps)
