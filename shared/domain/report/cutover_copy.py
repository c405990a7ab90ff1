"""The steps that carry data over, and back: the rehearsal, the last copy when nobody writes, and the same the other way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.domain.report.cutover_commands import kubectl, place, resource, scale
from shared.domain.report.cutover_data import Claim, Database, claims, databases
from shared.domain.report.cutover_hold import ready
from shared.domain.report.cutover_move import Move
from shared.domain.report.cutover_step import Step, fenced
from shared.domain.report.escape import inline

HELPERS = """\
set -o pipefail
mount_claim() {  # mount_claim context namespace claim: a pod that has the claim at /data
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
copy_claim() {  # copy_claim from to namespace claim [-o]: empties the claim on the second cluster, then fills it from the first
  mount_claim "$1" "$3" "$4" && mount_claim "$2" "$3" "$4" || { echo "NOT COPIED: $4" >&2; return 1; }
  kubectl --context "$2" -n "$3" exec "copy-$4" -- find /data -mindepth 1 -delete || { echo "NOT COPIED: $4" >&2; return 1; }
  kubectl --context "$1" -n "$3" exec "copy-$4" -- tar -C /data -cf - . |
    kubectl --context "$2" -n "$3" exec -i "copy-$4" -- tar -C /data $5 -xf - || { echo "NOT COPIED: $4" >&2; return 1; }
  for context in "$1" "$2"; do
    kubectl --context "$context" -n "$3" exec "copy-$4" -- sh -c 'find /data -type f | wc -l'
    kubectl --context "$context" -n "$3" delete pod "copy-$4"
  done
}"""
"""Two functions for bash. The image has tar; the pod sets what Deployment Safeguards ask for."""


def rehearse(move: Move) -> Iterator[Step]:
    """Days before: how long the copy takes, while the old cluster serves."""
    data = move.data
    if not data.databases and not data.copied:
        return
    lines = ["This measures how long the application will stand still. What is copied now is copied again later.", ""]
    if data.copied:
        lines += ["Paste these two functions into bash; every copy below uses them.", ""]
        lines += [*fenced(HELPERS), *_remarks(move), *fenced(*_copies(data.copied, call="time copy_claim OLD AKS"))]
    if data.databases:
        lines += ["A dump shows how long it takes and how large it is:", "", *fenced(*_dumps(databases(move.before)))]
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


def _copies(claims: Sequence[Claim], call: str = "copy_claim OLD AKS") -> list[str]:
    return [f"{call} {place(c.namespace)} {c.name}{' -o' if c.is_share else ''}" for c in claims]


def _dumps(found: Iterable[Database], context: str = "OLD") -> list[str]:
    return [line for database in found for line in _dump(database, context)]


def _dump(database: Database, context: str) -> list[str]:
    look = "tail -n 3" if database.engine.ending == "sql" else "ls -l"
    call = kubectl(context, database.item.namespace, f"exec {resource(database.item)}{_in(database)} -- sh -c '{database.engine.dump}'")
    file = _file(database, context)
    return [f"{call} > {file}", f"{look} {file}  # {database.engine.complete}"]


def _file(database: Database, source: str) -> str:
    """A dump of AKS must not take the place of the old cluster's, which is the backup."""
    return database.file if source == "OLD" else f"aks-{database.file}"


def _restore(database: Database, source: str = "OLD", to: str = "AKS") -> str:
    words = f"exec -i {resource(database.item)}{_in(database)} -- sh -c '{database.engine.restore}'"
    return f"{kubectl(to, database.item.namespace, words)} < {_file(database, source)}"


def _in(database: Database) -> str:
    return f" -c {database.container}" if database.container else ""


def last_copy(move: Move) -> Iterator[Step]:
    """The data as it is when nobody writes any more."""
    data = move.data
    if not data.moves:
        return
    lines = _databases(move) if data.databases else []
    if data.copied:
        lines += ["Claims: each is emptied on AKS and filled again. The two counts of files must be equal.", ""]
        lines += [*fenced(*_copies(data.copied)), "**Never run these again once users write on AKS**: what they wrote would be gone.", ""]
    yield Step("copy", "The last copy", [*lines, *_raw(move)])


def _databases(move: Move) -> list[str]:
    lines = ["Databases: the dump goes into a file, which is your backup too.", "", *fenced(*_dumps(databases(move.before)))]
    lines += ["Restored on AKS. Messages that a role or database is there already do no harm:", ""]
    lines += fenced(*ready("AKS", move.new), *map(_restore, move.data.databases))
    stop = scale("OLD", move.old.databases, 0)
    return [*lines, *(["Then the databases of the old cluster stop too:", "", *fenced(*stop)] if stop else [])]


def _raw(move: Move) -> list[str]:
    named = ", ".join(inline(c.name) for c in move.data.raw)
    return [f"Raw block volumes hold no files; use the tools of what writes them: {named}.", ""] if named else []


def carry_back(move: Move) -> list[str]:
    """What was written on AKS, into the old cluster: both have stopped writing, the old databases run again."""
    if not move.data.moves:
        return []
    lines = [
        "What was written on AKS is not on the old cluster. Settle before you begin who decides whether it is given up: then, and before",
        "any user was on AKS, leave this part out. **It replaces the data of the old cluster**: see first that what AKS holds is whole.",
        "",
    ]
    old = {d.key: d for d in databases(move.before)}
    pairs = [(old[d.key], d) for d in move.data.databases if d.key in old]
    names = {(c.namespace, c.name) for c in claims(move.before)}
    copies = [f"copy_claim AKS OLD {place(c.namespace)} {c.name}" for c in move.data.copied if (c.namespace, c.name) in names]
    commands = [*_dumps((new for _, new in pairs), "AKS"), *(_restore(before, "AKS", "OLD") for before, _ in pairs), *copies]
    return [*lines, *(fenced(*commands) if commands else []), *_raw(move)]
