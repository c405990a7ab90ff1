"""OpenShift Route to HTTPRoute: a golden case per field of route/v1, and every refusal."""

import pytest
import yaml
from convert_support import convert, expect_refusal, messages
from route_support import SERVICE, lookup, route, rule

from shared.domain.needs import ListenerRequest


@pytest.mark.parametrize("api", ["route.openshift.io/v1", "v1"])
def test_plain_route(api):
    result, conversion = convert("route", route().replace("route.openshift.io/v1", api), lookup())
    assert result == {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"parentRefs": [{"name": "aks-gateway", "sectionName": "http"}], "hostnames": ["www.acme.com"], "rules": [rule()]},
    }
    assert conversion.listeners == (ListenerRequest("shop", "www.acme.com", None, "route"),)
    assert conversion.losses == ()
    assert conversion.insert_after == ()


def test_status_and_openshift_annotations_go_and_others_stay():
    source = yaml.safe_load(route({"team": "a", "openshift.io/host.generated": "false", "haproxy.router.openshift.io/nonsense": "1"}))
    result, _ = convert("route", yaml.safe_dump(source | {"status": {"ingress": []}}), lookup())
    assert result["metadata"]["annotations"] == {"team": "a"}
    assert "status" not in result


@pytest.mark.parametrize(
    ("host", "wanted"), [("WWW.Acme.com", "www.acme.com"), ("www.acme.com.", "www.acme.com"), ("www.${DOMAIN}", "www.${DOMAIN}")]
)
def test_hosts(host, wanted):
    result, _ = convert("route", route(host=host), lookup())
    assert result["spec"]["hostnames"] == [wanted]


@pytest.mark.parametrize(
    "fields",
    [
        {"host": None},
        {"host": ""},
        {"host": None, "subdomain": "shop"},
        {"host": "web.apps.ocp.acme.com"},
        {"host": "web-shop.apps-crc.testing"},
        {"host": "web.10.0.0.1.nip.io"},
        {"host": "web.acme.openshiftapps.com"},
        {"annotations": {"openshift.io/host.generated": "true"}},
    ],
)
def test_hosts_of_the_old_cluster_are_asked_for(fields):
    source = route(**fields)
    error = expect_refusal("route", source, lookup())
    assert error.question is not None
    assert error.question.key == "hostnames.shop/web"
    result, _ = convert("route", source, lookup({"hostnames.shop/web": "shop.acme.com"}))
    assert result["spec"]["hostnames"] == ["shop.acme.com"]


@pytest.mark.parametrize("host", ["under_score.acme.com", "a b", "-a.com", "10.0.0.1"])
def test_hosts_that_a_gateway_refuses(host):
    assert "not a host name" in str(expect_refusal("route", route(host=host), lookup()))


@pytest.mark.parametrize(
    ("path", "wanted", "lost"), [("", "/", False), ("/", "/", False), ("/app", "/app", False), ("/app/", "/app/", True)]
)
def test_paths(path, wanted, lost):
    result, conversion = convert("route", route(path=path), lookup())
    assert result["spec"]["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": wanted}}]
    assert ("without the final slash" in messages(conversion)) == lost


@pytest.mark.parametrize("path", ["app", "/a//b", "/a/../b", "/a b", "/ü"])
def test_paths_that_an_httproute_refuses(path):
    assert expect_refusal("route", route(path=path), lookup()).path == "/spec/path"


def test_wildcard_policy():
    result, conversion = convert("route", route(wildcardPolicy="Subdomain"), lookup())
    assert result["spec"]["hostnames"] == ["*.acme.com"]
    assert "deeper subdomains" in messages(conversion)
    convert("route", route(wildcardPolicy="None"), lookup())
    expect_refusal("route", route(wildcardPolicy="Other"), lookup())


def test_weights_are_written_explicitly_with_the_default_of_100():
    alternates = [{"kind": "Service", "name": "web-v2", "weight": 20}]
    result, _ = convert("route", route(alternateBackends=alternates), lookup())
    assert result["spec"]["rules"][0]["backendRefs"] == [
        {"name": "web", "port": 80, "weight": 100},
        {"name": "web-v2", "port": 8000, "weight": 20},
    ]


def test_weight_zero_stays_zero_and_says_what_changes():
    result, conversion = convert("route", route(to={"kind": "Service", "name": "web", "weight": 0}), lookup())
    assert result["spec"]["rules"][0]["backendRefs"] == [{"name": "web", "port": 80, "weight": 0}]
    assert "500 instead of 503" in messages(conversion)
    result, _ = convert("route", route(to={"kind": "Service", "name": "web", "weight": 7}), lookup())
    assert result["spec"]["rules"][0]["backendRefs"] == [{"name": "web", "port": 80}]


