"""Names in storage: containers, queues, the blobs of a run, and the run's own name. One place, so that stages agree.

Beside the runs' own folders `<runId>/`, the container `runs` holds `index/` (newest run first), `open/` (unfinished runs),
`uploads/` (bodies of POST /api/runs), `knowledge/` (frozen rules, profiles and targets of the team),
`deliveries/` (of GitHub's webhook), `branches/` (what was pushed to the program's own), `ignored/` (uploads and pushes that start
no run) and `lost/` (what went wrong outside any run).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from shared.domain.archive import ArchiveKind, archive_kind
from shared.domain.messages import RUN_ID, digest
from shared.domain.run import APP_NAME, RunOptions

MANIFESTS, RUNS, PATCHED, REPORTS, KNOWLEDGE, CACHE = "manifests", "runs", "patched", "reports", "knowledge", "cache"
KNOWLEDGE_INDEX, KNOWLEDGE_STATUS, VECTORS = "knowledge/index", "knowledge/status.json", "knowledge/vectors/"
"""In the container `cache`, since what is written into `knowledge` triggers the indexing."""
CONTAINERS = (MANIFESTS, RUNS, PATCHED, REPORTS, KNOWLEDGE, CACHE)
INTAKE, INSPECTIONS, VIOLATIONS, PATCHES, OUTCOMES = "intake", "inspections", "violations", "patches", "reports"
WORK_QUEUES = (INTAKE, INSPECTIONS, VIOLATIONS, PATCHES, OUTCOMES)
QUEUES = WORK_QUEUES + tuple(f"{queue}-poison" for queue in WORK_QUEUES)
STAGES = {INTAKE: "intake", INSPECTIONS: "inspector", VIOLATIONS: "thinker", PATCHES: "patcher", OUTCOMES: "reporter"}
"""The stage that each queue feeds."""

READY = ".ready"
REMOVED = ".removed.json"
_LATEST = 10**11  # seconds; the index sorts by what is left until then, so the newest run comes first


def is_app(name: str) -> bool:
    """Whether a text is an application name (DESIGN 3)."""
    return APP_NAME.fullmatch(name) is not None


def is_run_id(text: str) -> bool:
    """Whether a text has the form of a runId."""
    return re.fullmatch(RUN_ID, text) is not None


def run_id(app: str, snapshot: Iterable[tuple[str, str]], options: RunOptions, knowledge: str = "") -> str:
    """The run's name from its snapshot of (name, ETag), what the caller chose, and the digest of the team's knowledge, where there is any.

    Decisions are files of the snapshot.
    """
    key = [app, sorted(snapshot), options.source, options.target, options.apply_unsafe, *([knowledge] if knowledge else [])]
    return f"{app}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]}"


def app_of(run: str) -> str:
    """The application of a runId."""
    return run.rpartition("-")[0]


def app_archive(blob: str) -> tuple[str, ArchiveKind] | None:
    """(app, kind) of a blob at the root of `manifests` that is an application's archive."""
    found = archive_kind(blob) if "/" not in blob else None
    return found if found is not None and is_app(found[0]) else None


def started(run: str) -> str:
    """Who and when; created once."""
    return f"{run}/started.json"


def knowledge(digest: str) -> str:
    """The frozen files of the container `knowledge`."""
    return f"knowledge/{digest}.json"


def setup(run: str) -> str:
    """The frozen RunSetup."""
    return f"{run}/setup.json"


def batch(run: str, number: int) -> str:
    """The bytes of a batch."""
    return f"{run}/batches/{number:06d}"


def manifest(run: str) -> str:
    """Files, batches and what was left out; written last when freezing, so it says that the run is frozen."""
    return f"{run}/manifest.json"


def dispatched(run: str) -> str:
    """Says that every inspections message was sent."""
    return f"{run}/dispatched"


def claim(run: str, stage: str, number: int, content: str) -> str:
    """A payload over 48 KiB; `content` is its digest."""
    return f"{run}/claims/{stage}-{number}-{content}.json"


def progress(run: str, stage: str, number: int) -> str:
    """Says that a stage finished a batch."""
    return f"{run}/progress/{stage}/{number:06d}"


def outcomes(run: str, number: int) -> str:
    """Outcomes, diffs and changed bytes of a batch; created once, the first result counts."""
    return f"{run}/outcomes/{number:06d}"


def join(run: str) -> str:
    """The Reporter's set of finished batches."""
    return f"{run}/join"


def joined(run: str) -> str:
    """Says that the set is full; created once."""
    return f"{run}/joined"


def finished(run: str) -> str:
    """Outcomes and masked diffs of the whole run, for those who tell outsiders of it."""
    return f"{run}/finished.json"


def done(run: str) -> str:
    """The run's summary; the last blob that is written."""
    return f"{run}/done.json"


def failed(run: str) -> str:
    """Says that the run cannot go on by itself, and why."""
    return f"{run}/failed.json"


def stuck(run: str) -> str:
    """Says that the run stopped moving, and since when; it is told once."""
    return f"{run}/stuck.json"


def told(record: str) -> str:
    """Says that people were told of a record."""
    return f"{record}.told"


def error(run: str, stage: str, number: int, attempt: int) -> str:
    """One recorded error."""
    return f"{run}/errors/{stage}-{number}-{attempt}.json"


def origin(run: str) -> str:
    """The repository and commit of a run that came from GitHub; written when it is frozen."""
    return f"{run}/origin.json"


def published(run: str, publisher: str) -> str:
    """What a publisher has told outsiders of the run, or why it could not."""
    return f"{run}/published/{publisher}.json"


def deployment(run: str) -> str:
    """What became of the run's deployment."""
    return f"{run}/deploy.json"


def opened(run: str) -> str:
    """An entry of the list that the sweep looks at."""
    return f"open/{run}"


def indexed(run: str, started_at: float) -> str:
    """An entry of the list of runs, newest first."""
    return f"index/{_LATEST - int(started_at):012d}-{run}"


def ignored(name: str) -> str:
    """The record of an upload that starts no run; by digest, since a blob's name may fill all 1024 characters."""
    return f"ignored/{digest(name.encode())}.json"


def delivered(delivery: str) -> str:
    """Says that a delivery of GitHub's webhook was queued; `delivery` is its id and the digest of its body."""
    return f"deliveries/{delivery}"


def upload(body: str) -> str:
    """A body of POST /api/runs by its SHA-256."""
    return f"uploads/{body}"


def model_answer(key: str) -> str:
    """A model's reply, in the container `cache`; `key` is the SHA-256 of its question."""
    return f"answers/{key[:2]}/{key}.json"


def run_budget(run: str) -> str:
    """The tokens that a run and each of its violations used, in the container `cache`."""
    return f"budget/runs/{run}.json"


def day_budget(day: str) -> str:
    """The tokens that all runs used on a day (YYYY-MM-DD, UTC), in the container `cache`."""
    return f"budget/days/{day}.json"
