"""Traefik IngressRoute to HTTPRoutes: the rule grammar of v2 and v3, priorities, services, TLS, Middlewares, and every refusal."""

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal, messages

from shared.domain.convert.traefik_rule import read_rule
from shared.domain.model import ListenerRequest

WEB = {"name": "web", "port": 80}


def route(match="Host(`a.com`)", **fields):
    return {"kind": "Rule", "match": match, "services": [WEB]} | fields


def ingress_route(*routes, api="traefik.io/v1alpha1", annotations=None, **fields):
    meta = {"name": "web", "namespace": "shop"} | ({"annotations": annotations} if annotations else {})
    spec = {"entryPoints": ["web"], "routes": list(routes) or [route()]} | fields
    spec = {k: v for k, v in spec.items() if v is not None}
    return yaml.safe_dump({"apiVersion": api, "kind": "IngressRoute", "metadata": meta, "spec": spec})


def match(value="/", kind="PathPrefix", **more):
    return {"path": {"type": kind, "value": value}} | more


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


def test_priorities_that_a_gateway_shares_are_fine_and_others_refused():
    api, whole = "Host(`a.com`) && PathPrefix(`/api`)", "Host(`a.com`)"
    convert("ingress-route", ingress_route(route(whole), route(api)))
    convert("ingress-route", ingress_route(route(whole, priority=1), route(api, priority=10)))
    expect_refusal("ingress-route", ingress_route(route(whole, priority=10), route(api, priority=1)))
    convert("ingress-route", ingress_route(route("Host(`b.com`)", priority=10), route(api, priority=1)))
    convert("ingress-route", ingress_route(route("Host(`a.com`) && Path(`/x`)", priority=1), route(api, priority=10)))
    convert("ingress-route", ingress_route(route(f"{api} && Method(`GET`)", priority=1), route(f"{whole} && Method(`POST`)", priority=10)))
    expect_refusal("ingress-route", ingress_route(route(f"{api} && Method(`GET`)", priority=1), route(api, priority=10)))


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
    "service",
    [
        {"name": "api@internal", "kind": "TraefikService"},
        {"name": "weighted", "kind": "TraefikService"},
        WEB | {"namespace": "other"},
        WEB | {"scheme": "https"},
        {"name": "web", "port": 443},
        {"name": "web", "port": "https"},
        {"name": "web", "port": 8443},
        WEB | {"serversTransport": "x"},
        WEB | {"passHostHeader": False},
        {"name": "web"},
        {"name": "web", "port": "${PORT}"},
        WEB | {"brandNew": 1},
        WEB | {"scheme": "h2c"},
    ],
)
def test_services_that_are_refused(service):
    expect_refusal("ingress-route", ingress_route(route(services=[service])), SERVICE)


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


# --- TLS and entry points ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("entries", [["websecure"], ["web", "websecure"], None])
def test_tls_serves_https_only(entries):
    result, conversion = convert("ingress-route", ingress_route(entryPoints=entries, tls={"secretName": "${DOMAIN/./-}-tls"}))
    assert result["spec"]["parentRefs"] == [{"name": "aks-gateway", "sectionName": "https-a-com"}]
    assert conversion.listeners == (ListenerRequest("shop", "a.com", "${DOMAIN/./-}-tls", "ingress-route"),)


@pytest.mark.parametrize("tls", [{}, {"certResolver": "le", "domains": [{"main": "a.com"}]}, None])
def test_certificates_of_traefik_are_asked_for(tls):
    source = ingress_route(entryPoints=["websecure"], tls=tls)
    error = expect_refusal("ingress-route", source)
    assert error.question is not None
    assert error.question.key == "tls.[a.com]"
    _, conversion = convert("ingress-route", source, FakeLookup(decisions={"tls.[a.com]": "mine"}))
    assert conversion.listeners[0].tls_secret == "mine"


def test_all_entry_points_without_tls():
    _, conversion = convert("ingress-route", ingress_route(entryPoints=None))
    assert "only plain HTTP is served now" in messages(conversion)


@pytest.mark.parametrize(
    "fields",
    [
        {"entryPoints": ["traefik"]},
        {"entryPoints": ["web"], "tls": {"secretName": "a"}},
        {"entryPoints": ["websecure"], "tls": {"secretName": "a", "options": {"name": "mtls"}}},
        {"entryPoints": ["websecure"], "tls": {"secretName": "a", "store": {"name": "x"}}},
        {"parentRefs": [{"name": "a"}]},
    ],
)
def test_entry_points_and_tls_that_are_refused(fields):
    expect_refusal("ingress-route", ingress_route(**fields))


# --- Middlewares -------------------------------------------------------------------------------------------------


def middlewares(**specs):
    objects = [{"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": k}, "spec": v} for k, v in specs.items()]
    return FakeLookup(yaml.safe_dump_all(objects))


def filtered(match_, specs, tls=None, names=None):
    names = [{"name": n} for n in names or specs]
    fields = {"tls": tls, "entryPoints": ["websecure"]} if tls else {}
    return convert("ingress-route", ingress_route(route(match_, middlewares=names), **fields), middlewares(**specs))


