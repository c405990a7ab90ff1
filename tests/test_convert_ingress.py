"""Ingress to HTTPRoute: the form that every controller reads alike (classes, paths, ports, hosts)."""

import pytest
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal, messages
from ingress_support import ALB, K3S, NGINX, SERVICE, WEB, ingress, match, path, rules_of

from shared.domain.needs import ListenerRequest


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
    for source in (ingress(rules=[{"http": {"paths": [path("/(a|b)")]}}]), ingress({NGINX + "use-regex": "true"}, cls="nginx")):
        error = expect_refusal("ingress", source)
        assert (error.path, "regular expression" in str(error)) == ("/spec/rules/0/http/paths/0/path", True)


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
    ("fields", "why"),
    [
        ({"rules": []}, "routes nothing"),
        ({"rules": [{"host": "a_b.com", "http": {"paths": [path()]}}]}, "'a_b.com' is not a host name"),
        ({"rules": [{"http": {"paths": [{"pathType": "Prefix", "backend": {"resource": {"kind": "X"}}}]}}]}, "does not name a Service"),
        ({"rules": [{"host": "a.com", "http": {"paths": [path("a")]}}]}, "'a' is not a path"),
        ({"brandNew": 1}, "/spec/brandNew is not a field"),
        ({"rules": [{"host": f"h{i}.com", "http": {"paths": [path()]}} for i in range(17)]}, "more than 16 hosts"),
    ],
)
def test_what_cannot_be_said_is_refused(fields, why):
    assert why in str(expect_refusal("ingress", ingress(**fields)))


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
