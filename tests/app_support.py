"""Runs a small application through `fix` in process and compares what came of it with what its case says.

A case: `files` (path: text), `source`, `decisions`, `unsafe`, `target`; and what must come of it:
- `out`: {Kind/[namespace/]name: {dotted.path: value}}; a value of null means that the field is absent; `{}` only that the object is there;
- `gone`: objects that must not be there any more; `same`: objects that must be as they were;
- `losses`: one text that each finding of a loss contains, no more and no less; `asks`: the exact keys of the open questions;
- `refused`: {Kind/...: text in the reason}; `rules`: rule ids that must fire; `quiet`: rule ids that must not; `says`: texts of findings;
- `fragments`: files that hold patches of a kustomization, no objects.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.decisions import FILE_NAME, open_questions
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.manifest import read_manifest, resources
from shared.domain.patcher import patch
from shared.domain.reporter import finish
from shared.domain.run import RunOptions, SourceFile
from shared.domain.schema import flaw
from shared.domain.thinker import LOSS_RULE, propose

VERSION = "1.35"


@dataclass(frozen=True)
class App:
    name: str
    files: dict[str, str]
    source: str = "generic"
    decisions: dict[str, Any] | None = None
    unsafe: bool = False
    target: dict[str, Any] | None = None
    out: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    losses: list[str] | None = field(default_factory=list)
    asks: list[str] | None = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)

    def __hash__(self):
        return id(self)


@dataclass(frozen=True)
class Done:
    before: dict[str, bytes]
    after: dict[str, bytes]
    outcomes: tuple[Any, ...]
    questions: list[Any]
    fragments: tuple[str, ...] = ()


@functools.cache
def run(app: App) -> Done:
    import yaml

    files = {path: text.encode() for path, text in app.files.items()}
    if app.decisions is not None:
        files[FILE_NAME] = yaml.safe_dump(app.decisions).encode()
    done = fix(files, app.source, unsafe=app.unsafe, target=yaml.safe_dump(app.target) if app.target else None)
    return replace(done, fragments=tuple(app.fragments))


def fix(files: dict[str, bytes], source: str, *, unsafe: bool = False, target: str | None = None) -> Done:
    sources = [SourceFile(p, d) for p, d in sorted(files.items())]
    setup = plan_run(sources, RunOptions("app", source, target, unsafe))
    patched = {}
    for file in sources:
        found = inspect(file, setup)
        patched[file.path] = patch(file, found, propose(file, found, setup), setup)
    outcomes = [p.outcome for p in patched.values()]
    finished = finish(setup, outcomes, lambda path: patched[path].data if path in patched else None, files.get)
    after = {p: d.data for p, d in patched.items() if d.data is not None} | dict(finished.written)
    return Done(files, after, finished.outcomes, open_questions(finished.outcomes))


def objects(done: Done, files: dict[str, bytes] | None = None) -> Iterator[dict[str, Any]]:
    for path, data in sorted((done.after if files is None else files).items()):
        manifest = read_manifest(path, data)
        if manifest.status == "manifest" and path not in (FILE_NAME, *done.fragments):
            for document in manifest.documents:
                yield from (obj for _, obj in resources(document))


def label(obj: dict[str, Any]) -> str:
    meta = obj.get("metadata") or {}
    return "/".join(str(x) for x in (obj["kind"], meta.get("namespace"), meta.get("name")) if x is not None)


def losses(done: Done) -> list[str]:
    return [f"{v.path}: {v.message}" for o in done.outcomes for v in o.violations if v.rule_id == LOSS_RULE]


def problems(app: App, done: Done) -> list[str]:
    """What is not as the case says, one line each."""
    there = {label(o): o for o in objects(done)}
    before = {label(o): o for o in objects(done, done.before)}
    wrong = [f"twice: {name}" for name in there if sum(label(o) == name for o in objects(done)) > 1]
    for name, fields in app.out.items():
        if name not in there:
            wrong.append(f"missing: {name}; there are {', '.join(there)}")
            continue
        for path, value in (fields or {}).items():
            found = lookup(there[name], path)
            if found != value:
                wrong.append(f"{name} {path}: {found!r}, not {value!r}")
    wrong += [f"still there: {name}" for name in app.gone if name in there]
    wrong += [f"changed: {name}" for name in app.same if there.get(name) != before.get(name) or name not in before]
    return wrong + _told(app, done)


def _told(app: App, done: Done) -> list[str]:
    wrong = []
    if app.losses is not None:
        said = losses(done)
        for text in app.losses:
            hit = next((s for s in said if text in s), None)
            if hit is None:
                wrong.append(f"loss not said: {text}")
            else:
                said.remove(hit)
        wrong += [f"unexpected loss: {s}" for s in said]
    keys = sorted(q.key for q in done.questions if q.key != "resources.default")  # asked wherever a container has no requests
    if app.asks is not None and keys != sorted(app.asks):
        wrong.append(f"questions: {keys}, not {sorted(app.asks)}")
    fired = {v.rule_id for o in done.outcomes for v in o.violations}
    wrong += [f"silent: {r}" for r in app.rules if r not in fired] + [f"fired: {r}" for r in app.quiet if r in fired]
    said = [v.message for o in done.outcomes for v in o.violations]
    wrong += [f"not said: {text}" for text in app.says if not any(text in message for message in said)]
    for name, text in app.refused.items():
        kind, *_, last = name.split("/")
        reasons = [
            v.reason or v.message
            for o in done.outcomes
            for v in o.violations
            if v.resolution in ("needs-human", "suggested") and v.resource and (v.resource.kind, v.resource.name) == (kind, last)
        ]
        if not any(text in r for r in reasons):
            wrong.append(f"not refused: {name} ({text}): {reasons}")
    return wrong


def lookup(value: Any, path: str) -> Any:
    """The value at a dotted path (a segment holding dots stands in [..]); None where there is none."""
    import re

    for quoted, plain in re.findall(r"\[(.*?)\](?:\.|$)|([^.\[\]]+)", path):
        step = quoted or plain
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def check_invariants(app: App) -> list[str]:
    """What holds for every application: valid outputs, parents and backends that exist, a second run that changes nothing."""
    done = run(app)
    broken = {label(o) for o in objects(done, done.before) if flaw(o, VERSION)}
    wrong = [f"invalid: {label(o)} at {flaw(o, VERSION)}" for o in objects(done) if flaw(o, VERSION) and label(o) not in broken]
    wrong += [
        f"no such listener: {label(o)} {p}" for o in objects(done) if o["kind"] in ("HTTPRoute", "TLSRoute") for p in _orphans(o, done)
    ]
    again = fix(done.after, app.source, unsafe=app.unsafe, target=None if not app.target else __import__("yaml").safe_dump(app.target))
    wrong += [f"a second run changes {p}" for p in again.after if again.after[p] != done.after.get(p)]
    wrong += [f"failed: {o.path} {o.reason}" for o in done.outcomes if o.status == "failed"]
    return wrong


def _orphans(route: dict[str, Any], done: Done) -> list[str]:
    gateways = {
        (o["metadata"].get("namespace"), o["metadata"]["name"]): {x["name"] for x in o["spec"]["listeners"]}
        for o in objects(done)
        if o["kind"] == "Gateway"
    }
    place = route["metadata"].get("namespace")
    refs = [r for r in route["spec"].get("parentRefs", []) if r["name"] == "aks-gateway"]
    return [str(r.get("sectionName")) for r in refs if r.get("sectionName") not in gateways.get((r.get("namespace", place), r["name"]), ())]
