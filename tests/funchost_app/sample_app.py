"""A small function app that the tests serve: each message or blob says what its function shall do."""

import asyncio
import json
import sys
import time
from pathlib import Path

import azure.functions as func
from parts.journal import record
from parts.web import web

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(web)


def _do(order: dict, attempt: int) -> None:
    if order.get("sleep"):
        time.sleep(order["sleep"])
    if order.get("wait_for"):
        while not Path(order["wait_for"]).exists():
            time.sleep(0.02)
    if order.get("exit"):
        sys.exit(order["exit"])
    if attempt <= order.get("fail", 0):
        raise RuntimeError(f"told to fail at attempt {attempt}")


@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%", connection="STORAGE")
def work(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode("utf-8")
    order = json.loads(text) if text.startswith("{") else {}
    dates = [moment.isoformat() if moment else None for moment in (msg.insertion_time, msg.expiration_time, msg.time_next_visible)]
    record("work", phase="start", body=text, id=msg.id, count=msg.dequeue_count, dates=dates, receipt=msg.pop_receipt)
    _do(order, msg.dequeue_count or 0)
    record("work", phase="end", body=text)


@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%-poison", connection="STORAGE")
def work_poison(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode("utf-8")
    record("work_poison", body=text, count=msg.dequeue_count)
    if "poison-fails" in text:
        raise RuntimeError("told to fail")


@app.queue_trigger(arg_name="msg", queue_name="texts-%WORK_QUEUE%", connection="STORAGE")
async def texts(msg: str, context: func.Context) -> None:
    await asyncio.sleep(0)
    record("texts", body=msg, kind=type(msg).__name__, invocation=context.invocation_id, name=context.function_name)


@app.queue_trigger(arg_name="msg", queue_name="bytes-%WORK_QUEUE%", connection="STORAGE", data_type="BINARY")
def raw(msg: bytes) -> None:
    record("raw", body=msg.hex(), kind=type(msg).__name__)


@app.queue_trigger(arg_name="msg", queue_name="late-%WORK_QUEUE%", connection="STORAGE")
def late(msg: func.QueueMessage) -> None:
    record("late", body=msg.get_body().decode())


@app.queue_trigger(arg_name="msg", queue_name="returns-%WORK_QUEUE%", connection="STORAGE")
def returns(msg: func.QueueMessage):
    record("returns", body=msg.get_body().decode())
    return "something"


@app.blob_trigger(arg_name="blob", path="uploads-%WORK_QUEUE%/{name}.txt", connection="STORAGE")
def uploaded(blob: func.InputStream) -> None:
    body = blob.read().decode()
    record("uploaded", phase="start", name=blob.name, length=blob.length, body=body, uri=blob.uri, metadata=blob.metadata)
    _do(json.loads(body) if body.startswith("{") else {}, 1)
    record("uploaded", phase="end", name=blob.name, body=body)


@app.blob_trigger(arg_name="blob", path="events-%WORK_QUEUE%/{name}", connection="STORAGE", source="EventGrid")
def announced(blob: bytes) -> None:
    record("announced", body=blob.decode())


@app.timer_trigger(arg_name="timer", schedule="%TICK%", run_on_startup=False)
def tick(timer: func.TimerRequest) -> None:
    record("tick", past_due=timer.past_due, status=timer.schedule_status)
