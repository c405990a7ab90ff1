"""The router's annotations and the Route's HTTP headers: a golden case each, or what is lost."""

import pytest
import yaml
from convert_support import convert, expect_refusal, messages
from route_support import lookup, route, rule


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
    error = expect_refusal("route", route({"haproxy.router.openshift.io/rewrite-target": target}, path=path), lookup())
    assert error.path == "/metadata/annotations/haproxy.router.openshift.io~1rewrite-target"


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
    ("headers", "why"),
    [
        ([header("X", "%[req.hdr(Y)]")], "computed by HAProxy"),
        ([header("X", "a"), header("X", "b")], "changed twice"),
        ([header("a b", "c")], "do not fit a header filter"),
        ([header("X", "")], "to nothing"),
    ],
)
def test_headers_that_a_filter_cannot_say(headers, why):
    assert why in str(expect_refusal("route", route(httpHeaders={"actions": {"request": headers}}), lookup()))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("ip_allowlist", "10.0.0.0/8", "anyone could come in"),
        ("ip_whitelist", "10.0.0.0/8", "anyone could come in"),
        ("rate-limit-connections", "true", "limits the rate"),
    ],
)
def test_guards_are_never_dropped(name, value, why):
    error = expect_refusal("route", route({f"haproxy.router.openshift.io/{name}": value}), lookup())
    assert (error.path, why in str(error)) == (f"/metadata/annotations/haproxy.router.openshift.io~1{name}", True)


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


def test_a_class_that_reads_no_times_is_told_none():
    target = {"kubernetesVersion": "1.35", "ingress": {"kind": "gateway-api", "class": "azure-alb-external"}}
    result, conversion = convert("route", route({"haproxy.router.openshift.io/timeout": "2m"}), lookup(target=target))
    assert result["spec"]["rules"] == [rule()]
    assert "RoutePolicy" in messages(conversion)
