"""Two routes for the same request: only one of them is asked, and the sources and AKS do not always choose the same.

Facts: the Gateway API (a tie between HTTPRoutes goes to the older one, then to the first by namespace and name), ingress-nginx (the older
Ingress), OpenShift's router (the older Route is admitted, the other one rejected). After a move all are equally old.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.convert.edits import annotations_of, metadata
from shared.domain.manifest import read_manifest, resources
from shared.domain.model import FileOutcome, ResourceRef, Violation
from shared.domain.pointer import get
from shared.domain.rulebook import by_id

RULE = "AKS0211"
MADE_BY = frozenset({"AKS0201", "AKS0202", "AKS0203", "AKS0210"})
"""The rules that make routes of the target."""
CANARY = "nginx.ingress.kubernetes.io/canary"
EVERYTHING: Mapping[str, Any] = {"path": {"type": "PathPrefix", "value": "/"}}


Place = tuple[int, str, int, int]
"""(document, pointer, line, column) in the file as it came."""


@dataclass(frozen=True, slots=True)
class Claimant:
    """A route in the state after the run."""

    path: str
    place: Place
    ref: ResourceRef
    made_here: bool

    @property
    def label(self) -> str:
        """Kind, and namespace/name."""
        return f"{self.ref.kind} {'/'.join(x for x in (self.ref.namespace, self.ref.name) if x)}"


def twice_claimed(
    index: Mapping[str, Any], entries: Mapping[str, FileOutcome], read: Callable[[str], bytes | None]
) -> Iterator[tuple[str, Violation]]:
    """(file, finding) for each route that loses requests to another one of the run, where one of the two was made by it."""
    claims: dict[str, dict[str, Claimant]] = {}
    for claimant, obj in _routes(index, entries, read):
        for claim in _claims(obj):
            claims.setdefault(claim, {}).setdefault(claimant.label, claimant)
    told: set[tuple[str, str]] = set()
    for claim, found in sorted(claims.items()):
        first, *others = (found[label] for label in sorted(found))
        for other in others:
            if (first.made_here or other.made_here) and (first.label, other.label) not in told:
                told.add((first.label, other.label))
                yield other.path, _violation(first, other, json.loads(claim))


def _routes(
    index: Mapping[str, Any], entries: Mapping[str, FileOutcome], read: Callable[[str], bytes | None]
) -> Iterator[tuple[Claimant, Mapping[str, Any]]]:
    files = {e["file"] for e in index["objects"] if e["object"]["kind"] in ("Route", "Ingress", "IngressRoute", "HTTPRoute")}
    for path in sorted(files & entries.keys()):
        data = read(path)
        made = any(o.rule_id in MADE_BY for o in entries[path].operations)
        for document in read_manifest(path, data).documents if data is not None else ():
            for base, obj in resources(document):
                if obj["kind"] in CLAIMS:
                    ref = ResourceRef.of(obj)
                    place = _origin(ref, entries[path]) or (document.index, base, *document.position(base))
                    yield Claimant(path, place, ref, made), obj


def _origin(made: ResourceRef, entry: FileOutcome) -> Place | None:
    """Where the object stands that a route of this file was made of."""
    for found in entry.violations:
        source = found.resource
        if found.rule_id not in MADE_BY or source is None or source.namespace != made.namespace:
            continue
        if source.name and (made.name == source.name or str(made.name).startswith(f"{source.name}-")):
            return found.document, found.path, found.line, found.column
    return None


def _claims(obj: Mapping[str, Any]) -> Iterator[str]:
    for claim in CLAIMS[obj["kind"]](obj):
        yield json.dumps([obj["kind"], metadata(obj).get("namespace"), *claim], sort_keys=True)


def _http_route(obj: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Listener, host and match of each rule."""
    parents = [[p.get("namespace"), p.get("name"), p.get("sectionName")] for p in _mappings(get(obj, "/spec/parentRefs"))]
    hosts = get(obj, "/spec/hostnames")
    matches = [m for rule in _mappings(get(obj, "/spec/rules")) for m in _mappings(rule.get("matches")) or [EVERYTHING]]
    for parent in parents:
        for host in hosts if isinstance(hosts, list) else [None]:
            yield from ([host, match.get("path"), parent, match] for match in matches)


def _ingress(obj: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Class, host and path; a canary shares the path on purpose."""
    if annotations_of(obj).get(CANARY) == "true":
        return
    name = get(obj, "/spec/ingressClassName")
    for rule in _mappings(get(obj, "/spec/rules")):
        for path in _mappings(get(rule, "/http/paths")):
            yield [rule.get("host"), {"type": path.get("pathType"), "value": path.get("path", "/")}, str(name)]


CLAIMS: Mapping[str, Callable[[Mapping[str, Any]], Iterable[list[Any]]]] = {"HTTPRoute": _http_route, "Ingress": _ingress}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [x for x in value if isinstance(x, Mapping)] if isinstance(value, list) else []


def _violation(first: Claimant, other: Claimant, claim: list[Any]) -> Violation:
    rule, (_, _, host, path, *_) = by_id()[RULE], claim
    where = f"{host or 'every host'}{(path or {}).get('value', '')}"
    message = f"{first.label} and {other.label} both answer {where}: where both are applied at once, {first.label} gets the requests."
    return Violation(rule.id, rule.title, rule.severity, *other.place, other.ref, message, rule.links, reason=rule.advice)
