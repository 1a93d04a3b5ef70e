"""A peer behind TLS: copies go to whom the authority vouches for at this address and now, and to nobody else."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offline_queue.mirror_copy import FolderKeeper, MirrorUnreachable
from offline_queue.mirror_peer import PeerKeeper
from terminal.config_mirror import MirrorConfig
from terminal.mirror.desk import MirrorDesk
from terminal.mirror.parts import MirrorServer, keeper_of
from tests.certificates import Authority, Certified
from tests.offline_queue.copies import KEY, STREAM, TERMINAL, copied, records


@pytest.fixture
def shop(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "shop")


@pytest.fixture
def kept(tmp_path: Path) -> FolderKeeper:
    return FolderKeeper(tmp_path / "kept")


@pytest.fixture
def served(tmp_path: Path, kept: FolderKeeper) -> Iterator[Callable[[Certified], str]]:
    """Called with a certificate it keeps copies behind that, and tells where."""
    with contextlib.ExitStack() as running:

        def serve(files: Certified) -> str:
            desk = MirrorDesk(kept, tmp_path / "journal.db", {TERMINAL: KEY.public_key().public_bytes_raw()})
            config = MirrorConfig(
                listen="127.0.0.1:0", certificate=str(files.certificate), private_key=str(files.private_key)
            )
            server = MirrorServer(config, desk)
            server.start()
            running.callback(server.stop)
            return server.address

        yield serve


def test_a_vouched_for_peer_is_given_copies(
    shop: Authority, kept: FolderKeeper, served: Callable[[Certified], str]
) -> None:
    """And tells what it has, and gives it up."""
    address = served(shop.certified("keeper"))
    config = MirrorConfig(to=f"https://{address}", ca_file=str(shop.file))
    with contextlib.closing(keeper_of(config, TERMINAL, KEY)) as peer:
        peer.keep(copied(records(2)))
        assert peer.held(TERMINAL) == kept.held(TERMINAL) == {STREAM: 2}
        peer.forget(TERMINAL, STREAM, 2)
        assert kept.held(TERMINAL) == {}


BAD = {
    "of another authority": lambda shop, other: other.certified("keeper"),
    "of another address": lambda shop, other: shop.certified("keeper", address="127.0.0.2"),
    "that is over": lambda shop, other: shop.certified("keeper", days=-1),
}


@pytest.mark.parametrize("what", BAD)
def test_no_other_certificate_is_taken(
    what: str, tmp_path: Path, shop: Authority, kept: FolderKeeper, served: Callable[[Certified], str]
) -> None:
    """Nothing is sent, and the words say what is wrong and where to mend it."""
    address = served(BAD[what](shop, Authority(tmp_path, "stranger")))
    with (
        contextlib.closing(PeerKeeper(f"https://{address}", TERMINAL, KEY, ca_file=str(shop.file))) as peer,
        pytest.raises(MirrorUnreachable, match=r"no certificate that is trusted here .*; ca_file names"),
    ):
        peer.keep(copied(records(2)))
    assert kept.held(TERMINAL) == {}


def test_words_in_the_clear_reach_nobody_behind_tls(shop: Authority, served: Callable[[Certified], str]) -> None:
    """A till that was told http:// by mistake does not find its mirror."""
    with (
        contextlib.closing(PeerKeeper(f"http://{served(shop.certified('keeper'))}", TERMINAL, KEY)) as peer,
        pytest.raises(MirrorUnreachable),
    ):
        peer.held(TERMINAL)
