"""Intake triggers: a new blob under `manifests/`, and the messages of the `intake` queue."""

import os

import azure.functions as func

from shared.services import services

bp = func.Blueprint()
# Flex Consumption allows only Event Grid; local storage only polling. One setting, read when the app is indexed.
SOURCE = func.BlobSource.EVENT_GRID if os.environ.get("BLOB_TRIGGER_SOURCE") == "EventGrid" else func.BlobSource.LOGS_AND_CONTAINER_SCAN


@bp.function_name("intake_blob")
@bp.blob_trigger(arg_name="blob", path="manifests/{name}", connection="STORAGE", source=SOURCE)
def intake_blob(blob: func.InputStream) -> None:
    """Queue what came; the content is read by nobody here."""
    services().uploaded((blob.name or "").partition("/")[2])


@bp.function_name("intake")
@bp.queue_trigger(arg_name="message", queue_name="intake", connection="STORAGE")
def intake(message: func.QueueMessage) -> None:
    """Freeze the run that an upload makes, and send its batches."""
    services().deliver("intake", message.get_body().decode("utf-8", "replace"), message.dequeue_count or 1)
