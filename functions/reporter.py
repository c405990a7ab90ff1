"""Reporter trigger: one message of `reports` is one batch of a run."""

import azure.functions as func

from shared.services import services

bp = func.Blueprint()


@bp.function_name("reporter")
@bp.queue_trigger(arg_name="message", queue_name="reports", connection="STORAGE")
def reporter(message: func.QueueMessage) -> None:
    """Join the run; the last batch finishes it."""
    services().deliver("reports", message.get_body().decode("utf-8", "replace"), message.dequeue_count or 1)


@bp.function_name("sweep")
@bp.timer_trigger(arg_name="timer", schedule="0 * * * * *")
def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker demands the parameter
    """Every minute: finish runs whose last message was lost."""
    services().sweep()
