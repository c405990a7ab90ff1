"""The steps of the days before: Azure resources, what the cluster must have, certificates, images."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from shared.domain.inventory import NAME, Item
from shared.domain.report.credentials import redact
from shared.domain.report.cutover_commands import NAMESPACE, by_namespace, kubectl, place
from shared.domain.report.cutover_images import IMAGE, images
from shared.domain.report.cutover_move import Move, is_object
from shared.domain.report.cutover_step import Step, fenced
from shared.domain.report.escape import code, inline
from shared.domain.report.resources import azure_resources

BARE = "'{apiVersion, kind, type, data, metadata: {name: .metadata.name}}'"
"""jq: an object without what belongs to its cluster."""
GIVEN = frozenset({"kube-root-ca.crt"})
"""ConfigMaps that every namespace has."""


def prepare(move: Move) -> Iterator[Step]:
    """The steps before anything is applied, those that apply."""
    yield from _resources(move)
    yield from images(move)
    yield from _cluster(move)
    yield from _outside(move)
    yield from _sealed(move)
    yield from _certificates(move)


def _resources(move: Move) -> Iterator[Step]:
    rows = [row for row in azure_resources(move.outcomes) if row[0].kind != IMAGE]
    pool = "The node pools that the application needs are worked out under [Sizing](#sizing)." if move.runs else ""
    if rows:
        listed = [f"- {inline(r.kind)} {code(r.name)}: {inline(r.why)}" for r, _ in rows]
        text = f"[resources.md](resources.md) has the commands, in the order to make them ({len(rows)} without the images):"
        yield Step("resources", "Create the Azure resources", [text, "", *listed, "", *([pool] if pool else [])])
    elif pool:
        yield Step("resources", "Make room in the cluster", [pool])


def _cluster(move: Move) -> Iterator[Step]:
    lines: list[str] = []
    if any(i.namespace is None and i.containers for i in move.after.items):
        lines += [f"Some manifests name no namespace: choose one. It stands below as {NAMESPACE}, and `apply` needs it as the default:", ""]
        lines += fenced(f"kubectl --context AKS create namespace {NAMESPACE}", f"kubectl config set-context AKS --namespace {NAMESPACE}")
    if move.namespaces:
        lines += ["The namespaces, as the next steps put things into them. Labels that manifests give them come with `apply`:", ""]
        lines += fenced(*(f"kubectl --context AKS create namespace {name}" for name in move.namespaces))
    groups = foreign(move)
    if groups:
        lines += ['Operators that must run on AKS first, else `kubectl apply` says "no matches for kind":', ""]
        lines += [*(f"- {inline(group)}: {inline(what)}" for group, what in groups), ""]
    if lines:
        yield Step("cluster", "Prepare the cluster", lines)


def foreign(move: Move) -> list[tuple[str, str]]:
    """API groups that the target does not serve and the run does not define, with what is of them; not those the report rejects."""
    served = (*move.target.get("apiGroups", ()), *(str(i.facts.get("group")) for i in move.after.of("CustomResourceDefinition")))
    rejected = {(v.resource.api_version, v.resource.kind) for v in move.blocking if v.resource}
    found: dict[str, Counter[str]] = {}
    for item in move.after.items:
        known = "." not in item.group or any(fnmatch.fnmatchcase(item.group, pattern) for pattern in served)
        if not known and is_object(item) and (item.api_version, item.kind) not in rejected:
            found.setdefault(item.group, Counter())[item.kind] += 1
    return [(group, ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))) for group, kinds in sorted(found.items())]


def _outside(move: Move) -> Iterator[Step]:
    """Secrets and ConfigMaps that pods need and no manifest makes."""
    wanted = sorted(_missing(move), key=lambda row: (row[0] or "", row[1], row[2]))
    if not wanted:
        return
    lines = [f"Pods need them and no manifest of the run makes them{_unless(move)}. Copied without being shown:", ""]
    commands = []
    for namespace, kind, name in wanted:
        target = f"kubectl --context AKS -n {place(namespace)} apply -f -"
        commands.append(f"{kubectl('OLD', namespace, f'get {kind.lower()} {name} -o json')} | jq {BARE} | {target}")
    lines += fenced(*commands)
    yield Step("outside", "Bring the Secrets and ConfigMaps that are not in Git", lines)


def _unless(move: Move) -> str:
    generators = any(k.get("configMapGenerator") for k in move.setup.index.get("kustomizations", {}).values())
    return ", unless a generator of a kustomization does" if generators or move.setup.index.get("kustomizations") else ""


def _missing(move: Move) -> set[tuple[str | None, str, str]]:
    """(namespace, kind, name) of each."""
    after, made = move.after, made_secrets(move)
    generated = {g.get("name") for k in move.setup.index.get("kustomizations", {}).values() for g in _generators(k)}
    found = set()
    for item in after.running:
        pulls = [("Secret", name) for name in item.facts.get("pullSecrets", ())]
        for kind, name in [*((r.kind, r.name) for r in item.refs if r.kind in ("Secret", "ConfigMap")), *pulls]:
            there = after.find(kind, item.namespace, name) or (kind == "Secret" and name in made) or name in generated or name in GIVEN
            if not there and _fits(name):
                found.add((item.namespace, kind, name))
    return found


def _generators(kustomization: Mapping[str, object]) -> list[Mapping[str, object]]:
    found = kustomization.get("configMapGenerator")
    return [g for g in found if isinstance(g, dict)] if isinstance(found, list) else []


def _fits(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def made_secrets(move: Move) -> set[str]:
    """Names of Secrets that something in the cluster makes: cert-manager, Sealed Secrets, External Secrets, the Secrets Store driver."""
    after = move.after
    made = {i.name for i in after.of("SealedSecret")}
    made |= {str(i.facts.get("secret", i.name)) for i in after.of("ExternalSecret")}
    made |= {name for i in after.of("SecretProviderClass") for name in i.facts.get("secrets", ())}
    return made | {str(i.facts["secret"]) for i in after.of("Certificate") if "secret" in i.facts}


def _sealed(move: Move) -> Iterator[Step]:
    items = move.after.of("SealedSecret")
    if not items:
        return
    lines = ["A SealedSecret opens only with the key of the cluster that it was sealed for. Sealed anew for AKS, without being shown:", ""]
    commands = [_seal(item) for _, group in by_namespace(items) for item in group]
    yield Step("sealed", "Seal the SealedSecrets for AKS", [*lines, *fenced(*commands), "Put each into its file in place of the old one."])


def _seal(item: Item) -> str:
    named = f"'{{apiVersion, kind, type, data, metadata: {{name: .metadata.name, namespace: \"{place(item.namespace)}\"}}}}'"
    seal = f"kubeseal --context AKS --format yaml > {item.name}.sealed.yaml"
    return f"{kubectl('OLD', item.namespace, f'get secret {item.name} -o json')} | jq {named} | {seal}"


def _certificates(move: Move) -> Iterator[Step]:
    rows = list(certificates(move))
    if not rows:
        return
    lines = ["Every certificate must be on AKS before the first request is.", "", "| Secret | Hosts | How it gets there |", "|---|---|---|"]
    lines += [f"| {code(name)} | {inline(', '.join(hosts) or 'every host')} | {how} |" for _, name, hosts, how, _ in rows]
    commands = list(dict.fromkeys(command for *_, command in rows if command))
    yield Step("certificates", "Put the certificates in place", [*lines, "", *(fenced(*commands) if commands else [])])


Row = tuple[str | None, str, Sequence[str], str, str]
"""Namespace, Secret, hosts, how it gets there, command."""


def certificates(move: Move) -> Iterator[Row]:
    """Every Secret that ends TLS on AKS, once."""
    seen: dict[tuple[str | None, str], tuple[list[str], str | None]] = {}
    for item in move.after.of("Gateway", "Ingress"):
        pairs = [(s, [x["host"]] if "host" in x else []) for x in item.facts.get("listeners", ()) for s in x.get("secrets", ())]
        pairs += [(t["secret"], t.get("hosts", [])) for t in item.facts.get("tls", ()) if "secret" in t]
        for secret, hosts in pairs:
            known = seen.setdefault((item.namespace, secret), ([], item.facts.get("issuer")))
            known[0].extend(h for h in hosts if h not in known[0])
    for (namespace, secret), (hosts, issuer) in sorted(seen.items(), key=lambda row: (row[0][0] or "", row[0][1])):
        if _fits(secret):
            yield (namespace, secret, hosts, *_way(move, namespace, secret, issuer))


def _way(move: Move, namespace: str | None, secret: str, issuer: str | None) -> tuple[str, str]:
    """How a TLS Secret comes to AKS, and the command."""
    if move.after.find("Secret", namespace, secret):
        return "In the files of this run.", ""
    issued = [i for i in move.after.of("Certificate") if i.facts.get("secret") == secret]
    named = str(issued[0].facts.get("issuer", "")) if issued else issuer
    wait = kubectl("AKS", namespace, f"wait --for=condition=Ready certificate.cert-manager.io/{issued[0].name if issued else secret}")
    if named and "http01" not in (solvers := _solvers(move, named)) and "dns01" in solvers:
        return "cert-manager proves the domain by DNS: it can be issued now. Wait until it is.", f"{wait} --timeout=15m"
    copy = f"{kubectl('OLD', namespace, f'get secret {secret} -o json')} | jq {BARE} | {kubectl('AKS', namespace, 'apply -f -')}"
    if named:
        return (
            "cert-manager. A proof by HTTP-01 cannot succeed before DNS names AKS: bring the certificate of the old cluster, "
            "which cert-manager renews afterwards."
        ), copy
    if any(secret in str(i.facts.get("tls", "")) for i in move.before.of("Ingress", "Gateway")) or move.before.find(
        "Secret", namespace, secret
    ):
        return "From the old cluster.", copy
    return "From where your certificates are kept.", kubectl("AKS", namespace, f"create secret tls {secret} --cert=CERTFILE --key=KEYFILE")


def _solvers(move: Move, issuer: str) -> list[str]:
    return [s for i in move.after.of("Issuer", "ClusterIssuer") if i.name == issuer for s in i.facts.get("solvers", ())]


def before_you_start(move: Move) -> list[str]:
    """What is still open in the report, as a table; one line where nothing is."""
    rows = [(what, str(count), detail) for what, count, detail in _open(move) if count]
    if not rows:
        return ["## Before you start", "", "Nothing is open: no question, no refused file, no error ([report.md](report.md)).", ""]
    head = ["## Before you start", "", "Settle these first, then run `aks-copilot fix` again: [report.md](report.md) has each of them.", ""]
    return [*head, "| Open | How many | Which |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows), ""]


def _open(move: Move) -> Iterator[tuple[str, int, str]]:
    questions = sorted({q.key for o in move.outcomes for q in o.questions})
    yield "Questions without an answer in `.aks-copilot.yaml`", len(questions), _few([code(key) for key in questions])
    for status, said in (("refused", "Files that were not read or not changed"), ("failed", "Files that failed")):
        files = [inline(o.path) for o in move.outcomes if o.status == status]
        yield said, len(files), _few(files)
    errors = Counter(f"{v.rule_id} {v.title}" for v in move.blocking)
    yield (
        "Errors: what they name does not work on AKS",
        errors.total(),
        _few([f"{inline(redact(t))} ({n})" for t, n in sorted(errors.items())]),
    )
    left = Counter(v.resolution for o in move.outcomes for v in o.violations if v.severity != "error")
    yield "Suggested changes that were not applied", left["suggested"], "`--unsafe` applies them"
    yield "Warnings and notes for a person to judge", left["needs-human"], "some may keep a pod from starting: read them"


def _few(texts: Sequence[str], most: int = 6) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
