"""Diagnosis, Login and Logout: how the till is, and who works with it."""

from datetime import UTC, datetime
from typing import Any

from drivers.base import ReaderState
from terminal.api.nexo.answers import Body, success
from terminal.api.nexo.operators import spoken
from terminal.api.nexo.talk import Shop, Talk


async def diagnose(talk: Talk) -> Body:
    """As the till knows it now; nothing is tried out for it."""
    status = await talk.desk.ask("status")
    hosts = [{"AcquirerID": talk.shop.acquirer, "IsReachableFlag": status["ledger"]["reachable"]}]
    told = {"Response": success(**details(status, talk.shop)), "POIStatus": poi_status(status), "HostStatus": hosts}
    return {**told, "LoggedSaleID": sorted(talk.memory.logged)}


def poi_status(status: dict[str, Any]) -> Body:
    """`POIStatus`; a flag is absent where there is no such part. Pure."""
    ready = [reader.status is ReaderState.READY for reader in status["readers"]]
    told = {"GlobalStatus": "OK" if any(ready) or not ready else "Maintenance"}
    reading = {"CardReaderOKFlag": all(ready)} if ready else {}
    return {**told, **reading, "CommunicationOKFlag": status["ledger"]["reachable"]}


def details(status: dict[str, Any], shop: Shop) -> dict[str, object]:
    """What the flags cannot say: each reader, what to do about those that are not ready, what waits. Pure."""
    queue, readers = status["queue"], status["readers"]
    down = [reader for reader in readers if reader.status is not ReaderState.READY]
    return {
        "firmwareVersion": f"tilld_{shop.software}",
        "terminalId": shop.terminal,
        "unconfirmedBatchCount": queue["queued"],
        "oldestPendingSeconds": None if queue["oldest_age_s"] is None else round(queue["oldest_age_s"]),
        "conflicts": queue["conflicts"] or None,
        "ledger": status["ledger"]["detail"],
        "readers": ",".join(f"{reader.name}:{reader.status}" for reader in readers) or None,
        "remedy": "; ".join(f"{reader.name}: {reader.remedy or reader.detail}" for reader in down) or None,
    }


async def log_in(talk: Talk) -> Body:
    """What depends on it is the operator's language alone: the token or the key says who may ask."""
    talk.memory.logged[talk.header.sale_id] = spoken(talk.message)
    software = {
        "ManufacturerID": "tilld",
        "ApplicationName": "tilld",
        "SoftwareVersion": talk.shop.software,
        "CertificationCode": "none",
    }
    system = {
        "DateTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "POISoftware": software,
        "POIStatus": poi_status(await talk.desk.ask("status")),
    }
    return {"Response": success(terminalId=talk.shop.terminal), "POISystemData": system}


async def log_out(talk: Talk) -> Body:
    talk.memory.logged.pop(talk.header.sale_id, None)
    return {"Response": success()}
