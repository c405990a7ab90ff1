"""Ingress to HTTPRoute: the annotations of each controller, translated, lost and said, or refused."""

import pytest
import yaml
from convert_support import FakeLookup, convert, expect_refusal, messages
from ingress_support import ALB, NGINX, TLS, TRAEFIK, WEB, ingress, match, path, rules_of


def test_nginx_rewrite_to_one_path_replaces_the_whole_path():
    source = ingress({NGINX + "rewrite-target": "/"}, cls="nginx", rules=[{"host": "a.com", "http": {"paths": [path("/app"), path("/")]}}])
    result, _ = convert("ingress", source)
    filters = [{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}}]
    assert rules_of(result) == [
        {"matches": [match("/app")], "filters": filters, "backendRefs": WEB},
        {"matches": [match("/")], "backendRefs": WEB},
    ]


@pytest.mark.parametrize(("target", "wanted"), [("/$2", "/"), ("/v1/$2", "/v1")])
def test_nginx_rewrite_of_a_prefix(target, wanted):
    annotations = {NGINX + "rewrite-target": target, NGINX + "use-regex": "true"}
    rules = [{"host": "a.com", "http": {"paths": [path("/app(/|$)(.*)", "ImplementationSpecific")]}}]
    result, conversion = convert("ingress", ingress(annotations, cls="nginx", rules=rules))
    assert rules_of(result)[0]["matches"] == [match("/app")]
    assert rules_of(result)[0]["filters"] == [
        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": wanted}}}
    ]
    assert "without regard to case" in messages(conversion)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rewrite-target", "/$1"), ("auth-url", "https://a"), ("auth-type", "basic"), ("whitelist-source-range", "10.0.0.0/8"),
        ("configuration-snippet", "x"), ("server-snippet", "x"), ("backend-protocol", "HTTPS"), ("backend-protocol", "GRPC"),
        ("ssl-passthrough", "true"), ("enable-cors", "true"), ("canary", "true"), ("limit-rps", "5"), ("permanent-redirect", "https://a"),
        ("app-root", "/x"), ("brand-new", "1"),
    ],
)  # fmt: skip
def test_nginx_annotations_that_are_refused(name, value):
    error = expect_refusal("ingress", ingress({NGINX + name: value}, cls="nginx"))
    assert error.path == f"/metadata/annotations/nginx.ingress.kubernetes.io~1{name}"


def test_a_redirect_to_https_that_ends_before_the_ingress_is_refused():
    error = expect_refusal("ingress", ingress({NGINX + "force-ssl-redirect": "true"}, cls="nginx"))
    assert "would go in circles" in str(error)


@pytest.mark.parametrize(
    "name", ["proxy-body-size", "proxy-read-timeout", "affinity", "session-cookie-name", "load-balance", "proxy-buffering"]
)
def test_nginx_tuning_is_lost_and_said(name):
    result, conversion = convert("ingress", ingress({NGINX + name: "8"}, cls="nginx"))
    assert "annotations" not in result["metadata"]
    assert f"{name} has no equivalent" in messages(conversion)


@pytest.mark.parametrize(
    ("name", "value"), [("backend-protocol", "HTTP"), ("whitelist-source-range", "0.0.0.0/0, ::/0"), ("use-regex", "false")]
)
def test_nginx_annotations_that_say_the_default(name, value):
    _, conversion = convert("ingress", ingress({NGINX + name: value}, cls="nginx"))
    assert conversion.losses == ()


@pytest.mark.parametrize(
    ("annotations", "sections"),
    [
        ({"router.entrypoints": "web"}, ["http"]),
        ({"router.entrypoints": "websecure"}, ["https-www-acme-com"]),
        ({"router.entrypoints": "web, websecure"}, ["https-www-acme-com", "http"]),
        ({"router.tls": "true"}, ["https-www-acme-com"]),
        ({}, ["https-www-acme-com", "http"]),
    ],
)
def test_traefik_entry_points(annotations, sections):
    result, _ = convert("ingress", ingress({TRAEFIK + k: v for k, v in annotations.items()}, tls=TLS))
    assert [p["sectionName"] for p in result["spec"]["parentRefs"]] == sections


@pytest.mark.parametrize("name", ["router.tls.options", "router.priority", "router.middlewares", "router.pathmatcher", "redirect-regex"])
def test_traefik_annotations_that_are_refused(name):
    error = expect_refusal("ingress", ingress({TRAEFIK + name: "other-x@file"}))
    assert error.path == f"/metadata/annotations/traefik.ingress.kubernetes.io~1{name}"


def test_traefik_path_matcher():
    rules = [{"host": "a.com", "http": {"paths": [path("/x", "ImplementationSpecific")]}}]
    result, _ = convert("ingress", ingress({TRAEFIK + "router.pathmatcher": "Path"}, rules=rules))
    assert rules_of(result)[0]["matches"] == [match("/x", "Exact")]


def middleware(name, spec):
    return yaml.safe_dump(
        {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}
    )


def test_traefik_middlewares_become_filters():
    objects = "\n---\n".join(
        [
            middleware("strip", {"stripPrefix": {"prefixes": ["/app"]}}),
            middleware("head", {"headers": {"customRequestHeaders": {"X-A": "1", "X-B": ""}, "stsSeconds": 60, "frameDeny": True}}),
        ]
    )
    annotations = {TRAEFIK + "router.middlewares": "shop-strip@kubernetescrd,shop-head@kubernetescrd"}
    source = ingress(annotations, rules=[{"host": "a.com", "http": {"paths": [path("/app")]}}])
    result, conversion = convert("ingress", source, FakeLookup(objects))
    assert rules_of(result)[0]["filters"] == [
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-A", "value": "1"}], "remove": ["X-B"]}},
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "X-Frame-Options", "value": "DENY"}]}},
        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}},
    ]
    assert "X-Forwarded-Prefix" in messages(conversion)


