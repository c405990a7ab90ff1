"""OpenShift Route to HTTPRoute and to Ingress: a golden case per field of route/v1 and per router annotation, and every refusal."""

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, convert, expect_refusal, messages

from shared.domain.model import ListenerRequest

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web-v2, namespace: shop}
spec:
  ports: [{name: http, port: 8000, targetPort: 8080}]
"""
COOKIE = {"haproxy.router.openshift.io/disable_cookies": "true"}


def route(annotations=None, **fields):
    spec = {"host": "www.acme.com", "to": {"kind": "Service", "name": "web"}, "port": {"targetPort": 8080}} | fields
    spec = {k: v for k, v in spec.items() if v is not None}
    meta = {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "annotations": {**COOKIE, **(annotations or {})}}
    return yaml.safe_dump({"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": meta, "spec": spec})


def lookup(decisions=None, objects=SERVICE, target=None):
    return FakeLookup(objects, {"tls.[www.acme.com]": "web-tls"} | (decisions or {}), target)


def rule(**fields):
    return {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]} | fields | {"backendRefs": [{"name": "web", "port": 80}]}


# --- the plain Route ---------------------------------------------------------------------------------------------


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


# --- backends and ports ------------------------------------------------------------------------------------------


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
    expect_refusal("route", route(to=to), lookup())


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


# --- TLS ---------------------------------------------------------------------------------------------------------


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
    assert "choose the Gateway API" in str(expect_refusal("route", route(tls=REENCRYPT), lookup(answers, target=INGRESS_TARGET)))


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
    expect_refusal("route", route(tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Maybe"}), lookup())


def test_tls_without_a_termination_was_plain_http():
    result, conversion = convert("route", route(tls={}), lookup())
    assert result["spec"]["parentRefs"][0]["sectionName"] == "http"
    result, conversion = convert("route", route(tls={"termination": ""}), lookup())
    assert "names no termination" in messages(conversion)


# --- annotations and headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "wanted"), [("60s", "60s"), ("5000", "5s"), ("1500ms", "1500ms"), ("2m", "2m"), ("1d", "24h")])
def test_timeout(text, wanted):
    result, conversion = convert("route", route({"haproxy.router.openshift.io/timeout": text}), lookup())
    assert result["spec"]["rules"] == [rule(timeouts={"request": wanted})]
    assert "limit of the whole request" in messages(conversion)


def test_a_timeout_that_the_router_ignored():
    result, conversion = convert("route", route({"haproxy.router.openshift.io/timeout": "soon"}), lookup())
    assert result["spec"]["rules"] == [rule()]
    assert "it was ignored" in messages(conversion)
    expect_refusal("route", route({"haproxy.router.openshift.io/timeout": "${T}"}), lookup())


@pytest.mark.parametrize(("path", "target"), [("/app", "/"), ("/app", "/v2"), ("/app/", "/v2/")])
def test_rewrite(path, target):
    result, _ = convert("route", route({"haproxy.router.openshift.io/rewrite-target": target}, path=path), lookup())
    assert result["spec"]["rules"][0]["filters"] == [
        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": target}}}
    ]


@pytest.mark.parametrize(("path", "target"), [("/", "/v2"), ("/app/", "/v2"), ("/app", "/v2/"), ("/app", "v2")])
def test_rewrites_that_would_give_other_paths(path, target):
    expect_refusal("route", route({"haproxy.router.openshift.io/rewrite-target": target}, path=path), lookup())


def test_hsts_is_sent_over_tls_only():
    annotation = {"haproxy.router.openshift.io/hsts_header": "max-age=31536000;includeSubDomains"}
    result, _ = convert("route", route(annotation, tls={"termination": "edge"}), lookup())
    assert result["spec"]["rules"][0]["filters"] == [
        {
            "type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"set": [{"name": "Strict-Transport-Security", "value": "max-age=31536000;includeSubDomains"}]},
        }
    ]
    plain, _ = convert("route", route(annotation), lookup())
    assert "filters" not in plain["spec"]["rules"][0]


def header(name, value=None):
    return {"name": name, "action": {"type": "Delete"} if value is None else {"type": "Set", "set": {"value": value}}}


def test_http_headers():
    actions = {"request": [header("X-Env", "100%% prod"), header("X-Debug")], "response": [header("Server")]}
    result, _ = convert("route", route(httpHeaders={"actions": actions}), lookup())
    assert result["spec"]["rules"][0]["filters"] == [
        {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {"set": [{"name": "X-Env", "value": "100% prod"}], "remove": ["X-Debug"]},
        },
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["Server"]}},
    ]


@pytest.mark.parametrize(
    "headers", [[header("X", "%[req.hdr(Y)]")], [header("X", "a"), header("X", "b")], [header("a b", "c")], [header("X", "")]]
)
def test_headers_that_a_filter_cannot_say(headers):
    expect_refusal("route", route(httpHeaders={"actions": {"request": headers}}), lookup())


@pytest.mark.parametrize("name", ["ip_allowlist", "ip_whitelist", "rate-limit-connections"])
def test_guards_are_never_dropped(name):
    expect_refusal("route", route({f"haproxy.router.openshift.io/{name}": "true" if "rate" in name else "10.0.0.0/8"}), lookup())


@pytest.mark.parametrize(
    "name",
    [
        "haproxy.router.openshift.io/timeout-tunnel", "haproxy.router.openshift.io/balance", "router.openshift.io/cookie_name",
        "haproxy.router.openshift.io/set-forwarded-headers", "haproxy.router.openshift.io/pod-concurrent-connections",
        "haproxy.router.openshift.io/h1-adjust-case", "router.openshift.io/haproxy.health.check.interval",
        "router.openshift.io/cookie-same-site", "kubernetes.io/tls-acme",
    ],
)  # fmt: skip
def test_lost_annotations_are_said(name):
    result, conversion = convert("route", route({name: "5"}), lookup())
    assert [x.path for x in conversion.losses] == [f"/metadata/annotations/{name.replace('/', '~1')}"]
    assert "annotations" not in result["metadata"]


def test_default_stickiness_is_a_loss_unless_switched_off():
    source = yaml.safe_load(route())
    del source["metadata"]["annotations"]
    _, conversion = convert("route", yaml.safe_dump(source), lookup())
    assert "cookie (its default)" in messages(conversion)


# --- names and forms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["HTTPRoute", "Ingress"])
def test_a_name_that_is_taken_is_refused(kind):
    assert "already there" in str(
        expect_refusal("route", route(), lookup(objects=f"{{kind: {kind}, metadata: {{name: web, namespace: shop}}}}"))
    )


def test_a_redirect_whose_name_is_taken_is_refused():
    objects = SERVICE + "---\n{kind: HTTPRoute, metadata: {name: web-redirect, namespace: shop}}"
    expect_refusal("route", route(tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}), lookup(objects=objects))


@pytest.mark.parametrize(
    "fields", [{"brandNew": 1}, {"path": 3}, {"to": {"kind": "Service", "name": "web", "weight": "${W}"}}, {"host": ["a"]}]
)
def test_unknown_or_mistyped_fields_are_refused_by_place(fields):
    assert "/spec" in str(expect_refusal("route", route(**fields), lookup()))


# --- Ingress as the target ---------------------------------------------------------------------------------------


def test_ingress_target():
    result, conversion = convert("route", route({"team": "a"}, tls={"termination": "edge"}), lookup(target=INGRESS_TARGET))
    assert result == yaml.safe_load("""
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata:
        name: web
        namespace: shop
        labels: {app: web}
        annotations: {team: a, nginx.ingress.kubernetes.io/ssl-redirect: "true"}
      spec:
        ingressClassName: webapprouting.kubernetes.azure.com
        tls: [{hosts: [www.acme.com], secretName: web-tls}]
        rules:
        - host: www.acme.com
          http:
            paths:
            - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
    """)
    assert conversion.listeners == ()
    assert "redirects it with 308" in messages(conversion)


def test_ingress_target_settings():
    annotations = {"haproxy.router.openshift.io/timeout": "90s", "haproxy.router.openshift.io/ip_allowlist": "10.0.0.0/8 192.168.1.1"}
    tls = {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}
    result, conversion = convert("route", route(annotations, tls=tls), lookup(target=INGRESS_TARGET))
    assert result["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/proxy-read-timeout": "90",
        "nginx.ingress.kubernetes.io/proxy-send-timeout": "90",
        "nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8,192.168.1.1",
        "nginx.ingress.kubernetes.io/ssl-redirect": "false",
    }
    assert "externalTrafficPolicy: Local" in messages(conversion)


def test_ingress_target_canary():
    alternates = [{"kind": "Service", "name": "web-v2", "weight": 50}]
    _, conversion = convert("route", route(alternateBackends=alternates), lookup(target=INGRESS_TARGET))
    (canary,) = conversion.insert_after
    assert canary["metadata"]["name"] == "web-canary"
    assert canary["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": "50",
        "nginx.ingress.kubernetes.io/canary-weight-total": "150",
    }
    assert canary["spec"]["rules"][0]["http"]["paths"][0]["backend"] == {"service": {"name": "web-v2", "port": {"number": 8000}}}


@pytest.mark.parametrize(
    "fields",
    [
        {"to": {"kind": "Service", "name": "web", "weight": 0}},
        {"alternateBackends": [{"kind": "Service", "name": "web-v2"}, {"kind": "Service", "name": "web-v2"}]},
        {"httpHeaders": {"actions": {}}},
        {"annotations": {"haproxy.router.openshift.io/rewrite-target": "/"}, "path": "/a"},
    ],
)
def test_what_an_ingress_cannot_say(fields):
    expect_refusal("route", route(**fields), lookup(target=INGRESS_TARGET))


def test_an_ingress_class_that_is_no_nginx_is_refused():
    target = {"ingress": {"kind": "ingress", "class": "azure-alb-external"}}
    assert "azure-alb-external" in str(expect_refusal("route", route(), lookup(target=target)))
