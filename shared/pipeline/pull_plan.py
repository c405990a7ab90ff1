"""What a pull request of a finished run holds: the files with their modes, and the commits that lead to them.

Unchanged files of a result folder are named by their SHA, so nothing that is in the repository already is sent again.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.domain import commits
from shared.domain.code_host import FILE, SUBMODULE, Commit, Repository, TreeEntry
from shared.domain.code_writer import blob_name
from shared.domain.decision_file import FILE_NAME
from shared.domain.errors import CriticalError
from shared.domain.gitops import Watcher, watchers
from shared.domain.layout import MARKER, MARKER_TEXT, Layout, carried, is_gitops
from shared.domain.manifest import KUSTOMIZATION_NAMES, read_manifest, resources
from shared.domain.merging import Wanted, is_free
from shared.pipeline import checkout, names, results, state
from shared.pipeline.context import Context, Read
from shared.pipeline.origin import Origin
from shared.pipeline.own_branch import Memory

Kinds = dict[str, tuple[str, str] | None]


@dataclass(slots=True)
class Plan:
    """Paths are the repository's. `wanted`: every file of ours as it shall be; `there`: what the base has of them now."""

    layout: Layout
    wanted: Kinds = field(default_factory=dict)
    there: dict[str, TreeEntry] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict)
    steps: list[tuple[str, Kinds]] = field(default_factory=list)
    message: str = ""
    """Of one commit that has it all."""
    left: tuple[str, ...] = ()
    watched: tuple[Watcher, ...] = ()
    questions: bool = False
    """Whether something is asked."""
    created: tuple[str, ...] = ()
    """New manifests, such as the shared Gateway."""

    @property
    def changes(self) -> Wanted:
        """What differs from the base."""
        return {path: kind for path, kind in self.wanted.items() if path not in self.left and kind != kind_of(self.there.get(path))}

    @property
    def written(self) -> bool:
        """Whether there is more than the decisions file."""
        return any(path != self.layout.place(FILE_NAME) for path in self.wanted)

    @property
    def worth(self) -> bool:
        """Whether somebody has to look: a file changes, or a question waits in the decisions file."""
        answers = self.layout.place(FILE_NAME)
        return any(path != answers or self.questions for path in self.changes)

    @property
    def result(self) -> str:
        """A digest of what changes; the same after a push that changes none of it."""
        return hashlib.sha256(json.dumps(sorted(self.changes.items())).encode()).hexdigest()[:16]

    def add(self, data: bytes, length: int) -> str:
        """The SHA of new content."""
        sha = blob_name(data, length)
        self.content[sha] = data
        return sha


def kind_of(entry: TreeEntry | None) -> tuple[str, str] | None:
    """Mode and SHA of a file that is there."""
    return None if entry is None else (entry.mode, entry.sha)


def plan(ctx: Context, run: str, origin: Origin, finished: results.Finished, source: Commit, base: Commit, memory: Memory) -> Plan:
    """`source` has the application's files as the run saw them; `base` is the head of the branch that the pull request goes into."""
    made = Plan(origin.layout_of(finished.setup))
    files = checkout.files(ctx, origin.repository, source.tree, origin.path)
    own = {entry.path: entry for entry in files if entry.mode != SUBMODULE}  # a link leads from a folder beside to the same place
    made.there = listings(ctx, origin.repository, base.tree, made.layout)
    original, final = _readers(ctx, run)
    _collect(made, _Sources(finished, own, original, final, len(source.sha)), memory)
    made.questions = any(outcome.questions for outcome in finished.outcomes)
    created = [outcome.path for outcome in finished.outcomes if outcome.status == "created" and outcome.path != FILE_NAME]
    made.created = tuple(made.layout.place(path) for path in created)
    made.watched = tuple(_marked(watcher, made) for watcher in _watchers(finished, original, origin, made.layout.base))
    return made


@dataclass(frozen=True, slots=True)
class _Sources:
    finished: results.Finished
    own: Mapping[str, TreeEntry]
    original: Read
    final: Read
    length: int


