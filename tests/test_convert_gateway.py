"""The shared Gateway: one per namespace, listeners merged by host, stable under order and repetition."""

import itertools

import jsonpatch
import pytest

from shared.domain.convert.gateway import merge_gateways
from shared.domain.convert.gateway_addons import LOAD_BALANCER, GatewaySetup, setup_of
from shared.domain.convert.names import LABEL_LIMIT, listener_name
from shared.domain.needs import ListenerRequest

SAME = {"namespaces": {"from": "Same"}}
HTTP = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": SAME}


def https(name, host, secret):
    tls = {"mode": "Terminate", "certificateRefs": [{"name": secret}]}
    return {"name": name, "hostname": host, "port": 443, "protocol": "HTTPS", "tls": tls, "allowedRoutes": SAME}


def request(host="www.acme.com", secret=None, namespace="shop"):
    return ListenerRequest(namespace, host, secret, "AKS0001")


def merge(requests, existing=(), **options):
    return merge_gateways(existing, requests, "aks-gateway", "approuting-istio", **options)


def test_the_document():
    plan = merge([request(secret="web-tls"), request()])
    assert plan.documents == (
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "aks-gateway", "namespace": "shop"},
            "spec": {"gatewayClassName": "approuting-istio", "listeners": [HTTP, https("https-www-acme-com", "www.acme.com", "web-tls")]},
        },
    )
    assert plan.operations == {}
    assert plan.conflicts == ()


def test_one_gateway_per_namespace_and_one_plain_listener():
    plan = merge([request("b.com"), request("a.com"), request("a.com", namespace=None), request("c.com", "c", "api")])
    assert [d["metadata"].get("namespace") for d in plan.documents] == [None, "api", "shop"]
    assert [[x["name"] for x in d["spec"]["listeners"]] for d in plan.documents] == [["http"], ["https-c-com"], ["http"]]


def test_the_order_of_the_requests_does_not_matter():
    requests = [request("b.com", "b"), request("a.com", "a"), request("a.com"), request("c.com", "c", None)]
    plans = [merge(p) for p in itertools.permutations(requests)]
    assert all(p == plans[0] for p in plans)


def test_a_second_run_changes_nothing():
    requests = [request("a.com", "a"), request("a.com")]
    first = merge(requests)
    again = merge(requests, first.documents)
    assert (again.operations, again.documents, again.conflicts) == ({}, (), ())


def test_an_existing_gateway_is_extended_at_the_end():
    existing = list(merge([request("a.com", "a")]).documents)
    plan = merge([request("b.com", "b"), request("b.com"), request("x.com", namespace="api")], existing)
    patched = jsonpatch.apply_patch(existing[0], [o.rfc6902() for o in plan.operations[0]])
    assert [x["name"] for x in patched["spec"]["listeners"]] == ["https-a-com", "http", "https-b-com"]
    assert [d["metadata"]["namespace"] for d in plan.documents] == ["api"]


def test_a_host_with_two_certificates_is_a_conflict():
    plan = merge([request("a.com", "two"), request("a.com", "one")])
    assert plan.documents[0]["spec"]["listeners"][0]["tls"]["certificateRefs"] == [{"name": "one"}]
    assert "a.com" in plan.conflicts[0]
    assert "one, two" in plan.conflicts[0]


def test_existing_listeners_win():
    existing = list(merge([request("a.com", "old")]).documents)
    plan = merge([request("a.com", "new")], existing)
    assert plan.operations == {}
    assert "it is kept" in plan.conflicts[0]
    foreign = [
        {"kind": "Gateway", "metadata": {"name": "aks-gateway", "namespace": "shop"}, "spec": {"listeners": [{**HTTP, "name": "web"}]}}
    ]
    plan = merge([request()], foreign)
    assert plan.operations == {}
    assert "taken by another listener" in plan.conflicts[0]


def test_a_certificate_from_key_vault_is_no_conflict():
    listener = https("https-a-com", "a.com", "x") | {
        "tls": {"mode": "Terminate", "options": {"kubernetes.azure.com/tls-cert-keyvault-uri": "https://v"}}
    }
    existing = [{"kind": "Gateway", "metadata": {"name": "aks-gateway", "namespace": "shop"}, "spec": {"listeners": [listener]}}]
    assert merge([request("a.com", "a")], existing).conflicts == ()


def test_a_gateway_without_listeners_cannot_be_extended():
    existing = [{"kind": "Gateway", "metadata": {"name": "aks-gateway", "namespace": "shop"}, "spec": {}}]
    assert "cannot" in merge([request()], existing).conflicts[0] or "no listeners" in merge([request()], existing).conflicts[0]


