"""`GET /v1/history`, over real connections."""

import pytest

from tests.api.conftest import Api


def test_the_last_days_are_told_to_whoever_may_look(api: Api) -> None:
    """In stretches as long as one asks for; the page may ask too, a stranger may not."""
    told = api.ask("GET", "/v1/history?hours=24&step=60").json
    assert (told["hours"], told["step_s"]) == (24, 3600)
    assert [stretch["queue"] for stretch in told["stretches"]] == [0]
    assert api.ask("GET", "/v1/history", token=None).status == 401


@pytest.mark.parametrize("query", ["hours=0", "hours=169", "step=7", "step=-5", "hours=x", "step=1445"])
def test_what_makes_no_sense_is_said(api: Api, query: str) -> None:
    """A bound or a multiple that does not fit is named."""
    refused = api.ask("GET", f"/v1/history?{query}")
    assert (refused.status, refused.json["code"]) == (422, "invalid")
    assert query.partition("=")[0] in refused.json["detail"]
