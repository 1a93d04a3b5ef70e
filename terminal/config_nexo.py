"""The nexo listener's part of the config."""

from typing import Annotated

import msgspec

from terminal.config_problems import address_problem

Poi = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{0,64}$", description="up to 64 letters, digits, '.', '_' and '-'")
]
Brand = Annotated[str, msgspec.Meta(max_length=64)]


class Nexo(msgspec.Struct, frozen=True):
    """The keys of `[nexo]`; terminal/default.toml says what each is for."""

    enabled: bool = False
    listen: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "127.0.0.1:8443"
    poi_id: Poi = ""
    brand: Brand = ""
    display: bool = False


def nexo_problems(nexo: Nexo) -> list[tuple[str, str]]:
    """What is wrong although each key alone is right: the key and the words."""
    problem = address_problem(nexo.listen)
    return [("listen", problem)] if problem else []
