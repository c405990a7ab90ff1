"""Traefik IngressRoute to HTTPRoutes: rules and services."""

import pytest
import yaml
from convert_support import FakeLookup, convert, expect_refusal, messages
from ingress_route_support import WEB, ingress_route, match, route

from shared.domain.convert.traefik_rule import read_rule
from shared.domain.needs import ListenerRequest


@pytest.mark.parametrize("api", ["traefik.io/v1alpha1", "traefik.containo.us/v1alpha1"])
def test_plain_route(api):
    result, conversion = convert("ingress-route", ingress_route(api=api, annotations={"kubernetes.io/ingress.class": "traefik"}))
    assert result == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "parentRefs": [{"name": "aks-gateway", "sectionName": "http"}],
            "hostnames": ["a.com"],
            "rules": [{"matches": [match()], "backendRefs": [WEB]}],
        },
    }
    assert conversion.listeners == (ListenerRequest("shop", "a.com", None, "ingress-route"),)
    assert conversion.losses == ()


# --- rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("Host(`a.com`)", [("a.com", {})]),
        ('Host("a.com")', [("a.com", {})]),
        ("Host(`A.com`) && PathPrefix(`/x`)", [("a.com", match("/x"))]),
        ("Host(`a.com`) && Path(`/x`)", [("a.com", match("/x", "Exact"))]),
        ("Host(`a.com`) || Host(`b.com`)", [("a.com", {}), ("b.com", {})]),
        ("Host(`a.com`, `b.com`)", [("a.com", {}), ("b.com", {})]),
        ("(Host(`a.com`) || Host(`b.com`)) && PathPrefix(`/x`, `/y`)",
         [("a.com", match("/x")), ("a.com", match("/y")), ("b.com", match("/x")), ("b.com", match("/y"))]),
        ("Host(`a.com`) && (PathPrefix(`/x`) || Path(`/y`))", [("a.com", match("/x")), ("a.com", match("/y", "Exact"))]),
        ("Host(`a.com`) || Host(`b.com`) && PathPrefix(`/x`)", [("a.com", {}), ("b.com", match("/x"))]),
        ("Host(`a.com`) && Method(`get`)", [("a.com", {"method": "GET"})]),
        ("Host(`a.com`) && Header(`X-A`, `1`)", [("a.com", {"headers": [{"type": "Exact", "name": "X-A", "value": "1"}]})]),
        ("Host(`a.com`) && Headers(`X-A`, `1`)", [("a.com", {"headers": [{"type": "Exact", "name": "X-A", "value": "1"}]})]),
        ("Host(`a.com`) && Query(`k`, `v`)", [("a.com", {"queryParams": [{"type": "Exact", "name": "k", "value": "v"}]})]),
        ("Host(`a.com`) && Query(`k=v`)", [("a.com", {"queryParams": [{"type": "Exact", "name": "k", "value": "v"}]})]),
        ("Host(`a.${DOMAIN}`) && PathPrefix(`/${P}`)", [("a.${DOMAIN}", match("/${P}"))]),
        ("Host(`*.a.com`)", [("*.a.com", {})]),
        ("HostRegexp(`{sub:[a-z]+}.a.com`)", [("*.a.com", {})]),
        (r"HostRegexp(`^[^.]+\.a\.com$`)", [("*.a.com", {})]),
        ("\n Host(`a.com`)\n &&\tPathPrefix(`/x`) ", [("a.com", match("/x"))]),
        ("PathPrefix(`/x`)", [(None, match("/x"))]),
    ],
)  # fmt: skip
def test_rules(rule, wanted):
    assert [(a.host, a.match) for a in read_rule(rule, "")] == wanted


@pytest.mark.parametrize(
    "rule",
    [
        "Host(`a.com`) && !Path(`/x`)",
        "Host(`a.com`) && ClientIP(`10.0.0.0/8`)",
        "Host(`a.com`) && PathRegexp(`^/x`)",
        "HostRegexp(`a.*`)",
        "Host(`a.com`) && Path(`/{id:[0-9]+}`)",
        "Host(`*`)",
        "Host(`a.com`) && Host(`b.com`)",
        "Host(`a.com`) && Path(`/x`) && Path(`/y`)",
        "Host('a.com')",
        "Host(`a.com`",
        "Host(a.com)",
        "",
        "Host(`a.com`) Host(`b.com`)",
        "Host:a.com",
        "&& Host(`a.com`)",
        "Host()",
        "${RULE}",
        "Host(`a.com`) && Query(`k`)",
        "Host(`a.com`) && HeaderRegexp(`k`, `v`)",
        "Host(`a.com`) && Header(`k`, `v`) && Header(`K`, `w`)",
        " && ".join(["(" + " || ".join(f"Header(`h{i}{j}`, `v`)" for j in range(3)) + ")" for i in range(5)]),
    ],
)
def test_rules_that_an_httproute_cannot_say(rule):
    assert expect_refusal("ingress-route", ingress_route(route(rule))).path.startswith("/spec/routes/0")


def test_a_rule_without_a_host_is_refused():
    assert "every host" in str(expect_refusal("ingress-route", ingress_route(route("PathPrefix(`/x`)"))))


def test_hosts_are_grouped_by_what_they_serve():
    rules = [route("Host(`a.com`) || Host(`c.com`)"), route("Host(`b.com`) && Path(`/x`)"), route("Host(`a.com`) && PathPrefix(`/api`)")]
    result, conversion = convert("ingress-route", ingress_route(*rules[:2]))
    assert result["spec"]["hostnames"] == ["a.com", "c.com"]
    assert [d["spec"]["hostnames"] for d in conversion.insert_after] == [["b.com"]]
    assert conversion.insert_after[0]["metadata"]["name"] == "web-2"
    result, conversion = convert("ingress-route", ingress_route(route(), rules[2]))
    assert [r["matches"] for r in result["spec"]["rules"]] == [[match("/api")], [match()]]
    assert "begins with /api" in messages(conversion)


