"""Two tills keep copies over TLS, vouched for by the shop's own authority; nobody else's word is taken."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.rig import LedgerProcess, TillProcess, asked, free_port, tilld
from tests.certificates import Authority

CARD = {"number": "2990000000017"}


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerProcess:
    return LedgerProcess(tmp_path)


class Shop:
    """A till that mirrors to another one over TLS; the ledger is away."""

    def __init__(self, folder: Path, ledger: LedgerProcess) -> None:
        self.folder, self._ledger, self.port = folder, f"http://127.0.0.1:{ledger.port}", free_port()
        self.trusted, self.stranger = Authority(folder, "shop"), Authority(folder, "stranger")

    def sender(self, vouches: Authority) -> TillProcess:
        to = f'to = "https://127.0.0.1:{self.port}"\nwait_ms = 5000\nca_file = "{vouches.file}"'
        return self._till("S001-T01", to)

    def keeper(self, peer: str) -> TillProcess:
        files = self.trusted.certified("keeper")
        listen = f'listen = "127.0.0.1:{self.port}"\npeers = ["{peer}"]'
        return self._till(
            "S001-T02", f'{listen}\ncertificate = "{files.certificate}"\nprivate_key = "{files.private_key}"'
        )

    def _till(self, name: str, mirror: str) -> TillProcess:
        return TillProcess(self.folder / name, self._ledger, extra=f'[terminal]\nid = "{name}"\n[mirror]\n{mirror}')


def sell(till: TillProcess, key: str) -> None:
    pos = till.pos()
    assert pos.transaction(key, "earn", card=CARD, points=10)[0] == 201
    pos.close()


def test_copies_travel_to_a_till_that_the_shop_s_authority_vouches_for(tmp_path: Path, ledger: LedgerProcess) -> None:
    """With the wrong authority nothing travels, the till says why and sells on; with the right one all of it does.

    When the first till has burnt, the other brings what both sold to the ledger.
    """
    shop = Shop(tmp_path, ledger)
    sender = shop.sender(shop.stranger)
    told = asked("enroll", "--config", sender.config, "--state", sender.state)
    keeper = shop.keeper(f"{told['terminal']} {told['public_key']}")
    with ExitStack() as running:
        for process in (ledger, keeper, sender):
            running.callback(process.stop)
        keeper.start()
        sender.start()
        sell(sender, "while nobody is trusted")
        while (mirror := asked("status", "--state", sender.state)["mirror"])["reachable"]:
            pass
        assert "certificate" in mirror["detail"]
        assert "Sales go on without a second copy" in tilld("status", "--state", sender.state).stdout
        assert asked("mirror", "list", "--state", keeper.state) == []

        sender.stop()
        sender = shop.sender(shop.trusted)
        running.callback(sender.stop)
        sender.start()
        sell(sender, "with a copy")
        while asked("status", "--state", sender.state)["mirror"]["behind"]:
            pass
        sender.kill()
        shutil.rmtree(sender.state)

        ledger.start("--enrolment", "open", "--unknown-cards", "register")
        tilld("ledger", "enroll", told["terminal"], told["public_key"], "--database", ledger.database)
        keeper.drain()
        brought = tilld("mirror", "deliver", "--config", keeper.config, "--state", keeper.state)
        assert brought.returncode == 0, brought.stderr
        assert int(ledger.account(CARD["number"])["points"]) == 20
        assert asked("mirror", "list", "--state", keeper.state) == []
