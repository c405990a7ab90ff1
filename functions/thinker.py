"""Thinker trigger: one message of `violations` is one batch of a run."""

import azure.functions as func

from shared.services import services

bp = func.Blueprint()


@bp.function_name("thinker")
@bp.queue_trigger(arg_name="message", queue_name="violations", connection="STORAGE")
def thinker(message: func.QueueMessage) -> None:
    """Propose operations for what was found."""
    services().deliver("violations", message.get_body().decode("utf-8", "replace"), message.dequeue_count or 1)