API, WHOLE = "Host(`a.com`) && PathPrefix(`/api`)", "Host(`a.com`)"


@pytest.mark.parametrize(
    ("routes", "hosts"),
    [
        ([route(WHOLE), route(API)], [["a.com"]]),
        ([route(WHOLE, priority=1), route(API, priority=10)], [["a.com"]]),
        ([route("Host(`b.com`)", priority=10), route(API, priority=1)], [["b.com"], ["a.com"]]),
        ([route(f"{WHOLE} && Path(`/x`)", priority=1), route(API, priority=10)], [["a.com"]]),
        ([route(f"{API} && Method(`GET`)", priority=1), route(f"{WHOLE} && Method(`POST`)", priority=10)], [["a.com"]]),
    ],
)
def test_priorities_that_a_gateway_shares_are_fine(routes, hosts):
    result, conversion = convert("ingress-route", ingress_route(*routes))
    assert [d["spec"]["hostnames"] for d in (result, *conversion.insert_after)] == hosts


@pytest.mark.parametrize("first", [route(WHOLE, priority=10), route(f"{API} && Method(`GET`)", priority=3)])
def test_priorities_that_a_gateway_has_not_are_refused(first):
    second = route(API, priority=1 if first["priority"] == 10 else 10)
    assert "priorities choose" in str(expect_refusal("ingress-route", ingress_route(first, second)))


# --- services ----------------------------------------------------------------------------------------------------

SERVICE = FakeLookup(
    "{kind: Service, metadata: {name: web, namespace: shop}, spec: {ports: [{name: http, port: 8080}, {name: https, port: 8443}]}}"
)


def backends(result):
    return result["spec"]["rules"][0]["backendRefs"]


def test_weights_are_written_among_several_services():
    result, _ = convert("ingress-route", ingress_route(route(services=[WEB, {"name": "b", "port": 81, "weight": 3}])))
    assert backends(result) == [{"name": "web", "port": 80, "weight": 1}, {"name": "b", "port": 81, "weight": 3}]
    result, _ = convert("ingress-route", ingress_route(route(services=[WEB | {"weight": 5, "namespace": "shop", "scheme": "http"}])))
    assert backends(result) == [WEB]


def test_named_ports_are_resolved_through_the_service():
    result, _ = convert("ingress-route", ingress_route(route(services=[{"name": "web", "port": "http"}])), SERVICE)
    assert backends(result) == [{"name": "web", "port": 8080}]
    assert expect_refusal("ingress-route", ingress_route(route(services=[{"name": "web", "port": "http"}]))).question is not None
    result, _ = convert("ingress-route", ingress_route(route(services=[{"name": "web", "port": "81"}])))
    assert backends(result) == [{"name": "web", "port": 81}]


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({"name": "api@internal", "kind": "TraefikService"}, "a service inside Traefik"),
        ({"name": "weighted", "kind": "TraefikService"}, "TraefikService weighted (not among the manifests)"),
        (WEB | {"namespace": "other"}, "of namespace other is not among the manifests"),
        (WEB | {"scheme": "https"}, "spoke https"),
        ({"name": "web", "port": 443}, "spoke https"),
        ({"name": "web", "port": "https"}, "spoke https"),
        ({"name": "web", "port": 8443}, "spoke https"),
        (WEB | {"serversTransport": "x"}, "serversTransport"),
        (WEB | {"passHostHeader": False}, "passHostHeader"),
        ({"name": "web"}, "names no port"),
        ({"name": "web", "port": "${PORT}"}, "names no port"),
        (WEB | {"brandNew": 1}, "brandNew is not a field"),
        (WEB | {"scheme": "h2c"}, "HTTP/2 without TLS (h2c)"),
    ],
)
def test_services_that_are_refused(service, why):
    assert why in str(expect_refusal("ingress-route", ingress_route(route(services=[service])), SERVICE))


@pytest.mark.parametrize("field", ["sticky", "strategy", "responseForwarding", "healthCheck"])
def test_lost_settings_of_services_are_said(field):
    _, conversion = convert("ingress-route", ingress_route(route(services=[WEB | {field: "x" if field == "strategy" else {"a": 1}}])))
    assert len(conversion.losses) == 1


def test_a_service_of_another_namespace_gets_a_reference_grant():
    source = ingress_route(route(services=[WEB | {"namespace": "apps"}]))
    found = FakeLookup("{kind: Service, metadata: {name: web, namespace: apps}, spec: {ports: [{port: 80}]}}")
    result, conversion = convert("ingress-route", source, found)
    assert backends(result) == [{"name": "web", "namespace": "apps", "port": 80}]
    assert conversion.insert_after == (
        {
            "apiVersion": "gateway.networking.k8s.io/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": {"name": "shop-web-web", "namespace": "apps"},
            "spec": {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}],
                "to": [{"group": "", "kind": "Service", "name": "web"}],
            },
        },
    )
    assert "not among the manifests" in str(expect_refusal("ingress-route", source))


def test_no_routes_and_no_services_are_refused():
    expect_refusal("ingress-route", ingress_route(route(services=[])))
    source = yaml.safe_load(ingress_route())
    source["spec"]["routes"] = []
    assert "routes nothing" in str(expect_refusal("ingress-route", yaml.safe_dump(source)))
