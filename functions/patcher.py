"""Patcher trigger: one message of `patches` is one batch of a run."""

import azure.functions as func

from shared.services import services

bp = func.Blueprint()


@bp.function_name("patcher")
@bp.queue_trigger(arg_name="message", queue_name="patches", connection="STORAGE")
def patcher(message: func.QueueMessage) -> None:
    """Apply and prove the operations, write the files."""
    services().deliver("patches", message.get_body().decode("utf-8", "replace"), message.dequeue_count or 1)
