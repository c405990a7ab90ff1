"""The timer trigger: one run at a time, status kept in storage, a missed run made up for at the start (TimerListener.cs)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError

from funchost.blob_messages import HOSTS_CONTAINER, function_id
from funchost.blob_store import BlobStore
from funchost.executor import FunctionExecutor
from funchost.schedule import Schedule
from funchost.storage_errors import stopped
from funchost.worker import TypedData

log = logging.getLogger("funchost.timers")
_MONITOR_FROM = timedelta(minutes=1)


@dataclass(frozen=True)
class ScheduleStatus:
    """When a timer last fired, fires next, and when this was written."""

    last: datetime | None
    next: datetime
    updated: datetime

    def to_json(self) -> dict[str, str]:
        """The shape of the status blob and of the function's payload; a missing ``Last`` is .NET's first moment."""
        last = self.last.isoformat() if self.last else "0001-01-01T00:00:00"
        return {"Last": last, "Next": self.next.isoformat(), "LastUpdated": self.updated.isoformat()}


class StatusStore:
    """``azure-webjobs-hosts/timers/{hostId}/Host.Functions.{name}/status``."""

    def __init__(self, store: BlobStore, host_id: str) -> None:
        self._store = store
        self._host_id = host_id

    async def read(self, function: str) -> ScheduleStatus | None:
        """The stored status; None when there is none that can be read as one."""
        text = await self._store.read_text(HOSTS_CONTAINER, self._name(function))
        if text is None:
            return None
        try:
            document = json.loads(text)
            last = datetime.fromisoformat(document["Last"])
            return ScheduleStatus(
                last=last if last.year > 1 else None,
                next=datetime.fromisoformat(document["Next"]),
                updated=datetime.fromisoformat(document["LastUpdated"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            log.warning("status of timer %s is not readable and is written anew: %s", function, error)
            return None

    async def write(self, function: str, status: ScheduleStatus) -> None:
        """Store ``status``."""
        await self._store.write(HOSTS_CONTAINER, self._name(function), json.dumps(status.to_json()).encode())

    def _name(self, function: str) -> str:
        return f"timers/{self._host_id}/{function_id(function)}/status"


class TimerListener:
    """Fires one function on its schedule until stopped."""

    def __init__(
        self,
        function: str,
        schedule: Schedule,
        statuses: StatusStore,
        executor: FunctionExecutor,
        *,
        run_on_startup: bool = False,
        use_monitor: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._function = function
        self._schedule = schedule
        self._statuses = statuses
        self._executor = executor
        self._run_on_startup = run_on_startup
        self._now = now
        self._monitor = use_monitor and self._slow_enough()
        self._stopping = asyncio.Event()
        self._status: ScheduleStatus | None = None

    def stop(self) -> None:
        """End after the run that is under way."""
        self._stopping.set()

    async def run(self) -> None:
        """Make up for a missed run, then fire on schedule; raises StorageStoppedHostError when the status cannot be kept."""
        try:
            await self._start()
            due = self._now()
            while not self._stopping.is_set():
                # Computed after the function has ended: what was missed meanwhile is skipped. Never before the last one: sleeps end early.
                due = self._schedule.next_after(max(due, self._now()))
                if await self._sleep_until(due):
                    await self._fire(due, past_due=False, reason="Timer fired")
        except AzureError as error:
            raise stopped(f"keep the status of timer '{self._function}'", error) from error

    async def run_now(self) -> None:
        """Run once outside the schedule, for the admin endpoint; the stored status stays as it is."""
        await self._invoke(past_due=False, reason="This function was programmatically called via the host APIs.")

    async def _start(self) -> None:
        now = self._now()
        if self._monitor:
            self._status = await self._statuses.read(self._function)
        past_due = self._status is not None and self._schedule.next_after(self._status.last or self._status.updated) <= now
        if past_due or self._run_on_startup:
            await self._fire(now, past_due=past_due, reason="Timer fired at start")
        elif self._monitor and self._status is None:
            await self._keep(ScheduleStatus(None, self._schedule.next_after(now), now))

    async def _fire(self, due: datetime, *, past_due: bool, reason: str) -> None:
        await self._invoke(past_due=past_due, reason=reason)
        if self._monitor:
            now = self._now()
            await self._keep(ScheduleStatus(due, self._schedule.next_after(now), now))

    async def _invoke(self, *, past_due: bool, reason: str) -> None:
        status = self._status.to_json() if self._status else None
        payload = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
        await self._executor.run(self._function, reason, TypedData.json(payload))

    async def _keep(self, status: ScheduleStatus) -> None:
        self._status = status
        await self._statuses.write(self._function, status)

    async def _sleep_until(self, due: datetime) -> bool:
        seconds = (due - self._now()).total_seconds()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), max(0.0, seconds))
        return not self._stopping.is_set()

    def _slow_enough(self) -> bool:
        """The status is kept only for schedules that fire at most once a minute."""
        first = self._schedule.next_after(self._now())
        return self._schedule.next_after(first) - first >= _MONITOR_FROM
