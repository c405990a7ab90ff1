"""The steps that keep the two clusters from writing at once: the application held on AKS, stopped on the old cluster, started on AKS."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.convert.kustomize import Kustomizations
from shared.domain.inventory import Inventory, Item
from shared.domain.report.cutover_commands import (
    apply,
    by_namespace,
    delete,
    kubectl,
    out,
    park,
    pause,
    place,
    resource,
    retain,
    scale,
    scales,
    suspend,
)
from shared.domain.report.cutover_move import Move, Writers, is_object
from shared.domain.report.cutover_step import Step, fenced
from shared.domain.report.escape import inline

AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
ROLLED = ("Deployment", "StatefulSet", "DaemonSet")
"""Kinds that `kubectl rollout status` knows."""
MAKE_CLAIM = """\
make_claim() {  # make_claim namespace statefulset template number: the claim that the StatefulSet on AKS would make
  kubectl --context AKS -n "$1" get pvc "$3-$2-$4" >/dev/null 2>&1 && return
  kubectl --context AKS -n "$1" get statefulset "$2" -o json |
    jq --arg template "$3" --arg name "$3-$2-$4" '.spec.volumeClaimTemplates[] | select(.metadata.name == $template) |
      {apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {name: $name}, spec}' |
    kubectl --context AKS -n "$1" apply -f -
}"""
CHARTS = ("HelmRelease", "HelmChart")
QUOTA = "quota cutover"


def deploy(move: Move) -> Iterator[Step]:
    """Everything on AKS; what would write stands still until the data is there."""
    if not move.pauses:
        stop = suspend("AKS", move.new.scheduled, on=True)
        held = ["At once afterwards, so that nothing runs on both clusters:", "", *fenced(*stop)] if stop else []
        yield Step("apply", "Apply on AKS, without traffic", [*_apply(move), *held])
        return
    lines = [*_closed(move), *_apply(move), *_hold(move), *_opened(move)]
    if move.data.shared:
        named = ", ".join(inline(c.name) for c in move.data.shared)
        lines += [f"The same storage as on the old cluster, so it is not copied: {named}. Both clusters must never write it at once.", ""]
    yield Step("apply", "Apply on AKS, and hold what writes", lines)


def _spaces(move: Move) -> list[str | None]:
    """Where pods of the application run; no quota is set for the cluster's own."""
    return sorted({i.namespace for i in move.after.running if not (i.namespace or "").startswith("kube-")}, key=lambda n: n or "")


def _closed(move: Move) -> list[str]:
    commands = [kubectl("AKS", n, f"create {QUOTA} --hard=pods=0") for n in _spaces(move)]
    bare = f" For {', '.join(inline(i.name) for i in move.new.pods)} `apply` says `exceeded quota`: that is right." if move.new.pods else ""
    return [f"A quota keeps every pod from starting before the data is there.{bare}", "", *fenced(*commands)] if commands else []


def _opened(move: Move) -> list[str]:
    gone = [kubectl("AKS", n, f"delete {QUOTA}") for n in _spaces(move)]
    if not gone:
        return []
    return ["Take the quota away. What was not scaled to 0 starts within minutes:", "", *fenced(*gone, *ready("AKS", move.new))]


def ready(context: str, writers: Writers) -> list[str]:
    """Wait for the databases."""
    waited = [i for i in writers.databases if i.kind in ROLLED]
    return [
        kubectl(context, n, f"rollout status {resource(i)} --timeout=10m") for n, group in by_namespace(waited) for i in group
    ]  # fmt: skip


def _apply(move: Move) -> list[str]:
    contents, known = move.setup.index.get("kustomizations", {}), _kustomizations(move)
    tops = [p for p, content in contents.items() if not known.building(p) and content.get("kind") != "Component"]
    lines: list[str] = []
    if tops:
        lines += ["Take the kustomization of this environment; the others are for other environments:", ""] if len(tops) > 1 else []
        lines += fenced(*(f"kubectl --context AKS apply -k {out(p.rpartition('/')[0])}" for p in sorted(tops)))
    return [*lines, *_files(move, {i.file for i in move.after.items if is_object(i) and not known.building(i.file)} - charts(move))]


def charts(move: Move) -> set[str]:
    """Files of nothing but charts: their pods would write at once, so they are applied when the data is there."""
    files = {i.file for i in move.after.of(*CHARTS)} if move.pauses else set()
    known = _kustomizations(move)
    return {f for f in files if not known.building(f)} - {i.file for i in move.after.items if i.kind not in CHARTS}


def _kustomizations(move: Move) -> Kustomizations:
    index = move.setup.index
    return Kustomizations(index.get("kustomizations", {}), index.get("patches", {}).get)


def _files(move: Move, files: set[str]) -> list[str]:
    """Definitions before what is made of them, namespaces before what is in them."""
    crds = [i for i in move.after.of("CustomResourceDefinition") if i.file in files]
    first = sorted({i.file for i in crds})
    spaces = {i.file for i in move.after.of("Namespace")}
    rest = sorted(files - {*first}, key=lambda f: (f not in spaces, f))
    wait = "kubectl --context AKS wait --for=condition=Established " + " ".join(dict.fromkeys(f"crd/{i.name}" for i in crds))
    commands = [*([apply(first), wait] if crds else []), *([apply(rest)] if rest else [])]
    return fenced(*commands) if commands else []


