"""Traefik IngressRoute to HTTPRoutes: entry points, TLS and Middlewares."""

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal, messages
from ingress_route_support import WEB, ingress_route, match, route

from shared.domain.needs import ListenerRequest


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
    ("fields", "why"),
    [
        ({"entryPoints": ["traefik"]}, "entry point traefik"),
        ({"entryPoints": ["web"], "tls": {"secretName": "a"}}, "TLS on the plain entry point"),
        ({"entryPoints": ["websecure"], "tls": {"secretName": "a", "options": {"name": "mtls"}}}, "tls.options"),
        ({"entryPoints": ["websecure"], "tls": {"secretName": "a", "store": {"name": "x"}}}, "tls.store"),
        ({"parentRefs": [{"name": "a"}]}, "/spec/parentRefs is not a field"),
    ],
)
def test_entry_points_and_tls_that_are_refused(fields, why):
    assert why in str(expect_refusal("ingress-route", ingress_route(**fields)))


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
