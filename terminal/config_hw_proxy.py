"""What a shop may set of Odoo's hardware proxy."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from terminal.config_problems import origin_problems


class HwProxy(msgspec.Struct, frozen=True):
    enabled: bool = False
    origins: tuple[Annotated[str, msgspec.Meta(max_length=256)], ...] = ()
    card_numbers: bool = False


def hw_proxy_problems(chosen: HwProxy) -> Iterator[tuple[str, str]]:
    """Key and words."""
    yield from (("origins", problem) for problem in origin_problems(chosen.origins))
    if chosen.enabled and not chosen.origins:
        yield "origins", "must name the address of your Odoo, like ['https://shop.odoo.com']: no other page is let in."
