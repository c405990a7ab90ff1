"""Indexes the container `knowledge`: an upload says that something changed, the timer finds what no event tells."""

import azure.functions as func

from functions.intake import SOURCE
from shared.services import services

bp = func.Blueprint()


@bp.function_name("knowledge_blob")
@bp.blob_trigger(arg_name="blob", path="knowledge/{name}", connection="STORAGE", source=SOURCE)
def knowledge_blob(blob: func.InputStream) -> None:  # noqa: ARG001 - what changed is found by listing: many uploads are one comparison
    """Read what is new or changed into the index."""
    services().knowledge_changed()


@bp.function_name("knowledge_timer")
@bp.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
def knowledge_timer(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the worker demands the parameter
    """Every five minutes: deletions, of which a blob trigger is not told, and what a new version of the program ships."""
    services().knowledge_changed()
