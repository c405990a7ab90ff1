"""Traefik's remainders: verdicts per type, weighted services, Middlewares that nothing needs any more."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rule_support import found, mended, text_of

from shared.domain.convert.traefik_verdicts import MIDDLEWARES, OBJECTS

ROUTE = """\
    apiVersion: traefik.io/v1alpha1
    kind: IngressRoute
    metadata: {name: shop, namespace: web}
    spec:
      entryPoints: [web]
      routes:
        - match: Host(`shop.example.com`)
          kind: Rule
          services: [%s]
    """
WEIGHTED = """\
    apiVersion: traefik.io/v1alpha1
    kind: TraefikService
    metadata: {name: split, namespace: web}
    spec: %s
    """
SPLIT = "{weighted: {services: [{name: a, port: 80, weight: 9}, {name: b, port: 80, weight: 1}]}}"
FRAME = "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: m, namespace: web}\nspec: {headers: {frameDeny: true}}\n"
MIRRORED = "{mirroring: {name: a, port: 80, mirrors: [{name: b, port: 80, percent: 10}]}}"
ONE = "{name: split, kind: TraefikService}"


def test_the_weights_of_a_traefik_service_become_those_of_the_backends() -> None:
    patched = mended(ROUTE % ONE, others={"split.yaml": WEIGHTED % SPLIT})
    (rule,) = yaml.safe_load(text_of(patched))["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "a", "port": 80, "weight": 9}, {"name": "b", "port": 80, "weight": 1}]


@pytest.mark.parametrize(
    ("services", "spec"),
    [
        (ONE, MIRRORED),
        (ONE, "{weighted: {services: [{name: other, kind: TraefikService, weight: 1}]}}"),
        (f"{ONE}, {{name: c, port: 80}}", SPLIT),
        ("{name: missing, kind: TraefikService}", SPLIT),
    ],
)
def test_what_weights_cannot_say_is_refused_with_the_reason(services: str, spec: str) -> None:
    patched = mended(ROUTE % services, others={"split.yaml": WEIGHTED % spec})
    (finding,) = found(patched, "AKS0203")
    assert finding.resolution == "needs-human"
    assert "TraefikService" in str(finding.reason)


def test_a_sticky_weighted_service_says_what_is_lost() -> None:
    spec = SPLIT.replace("{weighted: {", "{weighted: {sticky: {cookie: {name: c}}, ")
    patched = mended(ROUTE % ONE, others={"split.yaml": WEIGHTED % spec})
    assert found(patched, "AKS0203")[0].resolution == "fixed"
    assert len([v for v in found(patched, "AKS0002") if "cookie" in v.message]) == 1


@pytest.mark.parametrize("kind", sorted(MIDDLEWARES))
def test_every_type_of_middleware_has_its_verdict_in_the_report(kind: str) -> None:
    text = f"apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {{name: m}}\nspec: {{{kind}: {{}}}}\n"
    (finding,) = found(mended(text), "AKS0205")
    assert MIDDLEWARES[kind].what in str(finding.reason)
    assert kind in finding.message


def test_a_middleware_of_two_routes_is_needed_while_one_is_not_translated() -> None:
    plain = (ROUTE % "{name: a, port: 80}").replace("kind: Rule", "kind: Rule\n          middlewares: [{name: m}]")
    regex = plain.replace("name: shop,", "name: other,").replace("Host(`shop.example.com`)", "ClientIP(`10.0.0.0/8`)")
    assert found(mended(FRAME, others={"a.yaml": plain}), "AKS0220")[0].resolution == "suggested"
    both = mended(FRAME, others={"a.yaml": plain, "b.yaml": regex})
    assert not found(both, "AKS0220")
    assert found(both, "AKS0205")


def test_a_chain_hands_its_users_on() -> None:
    chain = FRAME.replace("name: m,", "name: all,").replace("{headers: {frameDeny: true}}", "{chain: {middlewares: [{name: m}]}}")
    route = (ROUTE % "{name: a, port: 80}").replace("kind: Rule", "kind: Rule\n          middlewares: [{name: all}]")
    assert found(mended(FRAME, others={"a.yaml": route, "c.yaml": chain}), "AKS0220")


def test_the_coverage_page_lists_every_verdict() -> None:
    page = (Path(__file__).parents[1] / "docs" / "coverage.md").read_text()
    missing = [k for k, v in {**MIDDLEWARES, **OBJECTS}.items() if f"| {k}" not in page or v.sentence not in page]
    assert missing == []


RAW = """\
    apiVersion: traefik.io/v1alpha1
    kind: %s
    metadata: {name: db, namespace: web}
    spec: %s
    """
DB = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: web}\n"
    "spec: {selector: {app: db}, ports: [{name: pg, port: 5432, targetPort: sql}]}\n"
)
PLAIN = "{entryPoints: [pg], routes: [{match: 'HostSNI(`*`)', services: [{name: db, port: pg}]}]}"


def test_a_raw_route_asks_and_keeps_clear_of_the_services_name() -> None:
    asked = mended(RAW % ("IngressRouteTCP", PLAIN), others={"db.yaml": DB})
    assert [q.key for q in asked.outcome.questions] == ["tcpRoutes.web/db"]
    made = mended(RAW % ("IngressRouteTCP", PLAIN), others={"db.yaml": DB}, decisions="tcpRoutes: {web/db: public}\n", source="k3s")
    service = yaml.safe_load(text_of(made))
    assert service["metadata"]["name"] == "db-lb"
    assert service["metadata"]["annotations"] == {"service.beta.kubernetes.io/azure-load-balancer-internal": "false"}
    assert service["spec"]["ports"] == [{"port": 5432, "protocol": "TCP", "targetPort": "sql"}]
    assert any("entry point pg" in v.message for v in found(made, "AKS0002"))


def test_a_udp_route_keeps_its_protocol() -> None:
    spec = "{routes: [{services: [{name: db, port: 5432}]}]}"
    made = mended(RAW % ("IngressRouteUDP", spec), others={"db.yaml": DB}, decisions="tcpRoutes: {web/db: internal}\n")
    assert yaml.safe_load(text_of(made))["spec"]["ports"][0]["protocol"] == "UDP"


@pytest.mark.parametrize(
    "spec",
    [
        PLAIN.replace("`*`", "`db.example.com`"),
        PLAIN.replace("entryPoints", "tls: {secretName: db-tls}, entryPoints"),
        PLAIN.replace("services", "middlewares: [{name: only-us}], services"),
        PLAIN.replace("port: pg", "port: pg, proxyProtocol: {version: 2}"),
        PLAIN.replace("name: db", "name: elsewhere"),
        "{routes: []}",
    ],
)
def test_what_a_load_balancer_cannot_do_is_refused_even_when_answered(spec: str) -> None:
    patched = mended(RAW % ("IngressRouteTCP", spec), others={"db.yaml": DB}, decisions="tcpRoutes: {web/db: public}\n")
    assert [v.resolution for v in found(patched, "AKS0204")] == ["needs-human"]
    assert "kind: IngressRouteTCP" in text_of(patched)


@pytest.mark.parametrize(("own", "foreign", "unneeded"), [(MIRRORED, SPLIT, False), (SPLIT, MIRRORED, True)])
def test_whether_a_route_is_translated_is_seen_from_its_own_file(own: str, foreign: str, *, unneeded: bool) -> None:
    route = ROUTE.replace("kind: Rule\n", "kind: Rule\n          middlewares: [{name: m}]\n") % ONE
    files = {"split.yaml": WEIGHTED % foreign, "two/split.yaml": WEIGHTED % own, "two/route.yaml": route}
    patched = mended(FRAME, others=files)
    assert bool(found(patched, "AKS0220")) is unneeded
    assert bool(found(patched, "AKS0205")) is not unneeded
