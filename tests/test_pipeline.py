"""The pipeline through fakes: every message twice, out of order, and a crash at every single write and send."""

from __future__ import annotations

import json

import pytest
from fakes import Fuse, World

from shared.domain.run import RunOptions
from shared.pipeline import names, state, status, submit

APP = {
    "shop/deploy.yaml": "image: BAD\nname: x\n",
    "shop/kustomization.yaml": "resources: [deploy.yaml]\n",
    "shop/gone.yaml": "BAD REMOVE\n",
    "shop/readme.md": "plain\n",
    "shop/broken.yaml": b"\xff\xfe BAD",
    "shop/sub/big.yaml": "BAD\n" + "x" * 3500 + "\n",
}


def finished(world: World) -> dict[str, dict[str, bytes]]:
    """All blobs but the input, and but the trace that a run happens to have."""
    found = {container: world.blobs.texts(container) for container in names.CONTAINERS if container != names.MANIFESTS}
    for name, data in found[names.RUNS].items():
        if name.endswith("/started.json"):
            record = json.loads(data)
            assert record.pop("traceparent")
            found[names.RUNS][name] = state.dump(record)
    return found


def ran(copies: int = 1, seed: int | None = None) -> World:
    world = World(copies=copies, seed=seed)
    world.put(APP)
    world.drain()
    return world


def test_a_folder_makes_one_run_with_every_file_accounted_for() -> None:
    world = ran()

    (run,) = world.runs()
    report = world.report(run)
    assert {path: entry["status"] for path, entry in report.items()} == {
        "deploy.yaml": "patched",
        "kustomization.yaml": "unchanged",
        "gone.yaml": "patched",
        "readme.md": "skipped",
        "broken.yaml": "failed",
        "sub/big.yaml": "patched",
        "made.yaml": "created",
    }
    assert report["broken.yaml"]["reason"] == "inspector: internal error: UnicodeDecodeError at toy.py:" + _line_of_toy_bug()
    patched = world.blobs.texts(names.PATCHED, f"{run}/")
    assert patched[f"{run}/deploy.yaml"] == b"image: GOOD\nname: x\n"
    assert patched[f"{run}/broken.yaml"] == b"\xff\xfe BAD"
    assert patched[f"{run}/readme.md"] == b"plain\n"
    assert patched[f"{run}/kustomization.yaml"] == b"resources: [deploy.yaml]\n# finished\n"
    assert f"{run}/gone.yaml" not in patched
    assert json.loads(patched[f"{run}/.removed.json"]) == {"removed": ["gone.yaml"]}


def _line_of_toy_bug() -> str:
    import inspect

    import toy

    lines, start = inspect.getsourcelines(toy._toy_inspect)
    return str(start + next(n for n, line in enumerate(lines) if "decode" in line))


def test_status_counts_stages_and_lists_the_run() -> None:
    world = ran()

    (run,) = world.runs()
    shown = status.run_status(world.context, run)
    assert shown is not None
    count = shown["batches"]
    assert count > 1
    assert shown["stages"] == {"inspector": count, "thinker": count, "patcher": count, "reporter": count}
    assert (shown["state"], shown["files"], shown["errors"]) == ("done", 6, [])
    assert shown["summary"]["statuses"] == {"patched": 3, "unchanged": 1, "skipped": 1, "failed": 1, "created": 1}
    assert [(r["runId"], r["state"]) for r in status.list_runs(world.context)] == [(run, "done")]
    assert status.run_status(world.context, "shop-000000000000") is None
    assert not world.blobs.texts(names.RUNS, "open/")


@pytest.mark.parametrize("seed", range(6))
def test_every_message_twice_and_in_any_order_changes_nothing(seed: int) -> None:
    assert finished(ran(copies=2, seed=seed)) == finished(ran())


def test_messages_that_come_again_after_the_end_change_nothing() -> None:
    world = World()
    sent: list[tuple[str, str]] = []
    deliver = world._call

    def remember(message: object) -> None:
        sent.append((message.queue, message.text))
        deliver(message)

    world._call = remember
    world.put(APP)
    world.drain()
    before = finished(world)
    for queue, text in sent:
        world.queue.send(queue, text)
    world.drain()

    assert finished(world) == before


def _writes(world: World) -> int:
    world.put(APP)
    world.drain()
    return world.fuse.count


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_every_single_write_and_send_ends_in_the_same_blobs(after: bool) -> None:
    expected, total = finished(ran()), _writes(World())
    assert total > 60
    for at in range(1, total + 1):
        world = World(fuse=Fuse(at, after))
        world.put(APP)
        world.drain()
        assert world.crashes == 1
        assert finished(world) == expected, f"crash {'after' if after else 'before'} write {at}"


