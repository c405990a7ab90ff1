"""Ingress of a foreign class to HTTPRoutes, or to the target's own class: golden cases per field and per controller's annotation."""

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal, messages

from shared.domain.model import ListenerRequest


def path(value="/", kind="Prefix", service="web", port=None):
    found = {"pathType": kind, "backend": {"service": {"name": service, "port": port or {"number": 80}}}}
    return found if value is None else {"path": value} | found


def ingress(annotations=None, cls="traefik", rules=None, tls=None, **fields):
    meta = {"name": "web", "namespace": "shop", "labels": {"app": "web"}} | ({"annotations": annotations} if annotations else {})
    spec = ({"ingressClassName": cls} if cls else {}) | ({"tls": tls} if tls else {}) | fields
    if rules is None:
        rules = [{"host": "www.acme.com", "http": {"paths": [path()]}}]
    return yaml.safe_dump(
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec | ({"rules": rules} if rules else {})}
    )


def rules_of(result):
    return result["spec"]["rules"]


def match(value="/", kind="PathPrefix"):
    return {"path": {"type": kind, "value": value}}


TLS = [{"hosts": ["www.acme.com"], "secretName": "web-tls"}]
WEB = [{"name": "web", "port": 80}]
TRAEFIK, NGINX, ALB = "traefik.ingress.kubernetes.io/", "nginx.ingress.kubernetes.io/", "alb.ingress.kubernetes.io/"
K3S = FakeLookup(source="k3s")

# --- the form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", ["traefik", "nginx", "haproxy", "openshift-default", "gce", "internal"])
def test_plain_ingress(cls):
    result, conversion = convert("ingress", ingress(cls=cls), K3S)
    assert result == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {
            "parentRefs": [{"name": "aks-gateway", "sectionName": "http"}],
            "hostnames": ["www.acme.com"],
            "rules": [{"matches": [match()], "backendRefs": WEB}],
        },
    }
    assert conversion.listeners == (ListenerRequest("shop", "www.acme.com", None, "ingress"),)
    assert cls in ("openshift-default", "traefik") or conversion.losses == ()


def test_class_by_annotation_and_no_class_at_all():
    result, _ = convert("ingress", ingress({"kubernetes.io/ingress.class": "traefik"}, cls=None), K3S)
    assert "annotations" not in result["metadata"]
    result, _ = convert("ingress", ingress(cls=None), K3S)
    assert result["kind"] == "HTTPRoute"


@pytest.mark.parametrize("cls", ["webapprouting.kubernetes.azure.com", "azure-alb-external", "azure-application-gateway"])
def test_classes_that_aks_serves_are_left_alone(cls):
    assert "is served" in str(expect_refusal("ingress", ingress(cls=cls)))


def test_other_annotations_stay():
    result, _ = convert(
        "ingress", ingress({"team": "a", "kubernetes.io/ingress.class": "traefik", "hajimari.io/enable": "true"}, cls=None), K3S
    )
    assert result["metadata"]["annotations"] == {"team": "a", "hajimari.io/enable": "true"}


def test_path_types():
    paths = [
        path("/a", "Exact"),
        path("/b", "Prefix", "api"),
        path("/c", "ImplementationSpecific", "imp"),
        path(None, "ImplementationSpecific"),
    ]
    result, conversion = convert("ingress", ingress(cls="nginx", rules=[{"host": "a.com", "http": {"paths": paths}}]))
    assert [r["matches"] for r in rules_of(result)] == [[match("/a", "Exact"), match("/")], [match("/b")], [match("/c")]]
    assert "/c and what lies below it" in messages(conversion)
    assert "/b and" not in messages(conversion)


def test_traefik_matched_prefixes_as_strings():
    _, conversion = convert("ingress", ingress(rules=[{"host": "a.com", "http": {"paths": [path("/b")]}}]))
    assert "Traefik matched every path that begins with /b" in messages(conversion)


