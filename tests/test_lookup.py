"""Whose object is meant where a tree of many applications uses one name several times: the one that lies nearest to the file that asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.facts import Facts
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.nearness import Nearby, Placed
from shared.domain.patcher import patch
from shared.domain.run import RunOptions, SourceFile
from shared.domain.thinker import propose

SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {{name: web{more}}}\n"
    "spec: {{selector: {{app: web}}, ports: [{{name: http, port: {port}}}]}}\n"
)
ROUTE = (
    "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: web}\n"
    "spec: {host: a.example.com, port: {targetPort: http}, to: {kind: Service, name: web}}\n"
)
PODS = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  selector: {{matchLabels: {{app: web}}}}\n"
    "  template:\n    metadata: {{labels: {{app: web}}}}\n"
    "    spec: {{containers: [{{name: a, image: 'b:1', ports: [{{name: http, containerPort: {port}}}]}}]}}\n"
)


def service(port: int, more: str = "") -> str:
    return SERVICE.format(port=port, more=more)


def facts_of(files: dict[str, str]) -> Facts:
    return Facts(plan_run([SourceFile(p, t.encode()) for p, t in files.items()], RunOptions("app", "okd")))


def port_of(files: dict[str, str], asking: str, namespace: str | None = None) -> int | None:
    found = facts_of(files).seen_from(asking).service(namespace, "web")
    return found["ports"][0]["port"] if found else None


@pytest.mark.parametrize(
    ("asking", "file", "expected"),
    [
        ("a/x.yaml", "a/x.yaml", 0),
        ("a/x.yaml", "a/y.yaml", 1),
        ("x.yaml", "y.yaml", 1),
        ("a/x.yaml", "a/b/c/y.yaml", 2),
        ("x.yaml", "a/y.yaml", 2),
        ("a/b/x.yaml", "a/y.yaml", 3),
        ("a/x.yaml", "b/y.yaml", 4),
        ("ab/x.yaml", "a/y.yaml", 4),
        ("a/b/x.yaml", "c/y.yaml", 6),
    ],
)
def test_distance(asking: str, file: str, expected: int) -> None:
    assert Nearby([(file, {})]).distance(asking) == expected


def test_the_nearest_of_a_name_answers() -> None:
    files = {"one/all.yaml": service(1), "two/svc.yaml": service(2), "two/deep/svc.yaml": service(3), "svc.yaml": service(4)}
    assert port_of(files, "one/all.yaml") == 1
    assert port_of(files, "two/route.yaml") == 2
    assert port_of(files, "two/deep/route.yaml") == 3
    assert port_of(files, "three/route.yaml") == 4


def test_where_equally_near_ones_differ_none_answers() -> None:
    files = {"one/svc.yaml": service(1), "two/svc.yaml": service(2)}
    assert port_of(files, "route.yaml") is None
    assert port_of(files | {"two/svc.yaml": service(1)}, "route.yaml") == 1


def test_the_namespace_that_is_named_counts_before_the_distance() -> None:
    files = {"one/svc.yaml": service(1, ", namespace: other"), "two/svc.yaml": service(2, ", namespace: shop")}
    assert port_of(files, "one/route.yaml", "shop") == 2
    assert port_of(files, "one/route.yaml") == 1, "none is named: kustomize or -n will say"
    assert port_of({"svc.yaml": service(1, ", namespace: other") + "---\n" + service(2)}, "svc.yaml") == 2


def test_a_patch_makes_only_the_object_uncertain_that_it_patches() -> None:
    files = {"one/kustomization.yaml": "resources: [svc.yaml]\npatches: [{path: patch.yaml}]\n", "one/svc.yaml": service(1)}
    assert port_of({**files, "one/patch.yaml": service(9)}, "one/route.yaml") is None
    loose = "apiVersion: v1\nkind: Service\nmetadata: {name: web, annotations: {a: b}}\n"
    assert port_of({**files, "one/patch.yaml": loose}, "one/route.yaml") == 1
    other = {"two/svc.yaml": service(2), "one/patch.yaml": service(9)}
    assert port_of({**files, **other}, "two/route.yaml") == 2


def test_ports_of_pods_are_those_of_the_nearest_and_only_where_they_agree() -> None:
    files = {"one/pods.yaml": PODS.format(port=8081), "two/pods.yaml": PODS.format(port=8082)}
    facts = facts_of(files)
    assert facts.seen_from("one/route.yaml").workload_ports(None, {"app": "web"}) == {"http": 8081}
    assert facts.seen_from("two/pods.yaml").workload_ports(None, {"app": "web"}) == {"http": 8082}
    assert facts.seen_from("route.yaml").workload_ports(None, {"app": "web"}) == {}


def test_routes_of_two_applications_get_the_port_of_their_own_service() -> None:
    files = {f"{app}/{name}": text for app, port in (("one", 8081), ("two", 8082)) for name, text in
             (("route.yaml", ROUTE), ("svc.yaml", service(port)))}  # fmt: skip
    setup = plan_run([SourceFile(p, t.encode()) for p, t in files.items()], RunOptions("app", "okd"))
    for app, port in (("one", 8081), ("two", 8082)):
        file = SourceFile(f"{app}/route.yaml", ROUTE.encode())
        findings = inspect(file, setup)
        done = patch(file, findings, propose(file, findings, setup), setup)
        assert f"port: {port}\n".encode() in (done.data or b"")


PLACES = st.lists(st.sampled_from("abc"), max_size=3).map(lambda steps: "/".join([*steps, "x.yaml"]))


@given(st.lists(PLACES), PLACES)
def test_the_nearest_are_those_to_which_the_way_is_shortest(files: list[str], asking: str) -> None:
    placed: list[Placed] = [(file, {"number": number}) for number, file in enumerate(files)]
    away = [Nearby([one]).distance(asking) for one in placed]
    shortest = min((steps for steps in away if steps is not None), default=None)
    assert list(Nearby(placed).nearest(asking)) == [one for one, steps in zip(placed, away, strict=True) if steps == shortest]
    assert Nearby(placed).distance(asking) == shortest
    assert list(Nearby(placed).nearest(None)) == placed
