"""Ingress to HTTPRoute: certificates and plain HTTP; an Ingress that stays one under another class."""

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal, messages
from ingress_support import K3S, NGINX, TLS, TRAEFIK, ingress, match, path

from shared.domain.needs import ListenerRequest


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