def test_implementation_specific_of_an_unknown_controller_is_refused():
    source = ingress(cls="kong", rules=[{"host": "a.com", "http": {"paths": [path("/", "ImplementationSpecific")]}}])
    assert "not known" in str(expect_refusal("ingress", source))
    assert expect_refusal("ingress", ingress({"konghq.com/strip-path": "true"}, cls="kong")).path.endswith("konghq.com~1strip-path")


@pytest.mark.parametrize("cls", ["alb", "gce"])
@pytest.mark.parametrize(
    ("value", "wanted"), [("/*", match("/")), ("/app/*", match("/app")), ("/app", match("/app", "Exact")), (None, match("/"))]
)
def test_globs(cls, value, wanted):
    annotations = {ALB + "scheme": "internet-facing"} if cls == "alb" else None
    rules = [{"host": "a.com", "http": {"paths": [path(value, "ImplementationSpecific")]}}]
    result, _ = convert("ingress", ingress(annotations, cls=cls, rules=rules))
    assert rules_of(result)[0]["matches"] == [wanted]
    expect_refusal(
        "ingress", ingress(annotations, cls=cls, rules=[{"host": "a.com", "http": {"paths": [path("/*/x", "ImplementationSpecific")]}}])
    )


def test_regular_expressions_are_refused():
    expect_refusal("ingress", ingress(rules=[{"http": {"paths": [path("/(a|b)")]}}]))
    expect_refusal("ingress", ingress({NGINX + "use-regex": "true"}, cls="nginx"))


SERVICE = FakeLookup("{kind: Service, metadata: {name: web, namespace: shop}, spec: {ports: [{name: http, port: 8080}]}}")


def test_named_ports_are_resolved_through_the_service():
    named = [{"host": "a.com", "http": {"paths": [path(port={"name": "http"})]}}]
    result, _ = convert("ingress", ingress(rules=named), SERVICE)
    assert rules_of(result)[0]["backendRefs"] == [{"name": "web", "port": 8080}]
    error = expect_refusal("ingress", ingress(rules=named))
    assert error.question is not None
    assert error.question.key == "ports.shop/web"
    expect_refusal("ingress", ingress(rules=[{"http": {"paths": [path(port={"name": "other"})]}}]), SERVICE)


def test_hosts_that_serve_the_same_share_a_route_and_others_get_their_own():
    rules = [
        {"host": "a.com", "http": {"paths": [path()]}},
        {"host": "b.com", "http": {"paths": [path("/", service="b")]}},
        {"host": "c.com", "http": {"paths": [path()]}},
    ]
    result, conversion = convert("ingress", ingress(rules=rules), K3S)
    assert result["spec"]["hostnames"] == ["a.com", "c.com"]
    (second,) = conversion.insert_after
    assert second["metadata"] == {"name": "web-2", "namespace": "shop", "labels": {"app": "web"}}
    assert second["spec"]["hostnames"] == ["b.com"]
    assert second["spec"]["rules"][0]["backendRefs"] == [{"name": "b", "port": 80}]


def test_rules_of_one_host_are_merged_and_host_less_rules_stay_so():
    rules = [{"host": "a.com", "http": {"paths": [path("/x")]}}, {"host": "A.com", "http": {"paths": [path("/y")]}}]
    result, _ = convert("ingress", ingress(rules=rules))
    assert rules_of(result) == [{"matches": [match("/x"), match("/y")], "backendRefs": WEB}]
    result, _ = convert("ingress", ingress(rules=[{"http": {"paths": [path()]}}]))
    assert "hostnames" not in result["spec"]


def test_default_backend_catches_what_no_rule_matches():
    backend = {"service": {"name": "fallback", "port": {"number": 81}}}
    rules = [{"host": "a.com", "http": {"paths": [path("/x", "Exact")]}}]
    result, conversion = convert("ingress", ingress(rules=rules, defaultBackend=backend))
    rest = {"matches": [match()], "backendRefs": [{"name": "fallback", "port": 81}]}
    assert rules_of(result) == [{"matches": [match("/x", "Exact")], "backendRefs": WEB}, rest]
    assert conversion.insert_after[0]["spec"] == {"parentRefs": [{"name": "aks-gateway", "sectionName": "http"}], "rules": [rest]}
    only, _ = convert("ingress", ingress(rules=[], defaultBackend=backend))
    assert rules_of(only) == [rest]


