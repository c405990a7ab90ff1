"""The container `knowledge` indexed while others do the same, and after a crash: it ends right whatever comes between any two requests."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import Any

import pytest
from fakes import MemoryBlobs
from knowledge_support import DISKS, GATEWAY
from refresh_support import Storage, held, indexed, once, started, status

from shared.domain.errors import BusyError
from shared.pipeline import names

REQUESTS = 12
"""At least as many as one refresh makes after `started`; a number above it changes nothing and tells nothing."""


def test_the_refreshes_below_are_interrupted_at_every_request() -> None:
    blobs = started()
    once(blobs)
    assert 8 <= blobs.count <= REQUESTS


@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
def test_another_refresh_and_other_uploads_between_any_two_requests_end_right(at: int) -> None:
    blobs = started()

    def other() -> None:
        blobs.put("articles/later.md", "Zebra later")
        blobs.delete(names.KNOWLEDGE, "articles/new.md")
        blobs.put("articles/changed.md", "Zebra changed a third time")
        once(blobs)

    blobs.before[at] = other
    once(blobs)
    for late in [blobs.before.pop(n) for n in list(blobs.before)]:
        late()
    assert held(blobs) == {DISKS.name, GATEWAY.name, "articles/changed.md", "articles/same.md", "articles/later.md"}
    assert status(blobs).keys() == {"articles/changed.md", "articles/same.md", "articles/later.md"}
    assert indexed(blobs).search("zebra third time", 1)[0].passage.slug == "changed"
    assert not once(blobs)


@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
def test_a_version_that_cannot_be_used_is_told_once_whoever_comes_between(at: int, caplog: pytest.LogCaptureFixture) -> None:
    blobs = started()
    blobs.put("articles/binary.md", b"\xff\xfe\x00")
    blobs.before[at] = lambda: once(blobs)
    with caplog.at_level("INFO"):
        once(blobs)
        once(blobs)
    assert caplog.text.count("knowledge file not used") == 1
    blobs.put("articles/binary.md", b"\xff\xfe\x01")
    with caplog.at_level("INFO"):
        once(blobs)
    assert caplog.text.count("knowledge file not used") == 2


@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
def test_after_a_crash_at_any_request_the_next_refresh_mends_it(at: int) -> None:
    blobs = started()

    def crash() -> None:
        raise KeyboardInterrupt

    blobs.before[at] = crash
    with contextlib.suppress(KeyboardInterrupt):
        once(blobs)
    blobs.before.clear()
    once(blobs)
    assert held(blobs) == {DISKS.name, GATEWAY.name, "articles/changed.md", "articles/same.md", "articles/new.md"}
    assert "again" in indexed(blobs).search("zebra changed", 1)[0].passage.text


def test_many_uploads_at_once_are_all_indexed() -> None:
    blobs, wrong = MemoryBlobs(), list[BaseException]()

    def upload(number: int) -> None:
        try:
            blobs.write(names.KNOWLEDGE, f"articles/a{number}.md", f"Zebra {number}".encode())
            if random.Random(number).random() < 0.3:
                blobs.delete(names.KNOWLEDGE, f"articles/a{number}.md")
            for _ in range(5):  # the host tries five times
                try:
                    once(blobs)
                except BusyError:
                    continue
                return
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert held(blobs) == {DISKS.name, GATEWAY.name, *(name for at, name in blobs.content if at == names.KNOWLEDGE)}


def test_a_container_that_never_rests_is_given_back_to_the_host(caplog: pytest.LogCaptureFixture) -> None:
    class Restless(Storage):
        def write(self, container: str, name: str, data: bytes, **how: Any) -> bool:
            return name != names.KNOWLEDGE_STATUS and super().write(container, name, data, **how)

    with pytest.raises(BusyError, match="being changed by others"):
        once(Restless())
    assert caplog.text.count("knowledge not indexed") == 1
