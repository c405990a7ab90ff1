"""What a conversion of a whole object is: the words that converters, the rule engine and the tests share.

A conversion is pure: `(object, lookup) -> Conversion`. It answers with RFC 6902 operations relative to the object that touch as little
as possible, so that the text editor can keep every comment that does not stand inside a replaced value. What cannot be said exactly
in the target's words is either a `Loss` (said, then left out) or raises `CannotConvert` (nothing is changed).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from shared.domain.errors import ValidationError
from shared.domain.model import Question
from shared.domain.needs import AzureResource, ListenerRequest
from shared.domain.pointer import MISSING, JsonValue


@dataclass(frozen=True, slots=True)
class Op:
    """One RFC 6902 operation; `path` is a JSON Pointer inside the object ("" is the whole object)."""

    op: Literal["add", "replace", "remove"]
    path: str
    value: JsonValue = MISSING

    def rfc6902(self) -> dict[str, JsonValue]:
        """The bare operation, as the jsonpatch package takes it."""
        bare: dict[str, JsonValue] = {"op": self.op, "path": self.path}
        return bare if self.value is MISSING else bare | {"value": self.value}


@dataclass(frozen=True, slots=True)
class Loss:
    """What a translation loses or changes. `path` points into the object as it was before the conversion."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """The whole translation of one object; `operations` are applied in order.

    `insert_after` are new documents to stand directly after this one in the same file. Each loss becomes a finding of its own.
    `listeners` is what the shared Gateway of the namespace must offer (merged by `gateway.merge_gateways`).
    """

    operations: tuple[Op, ...] = ()
    insert_after: tuple[dict[str, JsonValue], ...] = ()
    losses: tuple[Loss, ...] = ()
    listeners: tuple[ListenerRequest, ...] = ()
    questions: tuple[Question, ...] = ()
    resources: tuple[AzureResource, ...] = ()
    reveals: tuple[str, ...] = ()
    """Pointers of written values that stand elsewhere in the run (an ImageStream's image): rules may fire there that saw nothing before."""
    in_place: bool = False
    """True where `insert_after` are what the removed object itself held under `objects`, in that order: they stand in its place."""

    def __post_init__(self) -> None:
        """No two places share a container, so that nothing is written as a YAML alias and no edit shows up twice."""
        object.__setattr__(self, "operations", tuple(Op(o.op, o.path, _unshared(o.value)) for o in self.operations))
        object.__setattr__(self, "insert_after", tuple(_unshared(d) for d in self.insert_after))


def _unshared(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {k: _unshared(v) for k, v in value.items()}
    return [_unshared(v) for v in value] if isinstance(value, list) else value


class CannotConvert(ValidationError):  # noqa: N818 (a verdict on the input, not a failure of the program)
    """The object has no exact translation as it stands; `str(error)` is one sentence that says why.

    `question` is the Decision that would make it convertible, where there is one; `questions` all of them where it takes several.
    `path` is the field at fault, where one is.
    """

    def __init__(self, reason: str, question: Question | None = None, path: str = "", questions: tuple[Question, ...] = ()) -> None:
        super().__init__(reason)
        self.question = question
        self.path = path
        self.questions = questions or ((question,) if question else ())


KEEP = "keep"
"""The answer that leaves a name of the old cluster as it is."""


class AsDecided(CannotConvert):
    """A human has decided that the object stays as it is: the finding is answered, and nobody is asked again."""


class Unanswered(CannotConvert):
    """The question of the rule file is open: its own words say what is missing."""

    def __init__(self, path: str = "") -> None:
        super().__init__("", path=path)


class Lookup(Protocol):
    """The cross-object facts of a run that conversions need. `namespace` is None where the manifest leaves it out.

    `find` is asked for these kinds and returns an object (apiVersion, kind, metadata.name/namespace/labels/annotations) with only these
    further fields; never Secret data:

    - HTTPRoute, TLSRoute, Deployment: nothing further (name collisions)
    - Route: `spec.host`, `spec.tls.termination`; Ingress, IngressRoute: `spec`; Gateway: `spec.listeners` (which hosts end TLS)
    - Secret: `type`; Certificate (cert-manager.io): `spec.secretName`, `spec.dnsNames`
    - ImageStream: `spec.tags[].{name, from.kind, from.name, from.namespace}`, `spec.dockerImageRepository`, `spec.lookupPolicy`
    - Middleware (traefik.io and traefik.containo.us): `spec`
    - Issuer, ClusterIssuer: nothing further
    """

    @property
    def target(self) -> Mapping[str, JsonValue]:
        """The target file's content: `kubernetesVersion`, `ingress: {kind: gateway-api|ingress, class, gatewayName}`, ..."""

    @property
    def source(self) -> str:
        """The source profile's name (`k3s`, `okd`, ...): says which controller served an Ingress without a class."""

    def service(self, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        """A Service's spec, or None: `type`, `clusterIP`, `selector`, `ports[].{name, port, targetPort, protocol, appProtocol}`."""

    def workload_ports(self, namespace: str | None, selector: Mapping[str, str]) -> Mapping[str, int]:
        """Named container ports of the pods of the run that a selector matches; {} where there are none."""

    def exists(self, kind: str, namespace: str | None, name: str) -> bool:
        """Whether the run holds such an object."""

    def find(self, kind: str, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        """A trimmed object of the run (fields above), or None."""

    def of_kind(self, kind: str) -> Iterable[Mapping[str, Any]]:
        """Every object of a kind, trimmed as `find` trims it."""

    def selected_values(self, namespace: str | None, key: str) -> frozenset[str]:
        """The values of this label key in the selectors of the run's Services, disruption budgets, policies, monitors and affinities."""

    def decision(self, key: str) -> JsonValue:
        """A human's answer in .aks-copilot.yaml by its dotted key, or None. A key segment holding dots is written in `[...]`."""


Converter = Callable[[dict[str, Any], Lookup], Conversion]


def decision_key(*segments: str) -> str:
    """The dotted Decision key of these segments; one that holds dots or brackets stands in `[...]`: `tls.[www.example.com]`."""
    return ".".join(f"[{s}]" if set(s) & set(".[]") else s for s in segments)


def split_decision_key(key: str) -> list[str]:
    """The segments of a Decision key, as `decision_key` took them: the nested keys of .aks-copilot.yaml."""
    return [m[1] if m[1] is not None else m[2] for m in re.finditer(r"(?:^|\.)(?:\[(.*?)\](?=\.|$)|([^.]*))", key)]
