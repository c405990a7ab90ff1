"""Inspector trigger: one message of `inspections` is one batch of a run."""

import azure.functions as func

from shared.services import services

bp = func.Blueprint()


@bp.function_name("inspector")
@bp.queue_trigger(arg_name="message", queue_name="inspections", connection="STORAGE")
def inspector(message: func.QueueMessage) -> None:
    """Find the violations of a batch."""
    services().deliver("inspections", message.get_body().decode("utf-8", "replace"), message.dequeue_count or 1)
