"""The Intake: freezes what a run knows at its start (source, target, decisions, index), the same for CLI and pipeline."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Iterator

from shared.domain.acceptance import FILE_NAME as BASELINE
from shared.domain.acceptance import over, read_baseline, rows
from shared.domain.decisions import FILE_NAME, answer, read_decisions
from shared.domain.detect import choose_source
from shared.domain.index import build_index
from shared.domain.knowledge import Knowledge, knowledge_of
from shared.domain.manifest import Manifest, read_manifest
from shared.domain.pointer import JsonValue
from shared.domain.run import RunOptions, RunSetup, SourceFile
from shared.domain.target import DEFAULT_TARGET, Target, built_in_targets, merged_target, read_target
from shared.domain.usable import usable


def plan_run(files: Iterable[SourceFile], options: RunOptions) -> RunSetup:
    """Read every file once. Raises ValidationError where target, source name or decisions file cannot be used."""
    knowledge = usable(knowledge_of(options.knowledge), options.knowledge)
    target = chosen_target(options.target, knowledge)
    snapshot: list[list[str]] = []
    own_files: dict[str, bytes] = {}

    def seen() -> Iterator[Manifest]:
        for file in files:
            snapshot.append([file.path, hashlib.sha256(file.data).hexdigest()])
            if file.path in (FILE_NAME, BASELINE):
                own_files[file.path] = file.data
            else:
                yield read_manifest(file.path, file.data)

    @functools.cache
    def answers() -> dict[str, JsonValue]:
        return read_decisions(own_files.get(FILE_NAME))

    index = build_index(seen(), lambda key: answer(answers(), key))
    decisions, accepted = answers(), read_baseline(own_files.get(BASELINE))
    source = choose_source(options.source, decisions.get("source"), index["features"], knowledge.profiles)
    described = target.model_dump(mode="json", by_alias=True)
    chosen = {**decisions, "source": source.profile, "unsafe": options.apply_unsafe, "over": over(accepted, options.today)}
    snapshot += [[f"knowledge/{path}", hashlib.sha256(text.encode()).hexdigest()] for path, text in options.knowledge.items()]
    run_id = run_id_of(options.app, snapshot, described, chosen)
    return RunSetup(
        run_id, options.app, source, described, decisions, index, options.apply_unsafe, dict(options.knowledge),
        rows(accepted), options.today, options.model,
    )  # fmt: skip


def chosen_target(wanted: str | None, knowledge: Knowledge) -> Target:
    """The target of a file's text, or of that name: among the team's own, which may stand in the place of built-in ones, or built-in."""
    name = (wanted or DEFAULT_TARGET).strip()
    own = knowledge.targets.get(name)
    return read_target(built_in_targets().get(name, wanted)) if own is None else merged_target(own)


def run_id_of(app: str, snapshot: Iterable[list[str]], target: JsonValue, decisions: JsonValue) -> str:
    """`<app>-<hash>`: the same application, snapshot ([name, ETag or content hash] rows), target and decisions are the same run."""
    text = json.dumps([app, sorted(snapshot), target, decisions], sort_keys=True)
    return f"{app}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
