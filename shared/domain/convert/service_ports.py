"""Which port of a Service a route means.

Facts: guide/aks_facts_source.md 1.2, from the OpenShift router's source: a Route's targetPort is compared with the *name* of a Service
port and with the *pod* port, never with the Service's own port number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.convert.base import CannotConvert, Lookup, Loss, decision_key
from shared.domain.model import Question


def route_port(lookup: Lookup, namespace: str | None, service: str, target: int | str | None, path: str) -> tuple[int, list[Loss]]:
    """The Service port that a Route's `spec.port.targetPort` means (None: absent). Raises CannotConvert where it is not certain."""
    spec, answer = _service(lookup, namespace, service, path)
    if answer is not None:
        return answer, []
    ports = _tcp_ports(spec)
    if target is None:
        found = ports
    elif isinstance(target, str) and not target.isdigit():
        found = [p for p in ports if p.get("name") == target]
    else:
        found = [p for p in ports if _pod_port(p, spec, lookup, namespace) == int(target)]
    number = _certain(found, service, namespace, target, path, ports)
    losses = (
        [Loss(path, f"Service {service} is headless: a Gateway may not balance over its pods as the router did")] if _headless(spec) else []
    )
    return number, losses


def ingress_port(lookup: Lookup, namespace: str | None, service: str, name: str, path: str) -> int:
    """The number of a Service's named port. Raises CannotConvert where the run does not say."""
    spec, answer = _service(lookup, namespace, service, path)
    if answer is not None:
        return answer
    found = [p["port"] for p in spec.get("ports") or [] if p.get("name") == name and isinstance(p.get("port"), int)]
    if len(found) != 1:
        raise CannotConvert(f"Service {service} has no port named {name}", _question(namespace, service), path)
    return int(found[0])


def _question(namespace: str | None, service: str, example: str = "80") -> Question:
    label = f"{namespace}/{service}" if namespace else service
    return Question(decision_key("ports", label), f"Which port of Service {label} shall the route use?", example)


def _service(lookup: Lookup, namespace: str | None, name: str, path: str) -> tuple[Mapping[str, Any], int | None]:
    """The Service's spec, and the port that a human answered, where one did."""
    question = _question(namespace, name)
    answer = lookup.decision(question.key)
    if isinstance(answer, int) and not isinstance(answer, bool):
        return {}, answer
    spec = lookup.service(namespace, name)
    if spec is None:
        raise CannotConvert(f"Service {name} is not among the manifests, so its port cannot be resolved", question, path)
    if spec.get("type") == "ExternalName":
        raise CannotConvert(f"Service {name} is of type ExternalName, which has no pods to route to", path=path)
    return spec, None


def _tcp_ports(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    ports = spec.get("ports") or []
    return [p for p in ports if isinstance(p, Mapping) and p.get("protocol") in (None, "TCP") and isinstance(p.get("port"), int)]


def _pod_port(port: Mapping[str, Any], spec: Mapping[str, Any], lookup: Lookup, namespace: str | None) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    if str(target).isdigit():
        return int(target)
    return lookup.workload_ports(namespace, spec.get("selector") or {}).get(str(target))


def _headless(spec: Mapping[str, Any]) -> bool:
    return spec.get("clusterIP") == "None"


def _certain(
    found: list[Mapping[str, Any]], service: str, namespace: str | None, target: int | str | None, path: str, ports: list[Mapping[str, Any]]
) -> int:
    """The one port found; several with the same pod port are the same to the router, so that the first stands for them."""
    if len(found) == 1 or (found and target is not None):
        return int(found[0]["port"])
    question = _question(namespace, service, str(ports[0]["port"]) if len(ports) == 1 else "80")
    if target is None:
        raise CannotConvert(f"the route names no port and Service {service} has {len(ports)} TCP ports", question, path)
    reason = f"targetPort {target} is neither the name of a port of Service {service} nor one of its pod ports"
    raise CannotConvert(reason, question, path)
