"""A courier that works until there is nothing to say."""

from offline_queue.courier import Courier
from offline_queue.steps import Rest


def to_rest(courier: Courier) -> None:
    """Whatever the waits."""
    for _ in range(60):
        step = courier.step()
        if isinstance(step, Rest):
            if step.until_ms == courier.state.hello_due_ms:
                return
            courier.hasten()
    raise AssertionError("the courier does not come to rest")
