"""Checks of the storage account: reachable, complete, and usable by who asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from shared.adapters.storage import AzureStorage
from shared.adapters.storage_probe import StorageProbe
from shared.doctor.installation import place_of
from shared.domain import remedies
from shared.domain.doctor import Check, Finding, failed, guarded, ok, skipped
from shared.pipeline import names
from shared.settings import StorageSettings

_MOST_SKEW = 60.0
"""Seconds: GitHub takes an App's login for a minute, Azure Storage a signature for fifteen."""
_DEAD_LETTERS = "dead-letters"
_DAY = 86_400.0
_CREATE = "aks-copilot doctor --create"


class StorageChecks:
    """All of them over one account."""

    def __init__(self, settings: StorageSettings, *, event_grid: bool, create: bool) -> None:
        self._settings, self._event_grid, self._create = settings, event_grid, create
        self._probe, self._place = StorageProbe(settings), place_of(settings)

    def checks(self) -> list[Check]:
        """In the order in which they build upon each other."""
        asked = ("identity",) if self._place.shown == "identity" else ()
        return [
            Check("blob storage", lambda: self._guarded("blob", self._blob_storage), asked),
            Check("queue storage", lambda: self._guarded("queue", self._queue_storage), asked),
            Check("clock", self._clock),
            Check("containers", lambda: self._guarded("blob", self._containers), ("blob storage",)),
            Check("queues", lambda: self._guarded("queue", self._queues), ("queue storage",)),
            Check("blob rights", lambda: self._guarded("blob", self._blob_rights), ("containers",)),
            Check("queue rights", lambda: self._guarded("queue", self._queue_rights), ("queues",)),
            Check("events", lambda: self._guarded("blob", self._events), ("blob storage",)),
        ]

    def _guarded(self, service: Literal["blob", "queue"], probe: Callable[[], Finding]) -> Finding:
        return guarded(probe, lambda error: remedies.storage(error, self._place, service))

    def _blob_storage(self) -> Finding:
        self._probe.reach_blobs()
        return ok("the blob service answers")

    def _queue_storage(self) -> Finding:
        self._probe.reach_queues()
        return ok("the queue service answers")

    def _clock(self) -> Finding:
        skew = self._probe.skew
        if skew is None:
            return skipped("no service told its time")
        if abs(skew) > _MOST_SKEW:
            return failed(
                f"this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} storage", "sudo timedatectl set-ntp true"
            )
        return ok("right to a minute")

    def _containers(self) -> Finding:
        if self._create:
            AzureStorage(self._settings, retries=0).ensure(names.CONTAINERS, ())
        return _complete(self._probe.missing_containers(names.CONTAINERS), names.CONTAINERS, "container")

    def _queues(self) -> Finding:
        if self._create:
            AzureStorage(self._settings, retries=0).ensure((), names.QUEUES)
        return _complete(self._probe.missing_queues(names.QUEUES), names.QUEUES, "queue")

    def _blob_rights(self) -> Finding:
        self._probe.use_blobs(names.CACHE)
        return ok(f"wrote, read and deleted a blob in {names.CACHE}")

    def _queue_rights(self) -> Finding:
        self._probe.use_queue(names.INTAKE)
        return ok(f"sent and deleted a message in {names.INTAKE} that nobody saw")

    def _events(self) -> Finding:
        if not self._event_grid:
            return skipped("the host looks for uploads itself (BLOB_TRIGGER_SOURCE)")
        if self._probe.missing_containers([_DEAD_LETTERS]):
            return skipped(f"there is no container {_DEAD_LETTERS}")
        lost = self._probe.newer(_DEAD_LETTERS, _DAY)
        if lost:
            return failed(f"Event Grid gave up events within a day: {lost} files in {_DEAD_LETTERS}", "infra/connect-events.sh")
        return ok("Event Grid gave up no event within a day")


def _complete(missing: Sequence[str], wanted: Sequence[str], kind: str) -> Finding:
    if missing:
        return failed(f"missing: {', '.join(missing)}", _CREATE)
    return ok(f"all {len(wanted)} {kind}s are there")