def stop(context: str, inventory: Inventory, writers: Writers) -> list[str]:
    """Commands after which nothing but the databases writes; claims stay."""
    commands = suspend(context, writers.scheduled, on=True)
    commands += [*retain(context, inventory.of("StatefulSet")), *pause(context, keda(inventory, writers))]
    return [*commands, *scale(context, writers.scaled, 0), *delete(context, writers.pods), *park(context, writers.daemons)]


def keda(inventory: Inventory, writers: Writers) -> list[Item]:
    """ScaledObjects of what is stopped."""
    return [s for s in inventory.of("ScaledObject") if any(scales(s, i) for i in writers.scaled)]


def go(context: str, inventory: Inventory, writers: Writers) -> list[str]:
    """The commands that undo `stop`, without the schedules and bare pods."""
    commands = scale(context, writers.scaled, scalers=inventory.of(*AUTOSCALERS))
    return [*commands, *pause(context, keda(inventory, writers), on=False), *park(context, writers.daemons, on=False)]


def _hold(move: Move) -> list[str]:
    commands = [*stop("AKS", move.after, move.new), *delete("AKS", move.new.jobs)]
    lines = ["So that nothing writes too early when the quota goes:", "", *fenced(*commands)] if commands else []
    made = [c for c in move.data.copied if c.template]
    calls = [f"make_claim {place(c.namespace)} {c.users[0].name} {c.template} {c.name.rpartition('-')[2]}" for c in made]
    return [*lines, *(["The claims of StatefulSets, before their pods:", "", *fenced(MAKE_CLAIM, *calls)] if calls else [])]


def quiesce(move: Move) -> Iterator[Step]:
    """The old cluster stops writing; without data only its schedules stop."""
    if move.pauses:
        yield Step("stop", "Stop writing on the old cluster: users are not served from here on", _stand_still(move))
    elif move.old.scheduled:
        yield Step("stop", "Stop the schedules of the old cluster", fenced(*suspend("OLD", move.old.scheduled, on=True)))


def _stand_still(move: Move) -> list[str]:
    old = move.old
    why = "Everything but the databases, which must answer for the last dump." if old.databases else "Everything that mounts data."
    commands = stop("OLD", move.before, old)
    spaces = dict.fromkeys(i.namespace for i in (*old.scaled, *old.pods, *old.daemons, *old.scheduled, *old.jobs))
    wait = ["Go on when none of their pods is left and no job runs:", "", *fenced(*(kubectl("OLD", n, "get pods,jobs") for n in spaces))]
    before = [why, "", *_foreign_pods(move), *_gitops(move), *_numbers(move)]
    return [*before, *(fenced(*commands) if commands else []), *(wait if spaces else [])]


def _foreign_pods(move: Move) -> list[str]:
    """Claims that no workload of the run mounts: charts and operators make pods too."""
    named = ", ".join(inline(c.name) for c in (*move.data.copied, *move.data.raw) if not c.users)
    return (
        [f"No manifest here runs what mounts {named}: stop it on both clusters by the means of its chart or operator.", ""] if named else []
    )


def _numbers(move: Move) -> list[str]:
    """How many pods run by now: hands and autoscalers change what the manifests say."""
    columns = "-o custom-columns=KIND:.kind,NAME:.metadata.name,REPLICAS:.spec.replicas"
    groups = by_namespace((*move.old.scaled, *move.old.databases))
    commands = [kubectl("OLD", n, f"get {' '.join(map(resource, group))} {columns}") for n, group in groups]
    lines = [
        "Write down how many pods run now. The commands of this page have the numbers of the manifests; these count where they differ:"
    ]
    return [*lines, "", *fenced(*commands)] if commands else []


def _gitops(move: Move) -> list[str]:
    """Argo CD and Flux undo `kubectl scale`."""
    kinds = {"Application": "argoproj.io", "HelmRelease": "helm.toolkit.fluxcd.io", "Kustomization": "kustomize.toolkit.fluxcd.io"}
    found = [i for i in move.before.items if kinds.get(i.kind) == i.group]
    named = ", ".join(f"{i.kind} {inline(i.name)}" for i in found)
    return [f"First pause what applies manifests by itself, on both clusters, else it undoes these commands: {named}.", ""] if found else []


def start(move: Move) -> Iterator[Step]:
    """AKS begins to write."""
    new = move.new
    files = sorted({i.file for i in (*new.pods, *new.jobs)} | charts(move))
    commands = [*go("AKS", move.after, new), *([apply(files)] if files else [])]
    if not (move.pauses and commands):
        return
    again = suspend("AKS", [j for j in new.scheduled if j.file in files], on=True)
    yield Step("start", "Start on AKS", fenced(*commands, *again))