@pytest.mark.parametrize("to", [{"kind": "Pod", "name": "web"}, {"kind": "Service", "name": ""}, {"kind": "Service"}, "web"])
def test_targets_that_are_no_service(to):
    error = expect_refusal("route", route(to=to), lookup())
    assert str(error).startswith("/spec/to")


def ports(service, workload="", decisions=None, **fields):
    objects = f"{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {service}}}\n---\n{workload}"
    source, found = route(**fields), lookup(decisions, objects)
    result, conversion = convert("route", source, found)
    return result["spec"]["rules"][0]["backendRefs"][0]["port"], conversion


@pytest.mark.parametrize(
    ("service", "target", "wanted"),
    [
        ("{ports: [{name: web, port: 80, targetPort: 8080}]}", {"targetPort": "web"}, 80),
        ("{ports: [{port: 80, targetPort: 8080}]}", {"targetPort": 8080}, 80),
        ("{ports: [{port: 80, targetPort: 8080}]}", {"targetPort": "8080"}, 80),
        ("{ports: [{port: 8080}]}", {"targetPort": 8080}, 8080),
        ("{ports: [{name: a, port: 81, targetPort: 9}, {name: b, port: 82, targetPort: 8080}]}", {"targetPort": 8080}, 82),
        ("{ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 82, targetPort: 8080}]}", None, 82),
        ("{ports: [{port: 80, targetPort: 8080}]}", None, 80),
        ("{ports: [{name: a, port: 81, targetPort: 8080}, {name: b, port: 82, targetPort: 8080}]}", {"targetPort": 8080}, 81),
        ("{ports: [{port: 80, targetPort: '8080'}]}", {"targetPort": 8080}, 80),
    ],
)
def test_target_port_is_the_service_ports_name_or_the_pod_port(service, target, wanted):
    assert ports(service, port=target)[0] == wanted


def test_a_named_pod_port_is_resolved_through_the_workload():
    workload = """{kind: Deployment, metadata: {name: web, namespace: shop}, spec: {template: {metadata: {labels: {app: web}},
      spec: {containers: [{ports: [{name: main, containerPort: 8080}]}]}}}}"""
    service = "{selector: {app: web}, ports: [{name: http, port: 80, targetPort: main}]}"
    assert ports(service, workload, port={"targetPort": 8080})[0] == 80


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("{ports: [{name: http, port: 80, targetPort: 8080}]}", {"targetPort": 80}),
        ("{ports: [{port: 80, targetPort: web}]}", {"targetPort": "web"}),
        ("{ports: [{name: a, port: 80}, {name: b, port: 81}]}", None),
        ("{ports: []}", None),
    ],
)
def test_ports_that_are_not_certain_are_asked_for(service, target):
    objects = f"{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {service}}}"
    error = expect_refusal("route", route(port=target), lookup(objects=objects))
    assert error.question is not None
    assert error.question.key == "ports.shop/web"
    assert ports(service, decisions={"ports.shop/web": 8443}, port=target)[0] == 8443


def test_services_that_are_not_there_or_have_no_pods():
    assert "not among the manifests" in str(expect_refusal("route", route(), lookup(objects="")))
    external = "{kind: Service, metadata: {name: web}, spec: {type: ExternalName, externalName: a.com}}"
    assert "ExternalName" in str(expect_refusal("route", route(), lookup(objects=external)))
    assert "headless" in messages(ports("{clusterIP: None, ports: [{port: 8080}]}")[1])


@pytest.mark.parametrize("kind", ["HTTPRoute", "Ingress"])
def test_a_name_that_is_taken_is_refused(kind):
    assert "already there" in str(
        expect_refusal("route", route(), lookup(objects=f"{{kind: {kind}, metadata: {{name: web, namespace: shop}}}}"))
    )


def test_a_redirect_whose_name_is_taken_is_refused():
    objects = SERVICE + "---\n{kind: HTTPRoute, metadata: {name: web-redirect, namespace: shop}}"
    source = route(tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"})
    assert "HTTPRoute shop/web-redirect is already there" in str(expect_refusal("route", source, lookup(objects=objects)))


@pytest.mark.parametrize(
    "fields", [{"brandNew": 1}, {"path": 3}, {"to": {"kind": "Service", "name": "web", "weight": "${W}"}}, {"host": ["a"]}]
)
def test_unknown_or_mistyped_fields_are_refused_by_place(fields):
    assert "/spec" in str(expect_refusal("route", route(**fields), lookup()))
