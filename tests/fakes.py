"""Hand-written fakes of our own ports, and a small world that delivers messages."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import NoReturn, TypeVar

from toy import TOY

from shared.adapters.secrets import EnvironmentSecrets
from shared.domain.advice import Mode
from shared.domain.archive import ArchiveLimits
from shared.domain.code_host import CodeReader
from shared.domain.errors import ValidationError
from shared.domain.ports import BlobInfo, BlobStore
from shared.domain.retrieval.ports import DocumentIndex
from shared.pipeline import names
from shared.pipeline.context import Context, Engine, Limits, Publisher
from shared.pipeline.model_access import ModelAccess
from shared.services import Services

T = TypeVar("T")
START = 1_700_000_000.0


class MemoryBlobs:
    """BlobStore in memory; `modified` is the time that `clock` shows, ETags are never used twice."""

    def __init__(self, clock: Callable[[], float] = lambda: START) -> None:
        self.content: dict[tuple[str, str], tuple[bytes, str, float]] = {}
        self._clock, self._count, self._lock = clock, 0, threading.Lock()

    def read(self, container: str, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        found = self.content.get((container, name))
        if found is not None and len(found[0]) > max_bytes:
            raise ValidationError(f"{name} has {len(found[0])} bytes; the limit is {max_bytes}")
        return found and found[:2]

    def write(self, container: str, name: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> bool:
        with self._lock:
            found = self.content.get((container, name))
            if (if_absent and found) or (if_match is not None and (found is None or found[1] != if_match)):
                return False
            self._count += 1
            self.content[container, name] = (bytes(data), f"0x{self._count:X}", float(int(self._clock())))
            return True

    def list(self, container: str, prefix: str, *, limit: int | None = None) -> Iterator[BlobInfo]:
        found = sorted(key for key in self.content if key[0] == container and key[1].startswith(prefix))
        return iter([BlobInfo(key[1], self.content[key][1], len(self.content[key][0]), self.content[key][2]) for key in found[:limit]])

    def list_prefixes(self, container: str, prefix: str) -> Iterator[str]:
        rest = [name[len(prefix) :] for at, name in self.content if at == container and name.startswith(prefix)]
        return iter(sorted({prefix + part.partition("/")[0] + "/" for part in rest if "/" in part}))

    def copy(self, source: tuple[str, BlobInfo], target: tuple[str, str]) -> bool:
        found = self.content.get((source[0], source[1].name))
        return found is not None and found[1] == source[1].etag and self.write(*target, found[0])

    def delete(self, container: str, name: str) -> None:
        self.content.pop((container, name), None)

    def texts(self, container: str, prefix: str = "") -> dict[str, bytes]:
        """Name to content of a container."""
        return {name: data for (at, name), (data, _, _) in sorted(self.content.items()) if at == container and name.startswith(prefix)}


@dataclass
class Message:
    queue: str
    text: str
    due: float
    count: int = 0


class MemoryQueue:
    """MessageQueue in memory with visibility delays in the world's own time."""

    def __init__(self) -> None:
        self.now = START
        self.waiting: list[Message] = []

    def send(self, queue: str, text: str, *, visibility_delay: float = 0) -> None:
        assert text.isascii()
        assert len(text) <= 65536
        self.waiting.append(Message(queue, text, self.now + visibility_delay))

    def oldest(self, queue: str) -> float | None:
        return min((message.due for message in self.waiting if message.queue == queue and message.due <= self.now), default=None)


def library_in(blobs: BlobStore) -> DocumentIndex:
    """The knowledge base over these blobs, with no service at all."""
    from shared.library import build_library

    def nobody() -> NoReturn:
        raise AssertionError("nothing here has an identity")

    return build_library(blobs, EnvironmentSecrets({}), nobody)


class Crash(BaseException):
    """The process dies: nothing may catch this."""


@dataclass
class Fuse:
    """Counts the writes, deletes and sends of the process and kills it at the `at`-th, before or after its effect.

    A dead process writes nothing more, whatever its `finally` blocks wish, until it is started anew.
    """

    at: int = 0
    after: bool = False
    count: int = 0
    dead: bool = False

    def guard(self, action: Callable[[], T]) -> T:
        if self.dead:
            raise Crash
        self.count += 1
        self.dead = self.count == self.at
        if self.dead and not self.after:
            raise Crash
        result = action()
        if self.dead:
            raise Crash
        return result


