"""The nexo listener as a part of the till: what of the config it is made of."""

from pathlib import Path
from urllib.parse import urlsplit

from terminal.api.desk import Desk
from terminal.api.nexo.server import NexoServer
from terminal.api.nexo.talk import Shop
from terminal.config import Config


def nexo_listener(config: Config, desk: Desk, state: Path) -> NexoServer | None:
    """None where the shop has not switched it on."""
    nexo = config.nexo
    if not nexo.enabled:
        return None
    shop = Shop(
        poi_id=nexo.poi_id or config.terminal.id,
        terminal=config.terminal.id,
        brand=nexo.brand,
        acquirer=urlsplit(config.ledger.url).hostname or "ledger",
        software=desk.version,
        rule=config.programme.points_rule(),
        display=nexo.display,
    )
    return NexoServer(nexo.listen, desk, shop, state)