def test_internal_load_balancer():
    plan = merge([request()], setup=GatewaySetup({}, internal=True))
    assert plan.documents[0]["spec"]["infrastructure"] == {
        "annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    }


def test_a_host_of_tls_without_a_name_serves_all():
    listener = merge([request(None, "any")]).documents[0]["spec"]["listeners"][0]
    assert listener["name"] == "https"
    assert "hostname" not in listener


def test_more_listeners_than_a_gateway_takes_are_said():
    assert "64" in merge([request(f"h{i}.com", "s") for i in range(65)]).conflicts[0]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("www.acme.com", "https-www-acme-com"),
        ("*.acme.com", "https-wildcard-acme-com"),
        ("a-b.c", "https-a--b-c"),
        ("a.b-c", "https-a-b--c"),
        (None, "https"),
    ],
)
def test_listener_names(host, name):
    assert listener_name(host, tls=True) == name
    assert listener_name(host, tls=False) == "http"


def test_long_and_opaque_hosts_get_distinct_legal_names():
    hosts = [f"{'a' * 60}.{'b' * 60}.com", f"{'a' * 60}.{'b' * 60}.org", "app.${DOMAIN}", "app.${OTHER}", "app.${domain}"]
    names = {listener_name(h, tls=True) for h in hosts}
    assert len(names) == len(hosts)
    assert all(len(n) <= LABEL_LIMIT and n == n.lower() and n.replace("-", "").isalnum() for n in names)


PASSED = {
    "name": "tls-db-acme-com",
    "hostname": "db.acme.com",
    "port": 443,
    "protocol": "TLS",
    "tls": {"mode": "Passthrough"},
    "allowedRoutes": SAME,
}


def passed(host="db.acme.com"):
    return ListenerRequest("shop", host, None, "AKS0001", passthrough=True)


def test_passed_through_tls_has_a_listener_of_its_own_beside_the_others():
    plan = merge([passed(), request(secret="web-tls"), passed()])
    (gateway,) = plan.documents
    assert gateway["spec"]["listeners"] == [https("https-www-acme-com", "www.acme.com", "web-tls"), PASSED]
    again = merge([passed(), request(secret="web-tls")], [gateway])
    assert (again.operations, again.documents, again.conflicts) == ({}, (), ())


def test_one_host_is_not_both_ended_and_passed_through():
    assert merge([passed("www.acme.com"), request(secret="web-tls")]).conflicts == (
        "www.acme.com: TLS is either ended or passed through on a Gateway, not both",
    )
    (gateway,) = merge([request(secret="web-tls")]).documents
    later = merge([passed("www.acme.com")], [gateway])
    assert later.operations == {}
    assert later.conflicts == ("listener tls-www-acme-com: its host and port are taken by another listener of the Gateway",)


def test_a_request_keeps_that_it_passes_through_on_its_way_between_the_stages():
    assert ListenerRequest.from_json(passed().to_json()) == passed()
    assert ListenerRequest.from_json(request().to_json()) == request()


def test_one_host_in_two_namespaces_is_said_and_none_elsewhere():
    (said,) = merge([request(), request(namespace="blog"), request("api.acme.com")]).conflicts
    assert said.startswith("www.acme.com: namespaces blog and shop each get a Gateway")
    assert merge([request(), request(namespace=None)]).conflicts == ()


@pytest.mark.parametrize("class_name", ["approuting-istio", "istio", "our-own"])
def test_most_classes_ask_nothing_more_of_a_gateway(class_name):
    assert setup_of(class_name, "internal", None) == GatewaySetup({}, internal=True)


def test_application_gateway_for_containers_needs_its_load_balancer_and_is_never_internal():
    open_ = setup_of("azure-alb-external", "internal", None)
    assert (open_.internal, open_.annotations, open_.questions) == (False, {}, (LOAD_BALANCER,))
    assert "no private address" in open_.doubts[0]
    answered = setup_of("azure-alb-external", None, "infra/alb")
    named = {"alb.networking.azure.io/alb-namespace": "infra", "alb.networking.azure.io/alb-name": "alb"}
    assert (answered.annotations, answered.doubts, answered.questions) == (named, (), ())


def test_an_answer_that_comes_later_joins_the_gateway_that_is_there():
    (gateway,) = merge([request()]).documents
    setup = setup_of("azure-alb-external", None, "infra/alb")
    (operations,) = merge([request()], [gateway], setup=setup).operations.values()
    after = jsonpatch.apply_patch(gateway, [o.rfc6902() for o in operations])
    assert after["metadata"]["annotations"] == dict(setup.annotations)
    assert merge([request()], [after], setup=setup).operations == {}
    other = after | {"metadata": after["metadata"] | {"annotations": {"team": "a", "alb.networking.azure.io/alb-name": "own"}}}
    (operations,) = merge([request()], [other], setup=setup).operations.values()
    assert [o.path for o in operations] == ["/metadata/annotations/alb.networking.azure.io~1alb-namespace"]
