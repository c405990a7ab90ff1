"""Routes with TLS: edge, re-encryption, and what becomes of certificates and keys."""

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal, messages
from route_support import SERVICE, lookup, route, rule

from shared.domain.needs import ListenerRequest


@pytest.mark.parametrize("policy", [None, "", "None"])
def test_edge_without_plain_http(policy):
    tls = {"termination": "edge"} | ({} if policy is None else {"insecureEdgeTerminationPolicy": policy})
    result, conversion = convert("route", route(tls=tls), lookup())
    assert result["spec"]["parentRefs"] == [{"name": "aks-gateway", "sectionName": "https-www-acme-com"}]
    assert conversion.listeners == (ListenerRequest("shop", "www.acme.com", "web-tls", "route"),)
    assert conversion.insert_after == ()


def test_edge_with_redirect():
    _, conversion = convert("route", route(path="/app", tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}), lookup())
    assert conversion.insert_after == (
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "web-redirect", "namespace": "shop", "labels": {"app": "web"}},
            "spec": {
                "parentRefs": [{"name": "aks-gateway", "sectionName": "http"}],
                "hostnames": ["www.acme.com"],
                "rules": [
                    {
                        "matches": [{"path": {"type": "PathPrefix", "value": "/app"}}],
                        "filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}],
                    }
                ],
            },
        },
    )
    assert [x.tls_secret for x in conversion.listeners] == ["web-tls", None]
    assert "301 instead of 302" in messages(conversion)


def test_edge_that_allows_plain_http():
    result, conversion = convert("route", route(tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}), lookup())
    assert [p["sectionName"] for p in result["spec"]["parentRefs"]] == ["https-www-acme-com", "http"]
    assert [x.tls_secret for x in conversion.listeners] == ["web-tls", None]


def test_external_certificate_and_its_operator_forerunner_are_known_secrets():
    none = FakeLookup(SERVICE)
    _, conversion = convert("route", route(tls={"termination": "edge", "externalCertificate": {"name": "own"}}), none)
    assert conversion.listeners[0].tls_secret == "own"
    forerunner = {"cert-utils-operator.redhat-cop.io/certs-from-secret": "older"}
    _, conversion = convert("route", route(forerunner, tls={"termination": "edge"}), none)
    assert conversion.listeners[0].tls_secret == "older"


@pytest.mark.parametrize("inline", [{}, {"certificate": "PEM-CERT", "key": "PEM-KEY"}])
def test_a_certificate_that_nobody_named_is_asked_for(inline):
    error = expect_refusal("route", route(tls={"termination": "edge"} | inline), FakeLookup(SERVICE))
    assert error.question is not None
    assert error.question.key == "tls.[www.acme.com]"
    assert "PEM" not in str(error)


def test_inline_keys_are_never_copied():
    tls = {"termination": "edge", "certificate": "PEM-CERT", "key": "PEM-KEY", "caCertificate": "PEM-CA"}
    result, conversion = convert("route", route(tls=tls), lookup())
    assert "PEM" not in repr(result) + repr(conversion)
    assert "/spec/tls/key: key material" in messages(conversion)


@pytest.mark.parametrize("termination", ["passthrough", "other"])
def test_terminations_that_the_target_does_not_have(termination):
    assert expect_refusal("route", route(tls={"termination": termination}), lookup()).path == "/spec/tls/termination"


REENCRYPT = {"termination": "reencrypt", "destinationCACertificate": "CA-PEM"}


def test_reencryption_takes_the_routes_own_ca_and_asks_for_the_name():
    error = expect_refusal("route", route(tls=REENCRYPT), lookup())
    assert [q.key for q in error.questions] == ["backendHostnames.shop/web"]
    result, conversion = convert("route", route(tls=REENCRYPT), lookup({"backendHostnames.shop/web": "web.shop.svc"}))
    assert result["spec"]["rules"] == [rule()]
    ca, policy = conversion.insert_after
    assert (ca["kind"], ca["metadata"]["name"], ca["data"]) == ("ConfigMap", "web-backend-ca", {"ca.crt": "CA-PEM"})
    assert (policy["apiVersion"], policy["kind"]) == ("gateway.networking.k8s.io/v1", "BackendTLSPolicy")
    assert policy["metadata"]["namespace"] == "shop"
    assert policy["spec"] == {
        "targetRefs": [{"group": "", "kind": "Service", "name": "web"}],
        "validation": {
            "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "web-backend-ca"}],
            "hostname": "web.shop.svc",
        },
    }
    assert "must now name web.shop.svc" in messages(conversion)


def test_reencryption_by_the_service_ca_asks_for_another_ca_and_keeps_the_name_that_was_verified():
    error = expect_refusal("route", route(tls={"termination": "reencrypt"}), lookup())
    assert [q.key for q in error.questions] == ["backendCAs.shop/web"]
    _, conversion = convert("route", route(tls={"termination": "reencrypt"}), lookup({"backendCAs.shop/web": "pki"}))
    assert [d["kind"] for d in conversion.insert_after] == ["BackendTLSPolicy"]
    assert conversion.insert_after[0]["spec"]["validation"]["hostname"] == "web.shop.svc"


