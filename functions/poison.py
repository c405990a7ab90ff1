"""Handlers of the poison queues: the run that a message belonged to is marked failed. They never raise."""

import azure.functions as func

from shared import logs
from shared.services import services

bp = func.Blueprint()


def _handle(queue: str, message: func.QueueMessage) -> None:
    """Mark the run failed, whatever the message looks like and whatever else is broken."""
    try:
        services().poisoned(queue, message.get_body().decode("utf-8", "replace"))
    except Exception as error:  # noqa: BLE001 - the real host skips messages of a poison queue after five tries: raising loses them
        logs.failure("poison handler failed", error, queue=queue)


@bp.function_name("intake_poison")
@bp.queue_trigger(arg_name="message", queue_name="intake-poison", connection="STORAGE")
def intake_poison(message: func.QueueMessage) -> None:
    """What the Intake could not do."""
    _handle("intake", message)


@bp.function_name("inspector_poison")
@bp.queue_trigger(arg_name="message", queue_name="inspections-poison", connection="STORAGE")
def inspector_poison(message: func.QueueMessage) -> None:
    """What the Inspector could not do."""
    _handle("inspections", message)


@bp.function_name("thinker_poison")
@bp.queue_trigger(arg_name="message", queue_name="violations-poison", connection="STORAGE")
def thinker_poison(message: func.QueueMessage) -> None:
    """What the Thinker could not do."""
    _handle("violations", message)


@bp.function_name("patcher_poison")
@bp.queue_trigger(arg_name="message", queue_name="patches-poison", connection="STORAGE")
def patcher_poison(message: func.QueueMessage) -> None:
    """What the Patcher could not do."""
    _handle("patches", message)


@bp.function_name("reporter_poison")
@bp.queue_trigger(arg_name="message", queue_name="reports-poison", connection="STORAGE")
def reporter_poison(message: func.QueueMessage) -> None:
    """What the Reporter could not do."""
    _handle("reports", message)
