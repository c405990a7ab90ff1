"""What the two inventories of a run say about the move: who must stop writing, which hosts move to which address, what comes from outside."""  # noqa: E501 (a sentence of the page)

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.inventory import Inventory, Item, as_it_came
from shared.domain.model import FileOutcome, Violation
from shared.domain.report.cutover_data import LASTING, SCALED, Data, Database, data_of, databases
from shared.domain.run import RunSetup

HOST = re.compile(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""A DNS name, with a wildcard where the Gateway API takes one."""
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute")
OLD_ROUTES = ("Route", "IngressRoute", "IngressRouteTCP")
CONTAINERS_GATEWAY = "azure-alb-external"
OPENSHIFT = ("DeploymentConfig",)
"""Kinds that run pods on the old cluster and are not served by AKS."""
LOCAL = frozenset({"kind.x-k8s.io", "k3d.io", "eksctl.io", "kubeadm.k8s.io", "kubelet.config.k8s.io", "minikube.sigs.k8s.io"})
BUILT_IN = frozenset({"", "apps", "batch", "autoscaling", "policy", "extensions"})
"""API groups of Kubernetes without a dot; LOCAL are those of files for tools, which no cluster takes."""
BLOCKS_NAMES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


@dataclass(frozen=True, slots=True)
class Host:
    """A host name, the object that gives it an address on AKS (None: nothing does yet), and how to ask for it."""

    name: str
    entry: Item | None
    path: str = "/"
    tls: bool = False

    @property
    def probe(self) -> str:
        """A name that can be asked for: any below a wildcard."""
        return self.name.replace("*", "ANY", 1)


@dataclass(frozen=True, slots=True)
class Writers:
    """What writes data in one inventory, by how it is stopped."""

    scaled: tuple[Item, ...]
    databases: tuple[Item, ...]
    pods: tuple[Item, ...]
    daemons: tuple[Item, ...]
    scheduled: tuple[Item, ...]
    jobs: tuple[Item, ...]


class Move:
    """The run seen as a move; every property is a function of what the run found."""

    def __init__(self, setup: RunSetup, outcomes: Iterable[FileOutcome], after: Inventory) -> None:
        self.setup, self.after = setup, after
        self.outcomes = sorted(outcomes, key=lambda o: o.path)
        self.before = as_it_came(setup.index)
        self.data: Data = data_of(self.before, after)

    @property
    def target(self) -> Mapping[str, Any]:
        """The target file."""
        return self.setup.target

    @functools.cached_property
    def runs(self) -> bool:
        """Whether anything of the application runs on AKS."""
        return bool(self.after.running)

    @functools.cached_property
    def acts(self) -> bool:
        """Whether there is anything to stop, copy or switch; a chart's pods may use claims and hosts that manifests make."""
        return self.runs or self.data.moves or bool(self.entries or self.hosts)

    @functools.cached_property
    def pauses(self) -> bool:
        """Whether the application must stand still for the move: two clusters must not write the same data."""
        return self.data.moves or bool(self.data.shared) or any(item.facts.get("shares") for item in self.after.running)

    @functools.cached_property
    def old(self) -> Writers:
        """What writes on the old cluster."""
        return self._writers(self.before, databases(self.before))

    @functools.cached_property
    def new(self) -> Writers:
        """What would write on AKS."""
        return self._writers(self.after, self.data.databases)

    def _writers(self, inventory: Inventory, held: Sequence[Database]) -> Writers:
        """With a database, everything else may write to it over the network; without, what mounts data writes it."""
        owners = tuple({d.key: d.item for d in held}.values())
        keys = {d.key for d in held}
        all_write = bool(owners)
        others = [i for i in inventory.running if i.kind not in LASTING or (i.namespace, i.name) not in keys]
        others = [i for i in others if inventory is self.before or i.kind not in OPENSHIFT]
        writing = [i for i in others if all_write or i.facts.get("shares") or i.facts.get("claims") or i.facts.get("templates")]

        def kind(*kinds: str) -> tuple[Item, ...]:
            return tuple(i for i in writing if i.kind in kinds)

        scheduled = tuple(i for i in inventory.of("CronJob") if i.containers and not i.facts.get("suspended"))
        owners = tuple(o for o in owners if o.kind in SCALED)
        return Writers(
            kind(*SCALED), owners, kind("Pod"), kind("DaemonSet"), scheduled, tuple(i for i in inventory.of("Job") if i.containers)
        )

    @functools.cached_property
    def hosts(self) -> list[Host]:
        """Every host name of the application once, in order of name."""
        found: dict[str, Host] = {}
        for host in (*self._routed(), *self._by_ingress(), *self._left()):
            known = found.get(host.name)
            if HOST.fullmatch(host.name) and (known is None or (host.tls, -len(host.path)) > (known.tls, -len(known.path))):
                found[host.name] = host
        return [found[name] for name in sorted(found)]

    def _routed(self) -> Iterable[Host]:
        for route in self.after.of(*ROUTES):
            for parent in route.facts.get("parents", ()):
                gateway = self.after.find("Gateway", parent.get("namespace", route.namespace), parent.get("name", ""))
                for name in route.facts.get("hosts") or _listened(gateway):
                    path = "/" if route.facts.get("redirects") else route.facts.get("path", "/")
                    yield Host(name, gateway, path, _has_tls(gateway, name))

    def _by_ingress(self) -> Iterable[Host]:
        for item in self.after.of("Ingress"):
            secured = {h for t in item.facts.get("tls", ()) for h in t.get("hosts", ())}
            for name in item.facts.get("hosts", ()):
                yield Host(name, item, item.facts["paths"].get(name, "/"), name in secured)

    def _left(self) -> Iterable[Host]:
        known = {h.name for h in (*self._routed(), *self._by_ingress())}
        return (Host(n, None) for i in self.after.of(*OLD_ROUTES) for n in i.facts.get("hosts", ()) if n not in known)

    @functools.cached_property
    def entries(self) -> list[Item]:
        """What gets an address on AKS: Gateways, Ingresses that stay, load balancers."""
        gateways = [g for g in self.after.of("Gateway") if g.group == "gateway.networking.k8s.io"]
        found = [*gateways, *self.after.of("Ingress"), *(s for s in self.after.of("Service") if s.facts.get("ports"))]
        return list({(e.kind, e.namespace, e.name): e for e in reversed(found)}.values())[::-1]

    def hosts_of(self, entry: Item) -> list[Host]:
        """The hosts that an object gives an address, whichever of several files describes it."""
        key = (entry.kind, entry.namespace, entry.name)
        return [h for h in self.hosts if h.entry and (h.entry.kind, h.entry.namespace, h.entry.name) == key]

    @functools.cached_property
    def blocking(self) -> list[Violation]:
        """Errors that are left: what they speak of does not work on AKS."""
        return [v for o in self.outcomes for v in o.violations if v.severity == "error" and v.resolution not in ("fixed", "ignored")]

    @functools.cached_property
    def namespaces(self) -> list[str]:
        """Every namespace of the run that must be there before anything is put into it."""
        made = {i.name for i in self.after.of("Namespace", "Project")}
        return sorted(({i.namespace for i in self.after.items if i.namespace} | made) - BLOCKS_NAMES)


def is_object(item: Item) -> bool:
    """Whether a cluster takes the object: configuration of tools (Skaffold, kind, eksctl) has its form and is none."""
    return item.group in BUILT_IN or ("." in item.group and item.group not in LOCAL)


def _listened(gateway: Item | None) -> list[str]:
    return [x["host"] for x in gateway.facts.get("listeners", ()) if "host" in x] if gateway else []


def _has_tls(gateway: Item | None, name: str) -> bool:
    """Whether a listener of the Gateway ends or passes TLS for a host."""
    listeners = gateway.facts.get("listeners", ()) if gateway else ()
    return any(x.get("protocol") in ("HTTPS", "TLS") and _meets(x.get("host"), name) for x in listeners)


def _meets(pattern: str | None, name: str) -> bool:
    return pattern is None or pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:]))