def rewritten(result):
    return [f["urlRewrite"]["path"] for f in result["spec"]["rules"][0]["filters"] if f["type"] == "URLRewrite"]


@pytest.mark.parametrize(
    ("rule", "spec", "wanted"),
    [
        ("PathPrefix(`/x`)", {"stripPrefix": {"prefixes": ["/x"]}}, {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}),
        ("PathPrefix(`/x`)", {"addPrefix": {"prefix": "/p"}}, {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/p/x"}),
        ("PathPrefix(`/`)", {"addPrefix": {"prefix": "/p"}}, {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/p"}),
        ("Path(`/x`)", {"replacePath": {"path": "/y"}}, {"type": "ReplaceFullPath", "replaceFullPath": "/y"}),
    ],
)
def test_path_middlewares(rule, spec, wanted):
    result, _ = filtered(f"Host(`a.com`) && {rule}", {"m": spec})
    assert rewritten(result) == [wanted]


def test_a_rewrite_of_a_prefix_has_one_match_per_rule():
    rule = "Host(`a.com`) && PathPrefix(`/x`) && (Method(`GET`) || Method(`POST`))"
    result, _ = filtered(rule, {"m": {"stripPrefix": {"prefixes": ["/x"]}}})
    assert [len(r["matches"]) for r in result["spec"]["rules"]] == [1, 1]


@pytest.mark.parametrize("permanent", [True, False])
def test_redirect_scheme(permanent):
    specs = {"m": {"redirectScheme": {"scheme": "https", "permanent": permanent}}}
    result, _ = filtered("Host(`a.com`)", specs)
    wanted = {"scheme": "https", "statusCode": 301 if permanent else 302}
    assert result["spec"]["rules"] == [{"matches": [match()], "filters": [{"type": "RequestRedirect", "requestRedirect": wanted}]}]
    secure, _ = filtered("Host(`a.com`)", specs, tls={"secretName": "a"})
    assert secure["spec"]["rules"] == [{"matches": [match()], "backendRefs": [WEB]}]


def test_headers_chain_and_compress():
    specs = {
        "all": {"chain": {"middlewares": [{"name": "head"}, {"name": "zip"}]}},
        "head": {
            "headers": {"customResponseHeaders": {"Server": ""}, "stsSeconds": 60, "stsIncludeSubdomains": True, "contentTypeNosniff": True}
        },
        "zip": {"compress": {}},
    }
    result, conversion = filtered("Host(`a.com`)", specs, tls={"secretName": "a"}, names=["all"])
    modifier = result["spec"]["rules"][0]["filters"][0]["responseHeaderModifier"]
    assert modifier["remove"] == ["Server"]
    assert {(h["name"], h["value"]) for h in modifier["set"]} == {
        ("X-Content-Type-Options", "nosniff"),
        ("Strict-Transport-Security", "max-age=60; includeSubDomains"),
    }
    assert "no longer compressed" in messages(conversion)


@pytest.mark.parametrize(
    "spec",
    [
        {"basicAuth": {"secret": "a"}},
        {"digestAuth": {}},
        {"forwardAuth": {"address": "http://a"}},
        {"ipWhiteList": {"sourceRange": ["10.0.0.0/8"]}},
        {"rateLimit": {"average": 1}},
        {"inFlightReq": {"amount": 1}},
        {"errors": {}},
        {"retry": {}},
        {"plugin": {"x": {}}},
        {"redirectRegex": {}},
        {"stripPrefixRegex": {}},
        {"stripPrefix": {"prefixes": ["/other"]}},
        {"stripPrefix": {"prefixes": ["/x", "/y"]}},
        {"stripPrefix": {}},
        {"redirectScheme": {"scheme": "http"}},
        {"headers": {"accessControlAllowOriginList": ["*"]}},
        {"headers": {"sslRedirect": True}},
        {"headers": {"customRequestHeaders": {"Host": "b.com"}}},
        {"chain": {"middlewares": [{"name": "m"}]}},
        {"addPrefix": {}},
    ],
)
def test_middlewares_that_are_refused(spec):
    source = ingress_route(route("Host(`a.com`) && PathPrefix(`/x`)", middlewares=[{"name": "m"}]))
    assert expect_refusal("ingress-route", source, middlewares(m=spec)).path.startswith("/spec/routes/0/middlewares")


def test_two_rewrites_and_unknown_middlewares_are_refused():
    two = ingress_route(route("Host(`a.com`) && PathPrefix(`/x`)", middlewares=[{"name": "m"}, {"name": "n"}]))
    specs = {"m": {"stripPrefix": {"prefixes": ["/x"]}}, "n": {"addPrefix": {"prefix": "/p"}}}
    assert "second time" in str(expect_refusal("ingress-route", two, middlewares(**specs)))
    assert "not among the manifests" in str(expect_refusal("ingress-route", two))


def test_names_and_targets():
    taken = FakeLookup("{kind: Ingress, metadata: {name: web, namespace: shop}}")
    assert "already there" in str(expect_refusal("ingress-route", ingress_route(), taken))
    assert "Gateway API only" in str(expect_refusal("ingress-route", ingress_route(), FakeLookup(target=INGRESS_TARGET)))
