"""What the conversion tests share: a hand-written Lookup, the application of a Conversion, and the schema of the target version."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import kubernetes_validate
import pytest
import yaml

from shared.domain.convert import CONVERSIONS, CannotConvert, Conversion

GATEWAY_TARGET = {
    "kubernetesVersion": "1.35",
    "ingress": {"kind": "gateway-api", "class": "approuting-istio", "gatewayName": "aks-gateway"},
}
INGRESS_TARGET = {"kubernetesVersion": "1.35", "ingress": {"kind": "ingress", "class": "webapprouting.kubernetes.azure.com"}}


class FakeLookup:
    """A Lookup over a list of objects (YAML text) and a dict of answers."""

    def __init__(
        self, objects: str = "", decisions: dict[str, Any] | None = None, target: dict[str, Any] | None = None, source: str = "okd"
    ):
        self._objects = [o for o in yaml.safe_load_all(objects) if o]
        self._decisions = decisions or {}
        self._target = target or GATEWAY_TARGET
        self._source = source

    @property
    def target(self) -> dict[str, Any]:
        return self._target

    @property
    def source(self) -> str:
        return self._source

    def find(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        for o in self._objects:
            meta = o["metadata"]
            if o["kind"] == kind and meta["name"] == name and (namespace is None or meta.get("namespace", namespace) == namespace):
                return o
        return None

    def exists(self, kind: str, namespace: str | None, name: str) -> bool:
        return self.find(kind, namespace, name) is not None

    def service(self, namespace: str | None, name: str) -> dict[str, Any] | None:
        return (self.find("Service", namespace, name) or {}).get("spec")

    def workload_ports(self, namespace: str | None, selector: dict[str, str]) -> dict[str, int]:
        ports = {}
        for o in self._objects:
            template = o.get("spec", {}).get("template", {})
            labels = template.get("metadata", {}).get("labels", {})
            if selector and all(labels.get(k) == v for k, v in selector.items()):
                for c in template["spec"]["containers"]:
                    ports |= {p["name"]: p["containerPort"] for p in c.get("ports", []) if "name" in p}
        return ports

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [o for o in self._objects if o["kind"] == kind]

    def selected_values(self, namespace: str | None, key: str) -> frozenset[str]:
        selectors = (o["spec"].get("selector") or {} for o in self._objects if o["kind"] == "Service")
        return frozenset(s[key] for s in selectors if key in s)

    def decision(self, key: str) -> Any:
        return self._decisions.get(key)


def apply(obj: dict[str, Any], conversion: Conversion) -> dict[str, Any]:
    """The object with the conversion's operations applied by the jsonpatch package; the original is left alone."""
    patched = jsonpatch.apply_patch(copy.deepcopy(obj), [o.rfc6902() for o in conversion.operations])
    assert isinstance(patched, dict)
    return patched


def convert(name: str, source: str, lookup: FakeLookup | None = None) -> tuple[dict[str, Any], Conversion]:
    """Convert YAML text; every built-in result must fit the target's schema, and its own output must not be converted again."""
    obj, lookup = yaml.safe_load(source), lookup or FakeLookup()
    before = copy.deepcopy(obj)
    conversion = CONVERSIONS[name](obj, lookup)
    assert obj == before, "a conversion must not change its input"
    result = apply(obj, conversion)
    for document in (result, *conversion.insert_after):
        validate(document)
    assert_settled(name, result, lookup)
    return result, conversion


def validate(document: dict[str, Any]) -> None:
    """Raises where a built-in object does not fit the schema of Kubernetes 1.35; the Gateway API has its own checks."""
    group = document["apiVersion"].partition("/")[0]
    if "." not in group or group in ("networking.k8s.io", "storage.k8s.io", "rbac.authorization.k8s.io", "discovery.k8s.io"):
        kubernetes_validate.validate(document, "1.35", strict=True)


def assert_settled(name: str, result: dict[str, Any], lookup: FakeLookup) -> None:
    try:
        again = CONVERSIONS[name](result, lookup)
    except CannotConvert:
        return
    assert apply(result, again) == result, "a second conversion changes the result again"


def expect_refusal(name: str, source: str, lookup: FakeLookup | None = None) -> CannotConvert:
    """The refusal of a conversion, one line of text; fails where it converts."""
    with pytest.raises(CannotConvert) as caught:
        CONVERSIONS[name](yaml.safe_load(source), lookup or FakeLookup())
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def messages(conversion: Conversion) -> str:
    """All losses as one text."""
    return "\n".join(f"{x.path}: {x.message}" for x in conversion.losses)


def obj(api_version: str, kind: str, **fields: Any) -> str:
    """The text of an object named web."""
    return yaml.safe_dump({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, **fields})