def test_reencryption_needs_a_gateway_of_a_new_enough_cluster():
    answers = {"backendHostnames.shop/web": "web.shop.svc"}
    old = {"kubernetesVersion": "1.34", "ingress": {"kind": "gateway-api", "class": "approuting-istio", "gatewayName": "aks-gateway"}}
    assert "1.35" in str(expect_refusal("route", route(tls=REENCRYPT), lookup(answers, target=old)))
    other = {"kubernetesVersion": "1.35", "ingress": {"kind": "ingress", "class": "azure-application-gateway"}}
    assert "choose the Gateway API" in str(expect_refusal("route", route(tls=REENCRYPT), lookup(answers, target=other)))


NGINX_BACKEND = {
    "nginx.ingress.kubernetes.io/ssl-redirect": "true",
    "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
    "nginx.ingress.kubernetes.io/proxy-ssl-secret": "shop/web-backend-ca",
    "nginx.ingress.kubernetes.io/proxy-ssl-verify": "on",
    "nginx.ingress.kubernetes.io/proxy-ssl-name": "web.shop.svc",
}


def test_reencryption_on_ingress_nginx_checks_the_pods_certificate_too():
    answers = {"backendHostnames.shop/web": "web.shop.svc"}
    result, conversion = convert("route", route(tls=REENCRYPT), lookup(answers, target=INGRESS_TARGET))
    assert result["kind"] == "Ingress"
    assert result["metadata"]["annotations"] == NGINX_BACKEND
    (ca,) = conversion.insert_after
    assert (ca["kind"], ca["type"], ca["stringData"]) == ("Secret", "Opaque", {"ca.crt": "CA-PEM"})
    assert (ca["metadata"]["namespace"], ca["metadata"]["name"]) == ("shop", "web-backend-ca")
    assert "must now name web.shop.svc" in messages(conversion)


def test_reencryption_on_ingress_nginx_by_the_service_ca_asks_for_a_secret():
    error = expect_refusal("route", route(tls={"termination": "reencrypt"}), lookup(target=INGRESS_TARGET))
    assert [q.key for q in error.questions] == ["backendCAs.shop/web"]
    assert error.question.question.startswith("Which Secret (key ca.crt)")
    _, conversion = convert("route", route(tls={"termination": "reencrypt"}), lookup({"backendCAs.shop/web": "pki"}, target=INGRESS_TARGET))
    assert conversion.insert_after == ()


def test_reencryption_on_ingress_nginx_needs_the_namespace():
    source = yaml.safe_load(route(tls=REENCRYPT))
    del source["metadata"]["namespace"]
    facts = lookup({"backendHostnames.web": "web"}, target=INGRESS_TARGET)
    assert expect_refusal("route", yaml.safe_dump(source), facts).path == "/metadata"


CONTAINERS = {"kubernetesVersion": "1.33", "ingress": {"kind": "gateway-api", "class": "azure-alb-external", "gatewayName": "aks-gateway"}}


def test_application_gateway_for_containers_has_a_backend_policy_of_its_own_on_every_version():
    answers = {"backendHostnames.shop/web": "web.shop.svc"}
    two = {"to": {"kind": "Service", "name": "web"}, "alternateBackends": [{"kind": "Service", "name": "web-v2"}]}
    _, conversion = convert("route", route(tls=REENCRYPT, **two), lookup(answers, target=CONTAINERS))
    ca, policy, second = conversion.insert_after
    assert ca["kind"] == "Secret"
    assert (policy["apiVersion"], policy["kind"]) == ("alb.networking.azure.io/v1", "BackendTLSPolicy")
    verify = {"caCertificateRef": {"group": "", "kind": "Secret", "name": "web-backend-ca"}, "subjectAltName": "web.shop.svc"}
    assert policy["spec"] == {
        "targetRef": {"group": "", "kind": "Service", "name": "web"},
        "default": {"sni": "web.shop.svc", "ports": [{"port": 80}], "verify": verify},
    }
    assert (second["metadata"]["name"], second["spec"]["default"]["ports"]) == ("web-backend-tls-2", [{"port": 8000}])


@pytest.mark.parametrize(("answer", "internal"), [("internal", "true"), ("public", "false")])
def test_passthrough_becomes_a_load_balancer_by_decision(answer, internal):
    tls = {"termination": "passthrough", "insecureEdgeTerminationPolicy": "Redirect"}
    assert expect_refusal("route", route(tls=tls), lookup()).question.key == "passthrough.shop/web"
    result, conversion = convert("route", route(tls=tls), lookup({"passthrough.shop/web": answer}))
    assert (result["kind"], result["metadata"]["name"]) == ("Service", "web-passthrough")
    assert result["metadata"]["annotations"] == {"service.beta.kubernetes.io/azure-load-balancer-internal": internal}
    ports = [{"name": "tls", "port": 443, "targetPort": 8080}]
    assert result["spec"] == {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": ports}
    assert "DNS record of www.acme.com" in messages(conversion)
    assert "port 80 is closed" in messages(conversion)


def test_passthrough_needs_pods_to_balance_over():
    objects = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 8080}]}\n"
    answers = {"passthrough.shop/web": "public"}
    assert expect_refusal("route", route(tls={"termination": "passthrough"}), lookup(answers, objects)).path == "/spec/to"


def test_unknown_insecure_policy_is_refused():
    error = expect_refusal("route", route(tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Maybe"}), lookup())
    assert error.path == "/spec/tls/insecureEdgeTerminationPolicy"


def test_tls_without_a_termination_was_plain_http():
    result, conversion = convert("route", route(tls={}), lookup())
    assert result["spec"]["parentRefs"][0]["sectionName"] == "http"
    result, conversion = convert("route", route(tls={"termination": ""}), lookup())
    assert "names no termination" in messages(conversion)
