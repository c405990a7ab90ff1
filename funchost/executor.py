"""One invocation from start to finish: ids, log lines, functionTimeout. Queue, blob, timer and HTTP all go through here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Mapping

from funchost.worker import Invocation, Outcome, TypedData, Worker

log = logging.getLogger("funchost.executor")


class FunctionExecutor:
    """Runs functions on a worker.

    The real host kills and restarts the worker process when a function exceeds functionTimeout, and every other invocation on it fails.
    A thread cannot be killed, so here ``on_timeout`` is told and all running invocations fail; the host then replaces its own process.
    """

    def __init__(self, worker: Worker, timeout: float | None, on_timeout: Callable[[str], None]) -> None:
        self._worker = worker
        self._timeout = timeout
        self._on_timeout = on_timeout
        self._worker_lost = asyncio.Event()

    async def run(
        self, function: str, reason: str, data: TypedData, metadata: Mapping[str, TypedData] | None = None, trace_parent: str = ""
    ) -> Outcome:
        """Run ``function`` and log it as the real host does; never raises."""
        call = Invocation(str(uuid.uuid4()), function, data, metadata or {}, trace_parent or new_trace_parent())
        log.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function, reason, call.id)
        started = time.monotonic()
        outcome = await self._bounded(call)
        duration = (time.monotonic() - started) * 1000
        word = "Succeeded" if outcome.ok else "Failed"
        log.log(
            logging.INFO if outcome.ok else logging.ERROR,
            "Executed 'Functions.%s' (%s, Id=%s, Duration=%.0fms)",
            function,
            word,
            call.id,
            duration,
        )
        if not outcome.ok:
            log.error("Exception while executing function 'Functions.%s': %s", function, " ".join(outcome.error.split()))
            log.debug("%s", outcome.traceback or "(no traceback)")
        return outcome

    async def _bounded(self, call: Invocation) -> Outcome:
        running = asyncio.ensure_future(self._worker.invoke(call))
        lost = asyncio.ensure_future(self._worker_lost.wait())
        try:
            done, _ = await asyncio.wait({running, lost}, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
            if running in done:
                return running.result()
            if not done:
                self._exceeded(call)
            return Outcome(ok=False, error="the worker was restarted because a function exceeded functionTimeout")
        finally:
            lost.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await lost

    def _exceeded(self, call: Invocation) -> None:
        log.error("Timeout value of %ss exceeded by function 'Functions.%s' (Id: '%s').", f"{self._timeout:g}", call.function, call.id)
        self._worker_lost.set()
        self._on_timeout(call.function)


def new_trace_parent(parent: str = "") -> str:
    """A W3C traceparent: a new span, in the trace of ``parent`` when that is one."""
    parts = parent.split("-")
    trace = parts[1] if len(parts) == 4 and len(parts[1]) == 32 else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-00"
