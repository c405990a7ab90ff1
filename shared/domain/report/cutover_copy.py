"""The steps that carry data over: the application held on AKS, the rehearsal, the end of writing on the old cluster, the last copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.domain.convert.kustomize import Kustomizations
from shared.domain.inventory import Item
from shared.domain.report.cutover_commands import apply, by_namespace, kubectl, out, place, resource, scale, suspend
from shared.domain.report.cutover_data import Claim, Database, databases
from shared.domain.report.cutover_move import Move
from shared.domain.report.cutover_step import Step, fenced
from shared.domain.report.escape import inline

HELPERS = """\
set -o pipefail
mount_claim() {  # mount_claim CONTEXT NAMESPACE CLAIM: a pod that has the claim at /data
  kubectl --context "$1" -n "$2" apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata: {name: "copy-$3"}
spec:
  restartPolicy: Never
  containers:
    - name: copy
      image: docker.io/library/busybox:1.37
      command: [sleep, "86400"]
      livenessProbe: {exec: {command: ["true"]}}
      readinessProbe: {exec: {command: ["true"]}}
      resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 500m, memory: 256Mi}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: "$3"}}]
EOF
  kubectl --context "$1" -n "$2" wait --for=condition=Ready "pod/copy-$3" --timeout=10m
}
copy_claim() {  # copy_claim NAMESPACE CLAIM [-o]: empties the claim on AKS, then fills it from the old cluster
  mount_claim OLD "$1" "$2" && mount_claim AKS "$1" "$2" || return 1
  kubectl --context AKS -n "$1" exec "copy-$2" -- find /data -mindepth 1 -delete || return 1
  kubectl --context OLD -n "$1" exec "copy-$2" -- tar -C /data -cf - . |
    kubectl --context AKS -n "$1" exec -i "copy-$2" -- tar -C /data $3 -xf - || { echo "NOT COPIED: $2" >&2; return 1; }
  for context in OLD AKS; do
    kubectl --context "$context" -n "$1" exec "copy-$2" -- sh -c 'find /data -type f | wc -l'
    kubectl --context "$context" -n "$1" delete pod "copy-$2"
  done
}"""
"""Two functions for bash. The image has tar; the pod sets what Deployment Safeguards ask for."""


def deploy(move: Move) -> Iterator[Step]:
    """Everything on AKS; what would write stands still until the data is there."""
    lines = [*_apply(move), *_hold(move)]
    if move.data.shared:
        named = ", ".join(inline(c.name) for c in move.data.shared)
        lines += [f"The same storage as on the old cluster, so it is not copied: {named}. Both clusters must never write it at once.", ""]
    yield Step("apply", "Apply on AKS, and hold what writes" if move.pauses else "Apply on AKS, without traffic", lines)


def _apply(move: Move) -> list[str]:
    index = move.setup.index
    contents = index.get("kustomizations", {})
    known = Kustomizations(contents, index.get("patches", {}).get)
    tops = [p for p, content in contents.items() if not known.building(p) and content.get("kind") != "Component"]
    lines: list[str] = []
    if tops:
        lines += ["Take the kustomization of this environment; the others are for other environments:", ""] if len(tops) > 1 else []
        lines += fenced(*(f"kubectl --context AKS apply -k {out(p.rpartition('/')[0])}" for p in sorted(tops)))
    first = {i.file for i in move.after.of("Namespace", "CustomResourceDefinition")}
    files = sorted({i.file for i in move.after.items if not known.building(i.file)}, key=lambda f: (f not in first, f))
    return [*lines, *(fenced(apply(files)) if files else [])]


def _hold(move: Move) -> list[str]:
    """Commands after `apply` that keep AKS from writing."""
    new = move.new
    commands = suspend("AKS", new.scheduled, on=True)
    if move.pauses:
        commands += [*scale("AKS", new.scaled, 0), *_delete("AKS", (*new.pods, *new.jobs)), *_park("AKS", new.daemons)]
    return ["At once afterwards, so that nothing runs twice or writes too early:", "", *fenced(*commands)] if commands else []


def _delete(context: str, items: Iterable[Item]) -> list[str]:
    groups = by_namespace(items)
    return [kubectl(context, n, f"delete {' '.join(map(resource, group))} --ignore-not-found") for n, group in groups]


def _park(context: str, items: Iterable[Item], *, on: bool = True) -> list[str]:
    """A DaemonSet has no number of pods: it waits for nodes of a label that none has."""
    value = '"true"' if on else "null"
    patch = f"""-p '{{"spec":{{"template":{{"spec":{{"nodeSelector":{{"cutover/parked":{value}}}}}}}}}}}'"""
    return [kubectl(context, n, f"patch {resource(i)} {patch}") for n, group in by_namespace(items) for i in group]


def rehearse(move: Move) -> Iterator[Step]:
    """Days before: how long the copy takes, while the old cluster serves."""
    data = move.data
    if not data.databases and not data.copied:
        return
    lines = ["This measures how long the application will stand still. What is copied now is copied again later.", ""]
    if data.copied:
        lines += ["Paste these two functions into bash; every copy below uses them. Put your contexts in for `OLD` and `AKS`.", ""]
        lines += [*fenced(HELPERS), *_remarks(move), *fenced(*_copies(data.copied, start="time copy_claim"))]
    if data.databases:
        lines += ["A dump shows how long it takes and how large it is:", "", *fenced(*_dumps(move))]
    yield Step("rehearse", "Rehearse the copy", lines)


def _remarks(move: Move) -> list[str]:
    lines = ["- A claim for one node (ReadWriteOnce) may refuse a second pod on another node: then leave its rehearsal out."]
    if move.target.get("podSecurity") == "restricted":
        lines.append("- Pod Security restricted refuses this pod, which runs as root: lower the namespace's level on AKS for the copy.")
    if move.setup.source.profile == "okd":
        lines.append(
            "- Files keep the number of their owner. OpenShift gave each project its own range: the pods on AKS must run as one that reads them."  # noqa: E501 (a sentence of the page)
        )
    if any(claim.is_share for claim in move.data.copied):
        lines.append("- `-o` stands where the claim is a file share: it keeps no owners of files.")
    return [*lines, ""]


def _copies(claims: Sequence[Claim], start: str = "copy_claim") -> list[str]:
    return [f"{start} {place(c.namespace)} {c.name}{' -o' if c.is_share else ''}" for c in claims]


def _dumps(move: Move) -> list[str]:
    return [line for database in databases(move.before) for line in _dump(database)]


def _dump(database: Database) -> list[str]:
    look = "tail -n 3" if database.engine.ending == "sql" else "ls -l"
    call = kubectl("OLD", database.item.namespace, f"exec {resource(database.item)}{_in(database)} -- sh -c '{database.engine.dump}'")
    return [f"{call} > {database.file}", f"{look} {database.file}  # {database.engine.complete}"]


def _restore(database: Database) -> str:
    words = f"exec -i {resource(database.item)}{_in(database)} -- sh -c '{database.engine.restore}'"
    return f"{kubectl('AKS', database.item.namespace, words)} < {database.file}"


def _in(database: Database) -> str:
    return f" -c {database.container}" if database.container else ""


def quiesce(move: Move) -> Iterator[Step]:
    """The old cluster stops writing."""
    old = move.old
    commands = suspend("OLD", old.scheduled, on=True)
    if not move.pauses:
        if commands:
            yield Step("stop", "Stop the schedules of the old cluster", fenced(*commands))
        return
    commands += [*scale("OLD", old.scaled, 0), *_delete("OLD", old.pods), *_park("OLD", old.daemons)]
    why = "Everything but the databases, which must answer for the last dump." if old.databases else "Everything that mounts data."
    spaces = dict.fromkeys(i.namespace for i in (*old.scaled, *old.pods, *old.daemons, *old.scheduled, *old.jobs))
    wait = ["Go on when none of their pods is left and no job runs:", "", *fenced(*(kubectl("OLD", n, "get pods,jobs") for n in spaces))]
    lines = [why, "", *_gitops(move), *(fenced(*commands) if commands else []), *(wait if spaces else [])]
    yield Step("stop", "Stop writing on the old cluster: users are not served from here on", lines)


def _gitops(move: Move) -> list[str]:
    """Argo CD and Flux undo `kubectl scale`."""
    kinds = {"Application": "argoproj.io", "HelmRelease": "helm.toolkit.fluxcd.io", "Kustomization": "kustomize.toolkit.fluxcd.io"}
    found = [i for i in move.before.items if kinds.get(i.kind) == i.group]
    named = ", ".join(f"{i.kind} {inline(i.name)}" for i in found)
    return [f"First pause what applies manifests by itself, on both clusters, else it undoes these commands: {named}.", ""] if found else []


def last_copy(move: Move) -> Iterator[Step]:
    """The data as it is when nobody writes any more."""
    data = move.data
    if not data.moves:
        return
    lines: list[str] = []
    if data.databases:
        lines += ["Databases: the dump goes into a file, which is your backup too.", "", *fenced(*_dumps(move))]
        lines += [
            "Restored on AKS. Messages that a role or database is there already do no harm:",
            "",
            *fenced(*map(_restore, data.databases)),
        ]
        stop = scale("OLD", move.old.databases, 0)
        lines += ["Then the databases of the old cluster stop too:", "", *fenced(*stop)] if stop else []
    if data.copied:
        lines += [
            "Claims: each is emptied on AKS and filled again. The two counts of files must be equal.",
            "",
            *fenced(*_copies(data.copied)),
        ]
        lines += ["**Never run these again once users write on AKS**: what they wrote would be gone.", ""]
    if data.raw:
        lines += [f"Raw block volumes hold no files; use the tools of what writes them: {', '.join(inline(c.name) for c in data.raw)}.", ""]
    yield Step("copy", "The last copy", lines)


def start(move: Move) -> Iterator[Step]:
    """AKS begins to write."""
    new = move.new
    commands = [*scale("AKS", new.scaled), *_park("AKS", new.daemons, on=False)]
    files = sorted({i.file for i in (*new.pods, *new.jobs)})
    commands += [apply(files)] if files else []
    if move.pauses and commands:
        yield Step("start", "Start on AKS", fenced(*commands))