@pytest.mark.parametrize(
    "fields",
    [
        {"rules": []},
        {"rules": [{"host": "a_b.com", "http": {"paths": [path()]}}]},
        {"rules": [{"host": "a.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"resource": {"kind": "X"}}}]}}]},
        {"rules": [{"host": "a.com", "http": {"paths": [path("a")]}}]},
        {"brandNew": 1},
        {"rules": [{"host": f"h{i}.com", "http": {"paths": [path()]}} for i in range(17)]},
    ],
)
def test_what_cannot_be_said_is_refused(fields):
    expect_refusal("ingress", ingress(**fields))


def test_a_taken_name_is_refused():
    assert "already there" in str(
        expect_refusal("ingress", ingress(), FakeLookup("{kind: HTTPRoute, metadata: {name: web, namespace: shop}}"))
    )


def test_removed_apis_are_converted_on_the_way():
    source = """
      apiVersion: extensions/v1beta1
      kind: Ingress
      metadata: {name: web, annotations: {kubernetes.io/ingress.class: traefik}}
      spec: {rules: [{host: a.com, http: {paths: [{path: /, backend: {serviceName: web, servicePort: 80}}]}}]}
    """
    result, _ = convert("ingress", source, K3S)
    assert rules_of(result) == [{"matches": [match()], "backendRefs": WEB}]
    result, _ = convert("ingress", source, FakeLookup(target=INGRESS_TARGET))
    assert result["apiVersion"] == "networking.k8s.io/v1"
    assert result["spec"]["ingressClassName"] == "webapprouting.kubernetes.azure.com"


# --- TLS ---------------------------------------------------------------------------------------------------------


def test_traefik_serves_tls_hosts_on_both_listeners():
    result, conversion = convert("ingress", ingress(tls=TLS))
    assert [p["sectionName"] for p in result["spec"]["parentRefs"]] == ["https-www-acme-com", "http"]
    assert [x.tls_secret for x in conversion.listeners] == ["web-tls", None]
    assert conversion.insert_after == ()


def test_nginx_redirects_tls_hosts():
    result, conversion = convert("ingress", ingress(cls="nginx", tls=TLS))
    assert [p["sectionName"] for p in result["spec"]["parentRefs"]] == ["https-www-acme-com"]
    (redirect,) = conversion.insert_after
    assert redirect["metadata"]["name"] == "web-redirect"
    assert redirect["spec"]["parentRefs"] == [{"name": "aks-gateway", "sectionName": "http"}]
    assert redirect["spec"]["rules"] == [
        {"matches": [match()], "filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}
    ]
    assert "answers 301" in messages(conversion)


def test_nginx_without_the_redirect():
    result, conversion = convert("ingress", ingress({NGINX + "ssl-redirect": "false"}, cls="nginx", tls=TLS))
    assert [p["sectionName"] for p in result["spec"]["parentRefs"]] == ["https-www-acme-com", "http"]
    assert conversion.insert_after == ()


def test_hosts_with_and_without_a_certificate_are_kept_apart():
    rules = [{"host": h, "http": {"paths": [path()]}} for h in ("www.acme.com", "plain.acme.com")]
    result, conversion = convert("ingress", ingress(cls="nginx", tls=TLS, rules=rules))
    assert result["spec"]["hostnames"] == ["www.acme.com"]
    assert [d["spec"]["hostnames"] for d in conversion.insert_after] == [["www.acme.com"], ["plain.acme.com"]]
    assert [d["metadata"]["name"] for d in conversion.insert_after] == ["web-redirect", "web-2"]


@pytest.mark.parametrize("tls", [[{"hosts": ["*.acme.com"], "secretName": "web-tls"}], [{"secretName": "web-tls"}]])
def test_wildcard_and_host_less_certificates(tls):
    _, conversion = convert("ingress", ingress(tls=tls))
    assert conversion.listeners[0] == ListenerRequest("shop", "www.acme.com", "web-tls", "ingress")


@pytest.mark.parametrize(
    ("annotations", "tls"),
    [
        (None, [{"hosts": ["www.acme.com"]}]),
        ({TRAEFIK + "router.tls": "true"}, None),
        ({TRAEFIK + "router.tls.certresolver": "letsencrypt", TRAEFIK + "router.entrypoints": "websecure"}, None),
        ({TRAEFIK + "router.entrypoints": "websecure"}, None),
    ],
)
def test_certificates_of_the_controller_are_asked_for(annotations, tls):
    error = expect_refusal("ingress", ingress(annotations, tls=tls))
    assert error.question is not None
    assert error.question.key == "tls.[www.acme.com]"
    answered = FakeLookup(decisions={error.question.key: "mine"})
    _, conversion = convert("ingress", ingress(annotations, tls=tls), answered)
    assert conversion.listeners[0].tls_secret == "mine"


def test_cert_manager_annotations_stay_and_are_explained():
    annotations = {"cert-manager.io/cluster-issuer": "letsencrypt", "external-dns.alpha.kubernetes.io/target": "a.com"}
    result, conversion = convert("ingress", ingress(annotations, tls=TLS))
    assert result["metadata"]["annotations"] == annotations
    assert "cert-manager must make the certificate" in messages(conversion)
    assert "external-dns reads a target from the Gateway" in messages(conversion)


# --- annotations of the controllers ------------------------------------------------------------------------------


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
        ("app-root", "/x"), ("brand-new", "1"), ("force-ssl-redirect", "true"),
    ],
)  # fmt: skip
def test_nginx_annotations_that_are_refused(name, value):
    expect_refusal("ingress", ingress({NGINX + name: value}, cls="nginx"))


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
    expect_refusal("ingress", ingress({TRAEFIK + name: "other-x@file"}))


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


# --- Ingress as the target ---------------------------------------------------------------------------------------

INGRESS = FakeLookup(target=INGRESS_TARGET)


def test_only_the_class_changes():
    _, conversion = convert("ingress", ingress({NGINX + "auth-type": "basic"}, cls="traefik"), INGRESS)
    assert [(o.op, o.path, o.value) for o in conversion.operations] == [
        ("replace", "/spec/ingressClassName", "webapprouting.kubernetes.azure.com")
    ]
    assert conversion.losses == ()


def test_a_class_annotation_becomes_the_field():
    result, _ = convert("ingress", ingress({"kubernetes.io/ingress.class": "traefik", "a": "b"}, cls=None), INGRESS)
    assert result["metadata"]["annotations"] == {"a": "b"}
    assert result["spec"]["ingressClassName"] == "webapprouting.kubernetes.azure.com"


def test_annotations_that_the_new_controller_does_not_read_are_said():
    result, conversion = convert("ingress", ingress({TRAEFIK + "router.entrypoints": "web"}), INGRESS)
    assert result["metadata"]["annotations"] == {TRAEFIK + "router.entrypoints": "web"}
    assert "does not read this annotation" in messages(conversion)
    expect_refusal("ingress", ingress({TRAEFIK + "router.middlewares": "shop-auth@kubernetescrd"}), INGRESS)


def test_more_matches_than_a_route_takes_are_refused():
    paths = [
        {"path": f"/{b}/{i}", "pathType": "Exact", "backend": {"service": {"name": f"b{b}", "port": {"number": 80}}}}
        for b in range(3)
        for i in range(50)
    ]
    obj = yaml.safe_load(ingress())
    obj["spec"]["rules"] = [{"host": "www.acme.com", "http": {"paths": paths}}]
    assert "128 matches" in str(expect_refusal("ingress", yaml.safe_dump(obj), K3S))
