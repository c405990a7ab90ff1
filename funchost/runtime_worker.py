"""Route B: functions run through Microsoft's own worker package, azure-functions-runtime (Python 3.13 and later).

Its ``native_invocation`` module is the protobuf-free entry that Microsoft's host uses; the package is needed by the conformance run
(``tools/conformance313.py``) and by ``--worker runtime``, never by the application.
"""

from __future__ import annotations

import importlib
import logging
import os
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from funchost.app_loading import add_app_root, script_path
from funchost.errors import ConfigurationError
from funchost.library_worker import convert, from_datum
from funchost.worker import Indexed, Invocation, Outcome, parse_bindings
from funchost.worker_loop import WorkerLoop

_PACKAGE = "azure_functions_runtime"


class _BindingInfo(SimpleNamespace):
    """Stands in for the protobuf message; the runtime compares directions with these numbers."""

    undefined, out, inout = 0, 1, 2


class RuntimeWorker:
    """Implements ``Worker`` on azure_functions_runtime. One app per process: the package keeps its registry in module globals."""

    def __init__(self, app_root: Path) -> None:
        self._app_root = app_root
        try:
            self._runtime: Any = importlib.import_module(_PACKAGE)
            self._events: Any = importlib.import_module(f"{_PACKAGE}.handle_event")
            self._seam: Any = importlib.import_module(f"{_PACKAGE}.native_invocation")
            self._datum: Any = importlib.import_module(f"{_PACKAGE}.bindings.datumdef").Datum
            self._meta: Any = importlib.import_module(f"{_PACKAGE}.bindings.meta")
        except ImportError as error:
            raise ConfigurationError(f"the runtime worker needs Python 3.13 and azure-functions-runtime: {error}") from None
        # The outcome carries the traceback; the package would log it a second time.
        logging.getLogger("azure.functions").setLevel(logging.CRITICAL)
        self._ids: dict[str, str] = {}
        self._loop = WorkerLoop()

    def index(self) -> tuple[Indexed, ...]:
        """Import the app and list its functions through the runtime's own loader."""
        script_path(self._app_root)
        add_app_root(self._app_root)
        self._events.protos = SimpleNamespace(
            BindingInfo=_BindingInfo, RpcFunctionMetadata=SimpleNamespace, RpcRetryOptions=SimpleNamespace
        )
        self._meta.load_binding_registry()
        try:
            self._events.load_function_metadata(os.fspath(self._app_root), caller_info="funchost")
        except Exception as error:
            raise ConfigurationError(f"the app cannot be loaded: {type(error).__name__}: {' '.join(str(error).split())}") from error
        self._runtime.start_threadpool_executor()
        return tuple(self._indexed(metadata) for metadata in self._events._metadata_result or ())

    def _indexed(self, metadata: Any) -> Indexed:
        self._ids[metadata.name] = metadata.function_id
        return Indexed(metadata.name, parse_bindings(metadata.name, metadata.raw_bindings), has_retry=metadata.retry_options is not None)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one function on the worker's loop (synchronous ones go to the runtime's thread pool from there)."""
        return await self._loop.run(self._invoke(invocation))

    async def _invoke(self, invocation: Invocation) -> Outcome:
        # BaseException: the seam lets SystemExit through.
        try:
            metadata = {name: self._to_datum(value) for name, value in invocation.metadata.items()}
            ok, value, _outputs, error, trace = await self._seam.invocation_request_native(
                invocation.id,
                self._ids[invocation.function],
                [(self._parameter(invocation.function), self._to_datum(invocation.data))],
                metadata,
                invocation.trace_parent,
            )
        except BaseException as error:  # noqa: BLE001
            return Outcome(ok=False, error=repr(error), traceback=traceback.format_exc())
        return Outcome(ok=ok, value=from_datum(value), error=error or "", traceback=trace or "")

    def _parameter(self, function: str) -> str:
        return str(next(iter(self._events._functions.get_function(self._ids[function]).input_types)))

    def _to_datum(self, data: Any) -> Any:
        return convert(data, lambda kind, value: self._datum(value, kind))

    def stop(self) -> None:
        """End the loop; the runtime's thread pool would wait for running functions, so it is left to the process's end."""
        self._loop.stop()