def _collect(made: Plan, sources: _Sources, memory: Memory) -> None:
    layout, outcomes = made.layout, sources.finished.outcomes
    steps = commits.steps(outcomes, sources.original, sources.final)
    made.message = commits.whole_message(f"Bring {layout.folder or 'the manifests'} up to date for AKS", steps, sources.finished.setup)
    changed = any(outcome.status in ("patched", "created") and outcome.path != FILE_NAME for outcome in outcomes)
    known = layout.place(MARKER) in made.there
    for step in steps:
        kinds = {layout.place(path): _new(made, sources, path, data) for path, data in step.files.items()}
        if layout.kind != "folder" or changed or known or step.family == commits.ANSWERS:
            made.steps.append((commits.message(step, sources.finished.setup), kinds))
    final = {path: kind for _, kinds in made.steps for path, kind in kinds.items()}
    if layout.kind == "folder" and (changed or known):
        _copy(made, sources, memory, fresh=not known)
    made.wanted |= final
    if layout.kind == "folder":
        made.left = tuple(sorted(path for path in made.changes if _inside(layout, path) and not _free(made, memory, path)))


def _new(made: Plan, sources: _Sources, path: str, data: bytes | None) -> tuple[str, str] | None:
    if data is None:
        return None
    mode = sources.own[path].mode if path in sources.own else FILE
    return mode, made.add(data, sources.length)


def _copy(made: Plan, sources: _Sources, memory: Memory, *, fresh: bool) -> None:
    """A folder of its own has everything that the application needs; what we wrote there before and is needed no more goes."""
    layout, setup = made.layout, sources.finished.setup
    needed = carried(sources.finished.outcomes, sources.own, whole_repository=not layout.source)
    copied: Kinds = {layout.place(path): kind_of(sources.own[path]) for path in sorted(needed)}
    text = MARKER_TEXT.format(source=layout.source or "the repository's root")
    copied[layout.place(MARKER)] = (FILE, made.add(text.encode(), sources.length))
    if fresh:
        what = commits.subject(f"Copy the manifests to {layout.folder} as they are", setup.app)
        made.steps.insert(0, (f"{what}\n\nThe next commits change the copies.\n\n{commits.trailer(setup.run_id)}", copied))
    else:
        made.steps = []
    gone = [path for path in memory.written if _inside(layout, path) and path in made.there and path not in copied]
    made.wanted |= {**dict.fromkeys(gone), **copied}


def _inside(layout: Layout, path: str) -> bool:
    return path.startswith(f"{layout.folder}/")


def _free(made: Plan, memory: Memory, path: str) -> bool:
    return is_free(path, made.there, ({},), memory.written, strict=False)


def listing(ctx: Context, repository: Repository, tree: str, folder: str) -> dict[str, TreeEntry]:
    """The files below a folder by their path in the repository; none where there is no such folder."""
    if folder and checkout.find(ctx.code_reader(), repository, tree, folder) is None:
        return {}
    prefix = f"{folder}/" if folder else ""
    return {prefix + entry.path: entry for entry in checkout.files(ctx, repository, tree, folder or ".")}


def listings(ctx: Context, repository: Repository, tree: str, layout: Layout) -> dict[str, TreeEntry]:
    """The files of the application and of its results."""
    folders = sorted({layout.source, layout.folder})
    return {path: entry for folder in folders for path, entry in listing(ctx, repository, tree, folder).items()}


def _readers(ctx: Context, run: str) -> tuple[Read, Read]:
    """The bytes of the run's files as they came, and as they are in the end."""
    batches = results.load_all(ctx, run, state.load(ctx, names.manifest(run))["batches"])

    def final(path: str) -> bytes | None:
        found = ctx.blobs.read(names.PATCHED, f"{run}/{path}", max_bytes=ctx.limits.state_bytes)
        if found is None:
            raise CriticalError(f"{path} of the run's result is missing")
        return found[0]

    return batches.original, final


def _marked(watcher: Watcher, made: Plan) -> Watcher:
    """Flux writes a kustomization of its own where the folder that it reads has none."""
    built = any(posixpath.join(watcher.path or "", name) in made.there for name in KUSTOMIZATION_NAMES)
    return replace(watcher, plain=watcher.tool == "Flux" and not built)


def _watchers(finished: results.Finished, original: Read, origin: Origin, branch: str) -> Sequence[Watcher]:
    files = {str(entry["file"]) for entry in finished.setup.index.get("objects", ()) if is_gitops(entry["object"])}
    read = [(path, original(path)) for path in sorted(files)]
    manifests = [read_manifest(path, data) for path, data in read if data is not None]
    objects = [obj for manifest in manifests for document in manifest.documents for _, obj in resources(document)]
    return watchers(objects, origin.name, branch, origin.main)