@dataclass
class World:
    """A storage account, a queue and a host: uploads, deliveries, crashes and time, all in this process."""

    engine: Engine = TOY
    copies: int = 1
    seed: int | None = None
    fuse: Fuse = field(default_factory=Fuse)
    limits: Limits = field(default_factory=lambda: Limits(batch_bytes=3000, sweep_after=0, archive=ArchiveLimits(1000, 100_000, 1_000_000)))
    publishers: Mapping[str, Publisher] = field(default_factory=dict)
    code: Callable[[], CodeReader] | None = None
    mode: Mode = "off"
    model: Callable[[World], ModelAccess] | None = None
    """Makes the language model of the process."""

    def __post_init__(self) -> None:
        self.queue = MemoryQueue()
        self.blobs = MemoryBlobs(lambda: self.queue.now)
        self.crashes = 0
        self.errors: list[str] = []
        self._random = random.Random(self.seed)
        blobs, queue = _GuardedBlobs(self.blobs, self), _GuardedQueue(self.queue, self)
        context = Context(blobs, queue, self.engine, self.limits, lambda: self.queue.now, self.publishers, code=self.code, mode=self.mode)
        if self.model is not None:
            context = replace(context, model=partial(self.model, self))
        self.context = context
        self.services = Services(
            context,
            lambda: {"blob": "ok"},
            lambda: None,
            EnvironmentSecrets({}),
            cache(lambda: library_in(blobs)),
        )

    def put(self, files: Mapping[str, bytes | str]) -> None:
        """Upload blobs to `manifests` and let the blob trigger see each."""
        for name, data in files.items():
            self.blobs.write(names.MANIFESTS, name, data.encode() if isinstance(data, str) else data)
            self.queue.now += 1
            self.process(lambda name=name: self.services.uploaded(name))

    def process(self, action: Callable[[], None]) -> None:
        """Run a trigger as the host does for a blob: again after a crash."""
        while True:
            try:
                return action()
            except Crash:
                self._restart()

    def _restart(self) -> None:
        self.crashes += 1
        self.fuse.dead = False

    def drain(self, limit: int = 20_000) -> None:
        """Deliver until no message is left; time jumps to the next due message where none is visible."""
        for _ in range(limit):
            if not self.queue.waiting:
                return
            self.queue.now = max(self.queue.now, min(m.due for m in self.queue.waiting))
            visible = [m for m in self.queue.waiting if m.due <= self.queue.now]
            message = self._random.choice(visible) if self.seed is not None else visible[0]
            self.queue.waiting.remove(message)
            self._deliver(message)
        raise AssertionError("messages never end")

    def _deliver(self, message: Message) -> None:
        message.count += 1
        try:
            for _ in range(self.copies):
                self._call(message)
        except Crash:
            self._restart()
            self.queue.waiting.append(message)
        except Exception as error:
            self.errors.append(f"{message.queue}: {error}")
            if message.count >= 5:
                self.queue.send(f"{message.queue}-poison", message.text)
            else:
                self.queue.waiting.append(Message(message.queue, message.text, self.queue.now + 30, message.count))

    def _call(self, message: Message) -> None:
        if message.queue.endswith("-poison"):
            self.services.poisoned(message.queue.removesuffix("-poison"), message.text)
        else:
            self.services.deliver(message.queue, message.text, message.count)

    def runs(self) -> list[str]:
        """Names of all runs that reached their end."""
        return sorted(name.partition("/")[0] for name in self.blobs.texts(names.RUNS) if name.endswith("/done.json"))

    def report(self, run: str) -> dict[str, dict[str, object]]:
        """Path to entry of a finished run's report."""
        files = json.loads(self.blobs.texts(names.REPORTS)[f"{run}/report.json"])["files"]
        assert len({f["path"] for f in files}) == len(files)
        return {f["path"]: f for f in files}


class _GuardedBlobs:
    """The process's view of the blobs: writes and deletes may be its last."""

    def __init__(self, inner: MemoryBlobs, world: World) -> None:
        self._inner, self._world = inner, world
        self.read, self.list, self.list_prefixes = inner.read, inner.list, inner.list_prefixes

    def write(self, container: str, name: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> bool:
        return self._world.fuse.guard(lambda: self._inner.write(container, name, data, if_absent=if_absent, if_match=if_match))

    def copy(self, source: tuple[str, BlobInfo], target: tuple[str, str]) -> bool:
        return self._world.fuse.guard(lambda: self._inner.copy(source, target))

    def delete(self, container: str, name: str) -> None:
        self._world.fuse.guard(lambda: self._inner.delete(container, name))


class _GuardedQueue:
    def __init__(self, inner: MemoryQueue, world: World) -> None:
        self._inner, self._world = inner, world

    def send(self, queue: str, text: str, *, visibility_delay: float = 0) -> None:
        self._world.fuse.guard(lambda: self._inner.send(queue, text, visibility_delay=visibility_delay))

    def oldest(self, queue: str) -> float | None:
        return self._inner.oldest(queue)


def report_of(world: World) -> dict[str, tuple[object, object]]:
    """(status, reason) by path of the only run."""
    (run,) = world.runs()
    return {path: (entry["status"], entry["reason"]) for path, entry in world.report(run).items() if path != "made.yaml"}
