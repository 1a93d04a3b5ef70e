"""The API in front of a fake till, for the clients."""

from tests.api.conftest import api, till

__all__ = ["api", "till"]