def test_traefik_middlewares_of_another_namespace_are_found_by_name():
    objects = "{kind: Middleware, metadata: {name: zip-it, namespace: edge-net}, spec: {compress: {}}}"
    source = ingress({TRAEFIK + "router.middlewares": "edge-net-zip-it@kubernetescrd"})
    _, conversion = convert("ingress", source, FakeLookup(objects))
    assert "no longer compressed" in messages(conversion)
    assert "among the manifests" in str(expect_refusal("ingress", source))


def test_traefik_redirect_middleware_applies_to_plain_http_only():
    objects = middleware("https", {"redirectScheme": {"scheme": "https", "permanent": True}})
    source = {TRAEFIK + "router.middlewares": "shop-https@kubernetescrd"}
    result, conversion = convert("ingress", ingress(source, tls=TLS), FakeLookup(objects))
    assert [p["sectionName"] for p in result["spec"]["parentRefs"]] == ["https-www-acme-com"]
    assert conversion.insert_after[0]["spec"]["rules"][0]["filters"] == [
        {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    ]
    plain, _ = convert("ingress", ingress(source | {TRAEFIK + "router.entrypoints": "web"}), FakeLookup(objects))
    assert "backendRefs" not in rules_of(plain)[0]


@pytest.mark.parametrize(
    "spec", [{"basicAuth": {"secret": "x"}}, {"ipAllowList": {"sourceRange": ["10.0.0.0/8"]}}, {"plugin": {}}, {"rateLimit": {}}, {}, None]
)
def test_traefik_middlewares_that_guard_are_refused(spec):
    annotations = {TRAEFIK + "router.middlewares": "shop-guard@kubernetescrd"}
    objects = middleware("guard", spec) if spec is not None else ""
    assert "guard" in str(expect_refusal("ingress", ingress(annotations), FakeLookup(objects)))


def test_alb():
    annotations = {
        ALB + "scheme": "internet-facing",
        ALB + "target-type": "ip",
        ALB + "healthcheck-path": "/h",
        ALB + "inbound-cidrs": "0.0.0.0/0",
    }
    result, conversion = convert("ingress", ingress(annotations, cls="alb"))
    assert "annotations" not in result["metadata"]
    assert "healthcheck-path is a setting" in messages(conversion)
    for guard in (
        {ALB + "inbound-cidrs": "10.0.0.0/8"},
        {ALB + "auth-type": "oidc"},
        {ALB + "wafv2-acl-arn": "x"},
        {ALB + "listen-ports": '[{"HTTP": 8080}]'},
    ):
        expect_refusal("ingress", ingress(annotations | guard, cls="alb"))


def test_alb_and_gce_that_were_internal_ask_for_the_exposure():
    for source in (ingress(cls="alb"), ingress({"kubernetes.io/ingress.class": "gce-internal"}, cls=None)):
        error = expect_refusal("ingress", source)
        assert error.question is not None
        assert error.question.key == "ingress.exposure"
        convert("ingress", source, FakeLookup(decisions={"ingress.exposure": "internal"}))


def test_alb_tls():
    annotations = {ALB + "scheme": "internet-facing", ALB + "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]', ALB + "ssl-redirect": "443"}
    assert expect_refusal("ingress", ingress(annotations, cls="alb")).question is not None
    _, conversion = convert("ingress", ingress(annotations, cls="alb"), FakeLookup(decisions={"tls.[www.acme.com]": "web-tls"}))
    assert [x.tls_secret for x in conversion.listeners] == ["web-tls", None]
    assert len(conversion.insert_after) == 1


def test_gce():
    annotations = {
        "kubernetes.io/ingress.class": "gce",
        "kubernetes.io/ingress.global-static-ip-name": "web",
        "kubernetes.io/ingress.allow-http": "false",
    }
    result, conversion = convert("ingress", ingress(annotations, cls=None, tls=TLS))
    assert [p["sectionName"] for p in result["spec"]["parentRefs"]] == ["https-www-acme-com"]
    assert "annotations" not in result["metadata"]
    assert "reserved address" in messages(conversion)
    expect_refusal("ingress", ingress(annotations | {"networking.gke.io/v1beta1.FrontendConfig": "x"}, cls=None))
    assert expect_refusal("ingress", ingress(annotations | {"networking.gke.io/managed-certificates": "x"}, cls=None)).question is not None


def test_openshift_router():
    annotations = {"haproxy.router.openshift.io/timeout": "60s", "haproxy.router.openshift.io/disable_cookies": "true"}
    result, conversion = convert("ingress", ingress(annotations, cls="openshift-default", tls=TLS))
    assert rules_of(result)[0]["timeouts"] == {"request": "60s"}
    assert conversion.insert_after[0]["metadata"]["name"] == "web-redirect"
    for guard in ({"route.openshift.io/termination": "passthrough"}, {"haproxy.router.openshift.io/ip_allowlist": "10.0.0.1"}):
        expect_refusal("ingress", ingress(guard, cls="openshift-default", tls=TLS))


def test_haproxy():
    _, conversion = convert("ingress", ingress({"haproxy.org/ssl-redirect": "false"}, cls="haproxy", tls=TLS))
    assert conversion.insert_after == ()
    expect_refusal("ingress", ingress({"haproxy.org/auth-type": "basic"}, cls="haproxy"))