def test_the_same_files_are_the_same_run_and_changed_files_a_new_one() -> None:
    world = ran()
    world.put({"shop/.ready": ""})
    world.drain()
    assert len(world.runs()) == 1

    world.put({"shop/deploy.yaml": "image: other\n"})
    world.drain()
    assert len(world.runs()) == 2


def test_ready_starts_at_once_and_is_no_file_of_the_run() -> None:
    world = World()
    world.put({"shop/a.yaml": "BAD\n", "shop/.ready": ""})
    before = world.queue.now
    while not world.runs():
        message = min(world.queue.waiting, key=lambda m: m.due)
        world.queue.waiting.remove(message)
        world._deliver(message)

    assert message.due <= before
    assert set(world.report(world.runs()[0])) == {"a.yaml", "made.yaml"}


def test_a_run_waits_until_its_folder_has_been_quiet() -> None:
    world = World()
    for second in range(30):
        world.put({f"shop/{second:02d}.yaml": "x\n"})
        while visible := [m for m in world.queue.waiting if m.due <= world.queue.now]:
            world.queue.waiting.remove(visible[0])
            world._deliver(visible[0])
        assert not world.runs()
    world.drain()

    (run,) = world.runs()
    assert len(world.report(run)) == 31


def test_the_first_files_check_starts_the_run_where_the_newest_files_was_lost() -> None:
    world = World()
    world.put({"shop/a.yaml": "x\n", "shop/b.yaml": "x\n", "shop/c.yaml": "x\n"})
    world.queue.waiting = [m for m in world.queue.waiting if "c.yaml" not in m.text]
    world.drain()

    assert len(world.report(world.runs()[0])) == 4


def test_files_that_change_while_they_are_read_are_frozen_in_their_new_form() -> None:
    world = World()
    read, raced = world.blobs.read, []

    def racing(container: str, name: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        if container == names.MANIFESTS and not raced:
            raced.append(name)
            world.blobs.write(names.MANIFESTS, "shop/a.yaml", b"newer\n")
        return read(container, name, max_bytes=max_bytes)

    world.context.blobs.read = racing
    world.put({"shop/a.yaml": "old\n", "shop/.ready": ""})
    world.drain()

    (run,) = world.runs()
    assert raced
    assert world.blobs.texts(names.PATCHED)[f"{run}/a.yaml"] == b"newer\n"
    assert [r["runId"] for r in status.list_runs(world.context)] == [run]


def test_large_payloads_travel_as_claims() -> None:
    world = World()
    world.put({"shop/many.yaml": "BAD\n" * 2000, "shop/.ready": ""})
    world.drain()

    (run,) = world.runs()
    claims = [name.rpartition("/")[2].partition("-")[0] for name in world.blobs.texts(names.RUNS, f"{run}/claims/")]
    assert claims == ["patcher", "thinker"]
    assert world.blobs.texts(names.PATCHED)[f"{run}/many.yaml"] == b"GOOD\n" * 2000


def test_two_hundred_files_are_one_run_and_one_report() -> None:
    world = World(copies=2, seed=1)
    world.put({f"shop/{n % 7}/{n}.yaml": f"n: {n}\nv: BAD\n" for n in range(200)})
    world.drain()

    (run,) = world.runs()
    assert len(world.report(run)) == 201
    assert len(world.blobs.texts(names.PATCHED, f"{run}/")) == 202


def test_a_posted_application_has_its_name_at_once() -> None:
    world = World()
    run = submit.submit_files(world.context, {"a.yaml": "BAD\n", "../x": "y"}, RunOptions("shop", "k3s"))
    again = submit.submit_files(world.context, {"../x": "y", "a.yaml": "BAD\n"}, RunOptions("shop", "k3s"))
    other = submit.submit_files(world.context, {"a.yaml": "BAD\n", "../x": "y"}, RunOptions("shop", "okd"))
    assert run == again != other
    shown = status.run_status(world.context, run)
    assert shown is not None
    assert shown["state"] == "queued"
    world.drain()

    assert world.runs() == sorted([run, other])
    report = world.report(run)
    assert report["a.yaml"]["status"] == "patched"
    assert report["../x"]["status"] == "refused"
    assert report["../x"]["reason"] == "path leaves the application's folder"


def test_the_order_of_keys_survives_the_way_through_storage() -> None:
    """Found by comparing with the command: sorted keys changed the text of what a patch inserts."""
    world = World()
    state.save(world.context, "x", {"b": {"z": 1, "a": 2}, "a": 3})

    assert json.dumps(state.load(world.context, "x")) == '{"b": {"z": 1, "a": 2}, "a": 3}'
