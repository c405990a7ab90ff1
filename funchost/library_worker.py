"""Route A: functions run through the azure-functions library alone (Python 3.11 and later).

Decoding and encoding are the library's own converters; what is written here is only what Microsoft's worker does around
them: which converter, which thread, the context object, the rule about return values.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import os
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from funchost.app_loading import load_functions
from funchost.errors import ConfigurationError
from funchost.signatures import GENERIC, Signature, read_signature
from funchost.worker import Indexed, Invocation, Outcome, TypedData, parse_bindings
from funchost.worker_loop import WorkerLoop

_local = threading.local()


@dataclass(frozen=True)
class TraceContext:
    """The W3C trace of the invocation, under the names of azure.functions.TraceContext and the worker's older ones."""

    trace_parent: str
    trace_state: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def Traceparent(self) -> str:  # noqa: N802
        """The older name of ``trace_parent``."""
        return self.trace_parent

    @property
    def Tracestate(self) -> str:  # noqa: N802
        """The older name of ``trace_state``."""
        return self.trace_state


@dataclass(frozen=True)
class RetryContext:
    """No retry policy is served here, so both counts stay zero."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: None = None


@dataclass(frozen=True)
class Context:
    """What a ``context`` parameter receives (duck-typed, as in the worker)."""

    function_name: str
    function_directory: str
    invocation_id: str
    trace_context: TraceContext
    retry_context: RetryContext
    thread_local_storage: threading.local


class LibraryWorker:
    """Implements ``Worker`` on azure.functions."""

    def __init__(self, app_root: Path) -> None:
        self._app_root = app_root
        self._signatures: dict[str, Signature] = {}
        self._registry: Any = None
        self._threads = ThreadPoolExecutor(thread_count(), thread_name_prefix="function")
        self._loop = WorkerLoop()

    def index(self) -> tuple[Indexed, ...]:
        """Import the app and list its functions."""
        functions = load_functions(self._app_root)
        # After the app's own import, as the worker does: the app decides which azure-functions is loaded.
        library: Any = importlib.import_module("azure.functions")
        self._registry = library.get_binding_registry()
        return tuple(self._add(function) for function in functions)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one function: synchronous ones in the thread pool, async ones on the worker's loop."""
        return await self._loop.run(self._invoke(invocation))

    def stop(self) -> None:
        """End loop and pool without waiting for running functions."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._loop.stop()

    def _add(self, function: Any) -> Indexed:
        signature = read_signature(function, self._registry)
        self._signatures[signature.name] = signature
        bindings = parse_bindings(signature.name, function.get_raw_bindings())
        return Indexed(signature.name, bindings, has_retry=bool(function.get_settings_dict("retry_policy")))

    async def _invoke(self, invocation: Invocation) -> Outcome:
        # BaseException: sys.exit() in a function is a failed invocation, not the end of the host.
        try:
            signature = self._signatures[invocation.function]
            result = await self._call(signature, invocation)
            return Outcome(ok=True, value=self._encode(signature, result))
        except BaseException as error:  # noqa: BLE001
            return Outcome(ok=False, error=repr(error), traceback=traceback.format_exc())

    async def _call(self, signature: Signature, invocation: Invocation) -> Any:
        arguments = {signature.parameter: self._decode(signature, invocation)}
        if signature.wants_context:
            arguments["context"] = _context(signature, invocation)
        _local.invocation_id = invocation.id
        if signature.is_async:
            return await signature.call(**arguments)
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, _in_thread, signature.call, arguments, invocation.id)

    def _decode(self, signature: Signature, invocation: Invocation) -> Any:
        if signature.converter == GENERIC:
            return invocation.data.value
        metadata = {name: to_datum(value) for name, value in invocation.metadata.items()}
        return self._registry.get(signature.converter).decode(to_datum(invocation.data), trigger_metadata=metadata)

    def _encode(self, signature: Signature, result: Any) -> TypedData | None:
        if signature.return_converter is None:
            if result is not None:
                raise RuntimeError(f"function {signature.name!r} without a $return binding returned a non-None value")
            return None
        converter = self._registry.get(signature.return_converter)
        try:
            return from_datum(converter.encode(result, expected_type=signature.return_type))
        except NotImplementedError:
            # azure-functions raises it for a type that a binding cannot send; the real worker answers in these words.
            kind, given = signature.return_converter, type(result).__name__
            raise TypeError(f'unable to encode outgoing TypedData: unsupported type "{kind}" for Python type "{given}"') from None


def thread_count() -> int | None:
    """PYTHON_THREADPOOL_THREAD_COUNT, else None for Python's default; raises ConfigurationError."""
    text = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT")
    if not text:
        return None
    if not text.isdigit() or int(text) < 1:
        raise ConfigurationError(f"PYTHON_THREADPOOL_THREAD_COUNT must be an integer of 1 or more, not {text!r}")
    return int(text)


def _in_thread(call: Any, arguments: dict[str, Any], invocation_id: str) -> Any:
    _local.invocation_id = invocation_id
    try:
        return call(**arguments)
    finally:
        _local.invocation_id = None


def _context(signature: Signature, invocation: Invocation) -> Context:
    trace = TraceContext(invocation.trace_parent)
    return Context(signature.name, signature.directory, invocation.id, trace, RetryContext(), _local)


def to_datum(data: TypedData) -> Any:
    """The library's Datum of a value; http values are dicts of TypedData all the way down."""
    from azure.functions.meta import Datum  # noqa: PLC0415 - see index()

    return convert(data, lambda kind, value: Datum(value, kind))


def convert(data: TypedData, make: Any) -> Any:
    """``data`` with every nested TypedData turned into ``make(kind, value)``."""
    value = data.value
    if data.kind == "http":
        value = {key: _convert_part(part, make) for key, part in value.items()}
    return make(data.kind, value)


def _convert_part(part: Any, make: Any) -> Any:
    if isinstance(part, dict):
        return {name: convert(value, make) for name, value in part.items()}
    return convert(part, make)


def from_datum(datum: Any) -> TypedData | None:
    """A library (or runtime) Datum as TypedData; None stays None."""
    if datum is None:
        return None
    value = datum.value
    if datum.type == "http":
        value = {key: _plain(part) for key, part in value.items()}
    return TypedData(datum.type, value)


def _plain(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: value.value for name, value in part.items()}
    return part.value if hasattr(part, "type") else part
