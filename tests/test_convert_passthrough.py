"""TLS that is passed through: when a target serves TLSRoutes, what a TLSRoute and a LoadBalancer Service can say, and every refusal."""

import pytest
import yaml
from convert_support import FakeLookup, convert, expect_refusal, messages

from shared.domain.convert.gateway_classes import may_serve_tls_routes, serves_tls_routes
from shared.domain.errors import ValidationError
from shared.domain.schema import flaw
from shared.domain.target import read_target

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: https, port: 443, targetPort: 8443}]}
"""
ISTIO = {"kubernetesVersion": "1.36", "ingress": {"kind": "gateway-api", "class": "istio", "gatewayName": "aks-gateway"}}


def target(version, class_name, **more):
    return {"kubernetesVersion": version, "ingress": {"kind": "gateway-api", "class": class_name} | more}


def route(annotations=None, tls=None, **fields):
    spec = {"host": "www.acme.com", "to": {"kind": "Service", "name": "web"}, "port": {"targetPort": "https"}, **fields}
    meta = {"name": "web", "namespace": "shop", "annotations": annotations or {}}
    spec["tls"] = {"termination": "passthrough"} | (tls or {})
    return yaml.safe_dump({"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": meta, "spec": spec})


def tcp(match="HostSNI(`db.acme.com`)", tls=None, entry_points=("websecure",), **backend):
    service = {"name": "web", "port": 443} | backend
    spec = {"entryPoints": list(entry_points), "routes": [{"match": match, "services": [service]}], "tls": tls or {"passthrough": True}}
    return yaml.safe_dump(
        {"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRouteTCP", "metadata": {"name": "db", "namespace": "shop"}, "spec": spec}
    )


def lookup(decisions=None, where=None, objects=SERVICE):
    return FakeLookup(objects, decisions, where or ISTIO)


@pytest.mark.parametrize(
    ("where", "surely", "perhaps"),
    [
        (target("1.36", "istio"), True, True),
        (target("1.35", "istio"), False, False),
        (target("1.36", "approuting-istio"), False, True),
        (target("1.35", "approuting-istio"), False, False),
        (target("1.36", "azure-alb-external"), False, False),
        (target("1.36", "our-own"), False, False),
        (target("1.35", "our-own", tlsRoutes=True), True, True),
        (target("1.36", "istio", tlsRoutes=False), False, False),
        (target("1.36", "approuting-istio", tlsRoutes=False), False, False),
        ({"kubernetesVersion": "1.36", "ingress": {"kind": "ingress", "class": "istio", "tlsRoutes": True}}, False, False),
    ],
)
def test_which_targets_serve_tls_routes(where, surely, perhaps):
    facts = lookup(where=where)
    assert (serves_tls_routes(facts), may_serve_tls_routes(facts)) == (surely, perhaps)


def test_a_target_file_says_whether_tls_routes_are_served():
    assert read_target("ingress: {class: istio}\n").ingress.tls_routes == "auto"
    assert read_target("ingress: {class: istio, tlsRoutes: true}\n").ingress.tls_routes is True
    with pytest.raises(ValidationError, match="tlsRoutes"):
        read_target("ingress: {tlsRoutes: perhaps}\n")


def test_a_tls_route_is_valid_and_its_labels_stay():
    source = yaml.safe_load(route({"team": "a", "openshift.io/host.generated": "false"}))
    source["metadata"]["labels"] = {"app": "web"}
    result, conversion = convert("route", yaml.safe_dump(source), lookup())
    assert flaw(result, "1.36") is None
    assert result["metadata"] == {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "annotations": {"team": "a"}}
    assert conversion.losses == ()


def test_what_the_router_ignored_in_passed_through_connections_is_told():
    fields = {"path": "/a", "httpHeaders": {"actions": {"request": [{"name": "X", "action": {"type": "Delete"}}]}}}
    tls = {"key": "PEM-KEY", "destinationCACertificate": "CA"}
    _, conversion = convert("route", route(tls=tls, **fields), lookup())
    assert [x.path for x in conversion.losses] == [
        "/spec/path",
        "/spec/httpHeaders",
        "/spec/tls/key",
        "/spec/tls/destinationCACertificate",
    ]


@pytest.mark.parametrize("name", ["balance", "timeout-tunnel", "pod-concurrent-connections"])
@pytest.mark.parametrize("decisions", [{}, {"passthrough.shop/web": "internal"}])
def test_router_annotations_that_counted_are_losses(name, decisions):
    _, conversion = convert("route", route({f"haproxy.router.openshift.io/{name}": "5"}), lookup(decisions))
    assert f"/metadata/annotations/haproxy.router.openshift.io~1{name}" in messages(conversion)


def test_cookies_were_never_set_in_passed_through_connections():
    _, conversion = convert("route", route({"router.openshift.io/cookie_name": "sid"}), lookup())
    assert "cookie" not in messages(conversion)


@pytest.mark.parametrize("decisions", [{}, {"passthrough.shop/web": "internal"}])
def test_a_rate_limit_is_a_refusal(decisions):
    limited = route({"haproxy.router.openshift.io/rate-limit-connections": "true"})
    assert "rate" in str(expect_refusal("route", limited, lookup(decisions)))


def test_an_allow_list_that_is_none_is_refused():
    bad = route({"haproxy.router.openshift.io/ip_whitelist": "10.0.0.0/8 everybody"})
    assert "no network" in str(expect_refusal("route", bad, lookup({"passthrough.shop/web": "internal"})))


def test_passthrough_with_plain_http_beside_it_does_not_exist():
    tls = {"insecureEdgeTerminationPolicy": "Allow"}
    assert expect_refusal("route", route(tls=tls), lookup()).path == "/spec/tls/insecureEdgeTerminationPolicy"


def test_a_wildcard_route_takes_the_hosts_below_its_domain():
    result, conversion = convert("route", route(wildcardPolicy="Subdomain"), lookup())
    assert result["spec"]["hostnames"] == ["*.acme.com"]
    assert result["spec"]["parentRefs"][0]["sectionName"] == conversion_listener(conversion) == "tls-wildcard-acme-com"


def conversion_listener(conversion):
    from shared.domain.convert.names import passthrough_name

    (asked,) = conversion.listeners
    assert asked.passthrough
    return passthrough_name(asked.hostname)


def test_a_name_that_is_taken_is_refused():
    there = SERVICE + "---\napiVersion: gateway.networking.k8s.io/v1\nkind: TLSRoute\nmetadata: {name: web, namespace: shop}\n"
    assert "TLSRoute shop/web is already there" in str(expect_refusal("route", route(), lookup(objects=there)))


@pytest.mark.parametrize(
    "ending",
    [
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: o, namespace: shop}\nspec: {tls: [{hosts: [www.acme.com]}]}\n",
        "apiVersion: v1\nkind: Route\nmetadata: {name: o, namespace: shop}\nspec: {host: WWW.acme.com., tls: {termination: edge}}\n",
        (
            "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: o, namespace: shop}\n"
            "spec: {tls: {}, routes: [{match: 'Host(`www.acme.com`)'}]}\n"
        ),
        (
            "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: o, namespace: shop}\n"
            "spec: {listeners: [{protocol: HTTPS, hostname: www.acme.com}]}\n"
        ),
    ],
)
def test_a_host_whose_tls_ends_elsewhere_is_not_passed_through(ending):
    assert "shop/o ends TLS for www.acme.com" in str(expect_refusal("route", route(), lookup(objects=SERVICE + "---\n" + ending)))
    convert("route", route(), lookup(objects=SERVICE + "---\n" + ending.replace("namespace: shop", "namespace: other")))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (tcp("HostSNI(`db.acme.com`) && ClientIP(`10.0.0.0/8`)"), "more than HostSNI"),
        (tcp("HostSNIRegexp(`.+`)"), "more than HostSNI"),
        (tcp("!HostSNI(`db.acme.com`)"), "more than HostSNI"),
        (tcp(tls={"passthrough": True, "options": {"name": "mtls"}}), "ends no TLS"),
        (tcp(tls={"secretName": "t"}), "ends no TLS"),
        (tcp(entry_points=["mqtts"]), "HTTPS port"),
        (tcp(namespace="data"), "own namespace"),
        (tcp(proxyProtocol={"version": 2}), "PROXY"),
        (tcp(port=1), "no single port"),
        (tcp("HostSNI(`db.acme.com`) || HostSNI(`under_score.acme.com`)"), "host name"),
    ],
)
def test_tcp_routes_that_a_tls_route_cannot_say(source, reason):
    assert reason in str(expect_refusal("ingress-route-raw", source, lookup()))


def test_a_tls_host_name_twice_is_refused():
    source = yaml.safe_load(tcp())
    source["spec"]["routes"] *= 2
    assert "same TLS host name" in str(expect_refusal("ingress-route-raw", yaml.safe_dump(source), lookup()))


def test_several_routes_do_not_fit_one_load_balancer():
    source = yaml.safe_load(tcp())
    source["spec"]["routes"].append({"match": "HostSNI(`b.acme.com`)", "services": [{"name": "web", "port": 443}]})
    answered = lookup({"passthrough.shop/db": "public"}, target("1.35", "approuting-istio"))
    assert "another number" in str(expect_refusal("ingress-route-raw", yaml.safe_dump(source), answered))
