"""cutover.md: the page that an on-call engineer follows at night to move this application, made of what the run found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.domain.inventory import Inventory
from shared.domain.model import FileOutcome
from shared.domain.report import cutover_copy as copying
from shared.domain.report import cutover_hold as holding
from shared.domain.report import cutover_traffic as traffic
from shared.domain.report.cutover_commands import PLACEHOLDERS
from shared.domain.report.cutover_move import OPENSHIFT, Move
from shared.domain.report.cutover_prepare import before_you_start, foreign, prepare
from shared.domain.report.cutover_step import Phase, fenced, numbered
from shared.domain.report.escape import code, inline
from shared.domain.report.sizing import sizing
from shared.domain.run import RunSetup

RENAME = ("kubectl config rename-context NAME-OF-THE-OLD-CONTEXT OLD", "kubectl config rename-context NAME-OF-THE-AKS-CONTEXT AKS")
PODLESS = frozenset({
    "external-secrets.io", "cert-manager.io", "bitnami.com", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io", "networking.istio.io",
    "kustomize.toolkit.fluxcd.io", "security.istio.io", "telemetry.istio.io", "metallb.io", "keda.sh", "traefik.io", "traefik.containo.us",
    "snapshot.storage.k8s.io", "notification.toolkit.fluxcd.io", "image.toolkit.fluxcd.io", "cilium.io", "kyverno.io", "helm.cattle.io",
})  # fmt: skip
"""Groups of operators that make no pods and keep no data of the application, or whose charts are told apart."""
TOOLS = ("kubectl", "az", "jq", "curl", "dig", "nc", "kubeseal", "skopeo")


def cutover_md(setup: RunSetup, outcomes: Iterable[FileOutcome], after: Inventory) -> str:
    """The page. `after` are the objects as the run leaves them."""
    move = Move(setup, outcomes, after)
    head = [f"# Moving {inline(setup.app)} to AKS", "", _purpose(move), ""]
    if not after.items:
        return "\n".join(
            [*head, "The run found no Kubernetes object that a command could name: there is nothing to move.", "", *_unknown(move)]
        )
    body = [*before_you_start(move), *_unknown(move), *_steps(move)]
    return "\n".join([*head, *_words(body), *body])


def _purpose(move: Move) -> str:
    target = inline(str(move.target.get("title") or move.target.get("name") or "AKS"))
    made = f"Made from run {code(move.setup.run_id)}: {inline(move.setup.source.profile)} to {target}."
    if not move.acts:
        return f"{made} Nothing in it runs pods."
    pause = (
        "The application stands still while its data is copied." if move.pauses else "It keeps no data: both clusters can serve at once."
    )
    return f"What to do, in order, to move this application. {made} {pause}"


def _words(body: list[str]) -> list[str]:
    """What the capitals mean that the page uses, and the tools that its commands call."""
    text = "\n".join(body)
    used = [word for word in PLACEHOLDERS if re.search(rf"\b{word}\b", text)]
    if not used:
        return []
    table = ["| Word | Put in its place |", "|---|---|", *(f"| `{w}` | {PLACEHOLDERS[w]} |" for w in used), ""]
    return [*table, *(_contexts() if "OLD" in used or "AKS" in used else []), *_tools(text)]


def _contexts() -> list[str]:
    return ["Name the two contexts so, and most commands can be pasted as they stand:", "", *fenced(*RENAME)]


def _tools(text: str) -> list[str]:
    """Programs that start a line, or a part of one, inside a block."""
    blocks = "\n".join(text.split("```")[1::2])
    called = [tool for tool in TOOLS if re.search(rf"(^|[|(]\s*|time ){tool} ", blocks, re.MULTILINE)]
    return [f"The machine you work from needs: {', '.join(called)}.", ""] if called else []


def _unknown(move: Move) -> list[str]:
    """What belongs to the application and is not on the page."""
    lines = [f"- {text}" for text in _left_out(move)]
    return ["## Not on this page", "", *lines, ""] if lines else []


def _left_out(move: Move) -> Iterator[str]:
    yield from (f"{inline(label)}: no plain name, so no command can name it." for label in move.after.unnamed)
    for item in move.after.of("Template"):
        yield f"Template {inline(item.name)} ({inline(item.file)}): what it makes, until its parameters are answered."
    for item in move.after.of("HelmRelease", "HelmChart"):
        yield f"{item.kind} {inline(item.name)}: what its chart makes."
    for path in (o.path for o in move.outcomes if o.path.rpartition("/")[2] == "Chart.yaml"):
        yield f"{inline(path)}: what this chart makes. Render it with `helm template` and run again."
    for item in move.after.of(*OPENSHIFT):
        yield f"{item.kind} {inline(item.name)}: AKS does not have this kind. Answer what the report asks of it, and run again."
    for group, what in (row for row in foreign(move) if row[0] not in PODLESS):
        yield f"{inline(what)} ({inline(group)}): the pods and the data that its operator makes of them. Move these as the operator says."
    if move.setup.index.get("kustomizations"):
        yield "What kustomizations change: names, namespaces, numbers of pods. The commands name objects as their own files do."


def _steps(move: Move) -> list[str]:
    if not move.acts:
        return numbered([Phase("Steps", [*prepare(move), *holding.deploy(move)])])
    night = [*holding.quiesce(move), *copying.last_copy(move), *holding.start(move), *traffic.verify(move), *traffic.switch(move)]
    phases = [
        Phase("Days before", [*prepare(move), *holding.deploy(move), *copying.rehearse(move)]),
        Phase("A day before", [*traffic.shorten(move)]),
        Phase("The move", [*night, *traffic.resume(move), *traffic.watch(move)]),
        Phase("If it goes wrong", [*traffic.roll_back(move)]),
        Phase("Afterwards", [*traffic.clean_up(move)]),
    ]
    return [*numbered(phases), *sizing(move.setup, move.after)]
