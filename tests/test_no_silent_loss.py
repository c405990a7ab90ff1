"""No field of a source object is lost in silence: the forms are closed, and every field of every form makes a difference.

Each field is taken from the closed pydantic form, set and left out in an object that has everything else. Where both give the same
result, the same findings and the same questions, the field must stand in MEANINGLESS with the reason why nothing is lost.
A new field of a form is therefore a failing test until somebody says what becomes of it.
"""

import copy
import itertools
import json
import types
import typing

import pytest
import yaml
from convert_support import INGRESS_TARGET, FakeLookup, apply
from pydantic import BaseModel

from shared.domain.convert import CONVERSIONS, CannotConvert
from shared.domain.convert.deployment_config import Spec
from shared.domain.convert.ingress_form import IngressSpec
from shared.domain.convert.ingress_route_form import IngressRouteSpec
from shared.domain.convert.route_form import RouteSpec

OBJECTS = """
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop},
  spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: x, port: 81, targetPort: 8081}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: other, namespace: shop},
  spec: {selector: {app: o}, ports: [{name: http, port: 82, targetPort: 8080}, {name: x, port: 83, targetPort: 8081}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: far},
  spec: {selector: {app: o}, ports: [{name: http, port: 82, targetPort: 8080}]}}
---
{apiVersion: traefik.io/v1alpha1, kind: Middleware, metadata: {name: m, namespace: shop}, spec: {headers: {frameDeny: true}}}
---
{apiVersion: traefik.io/v1alpha1, kind: Middleware, metadata: {name: m, namespace: far}, spec: {headers: {contentTypeNosniff: true}}}
"""
BASES = {
    "route": """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: web, namespace: shop}
spec:
  host: www.acme.com
  path: /a
  to: {kind: Service, name: web, weight: 3}
  alternateBackends: [{kind: Service, name: other, weight: 4}]
  port: {targetPort: 8080}
  tls: {termination: edge, insecureEdgeTerminationPolicy: Allow, externalCertificate: {name: cert}}
  wildcardPolicy: None
  httpHeaders:
    actions:
      request: [{name: X-A, action: {type: Set, set: {value: v}}}]
      response: [{name: X-B, action: {type: Set, set: {value: v}}}]
""",
    "ingress": """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: nginx
  defaultBackend: {service: {name: other, port: {number: 82}}}
  tls: [{hosts: [www.acme.com], secretName: cert}]
  rules: [{host: www.acme.com, http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
""",
    "ingress-route": """
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web, namespace: shop}
spec:
  entryPoints: [websecure]
  routes:
  - match: Host(`www.acme.com`)
    kind: Rule
    services: [{name: web, port: 80, weight: 2}, {name: other, port: 82, weight: 3}]
    middlewares: [{name: m}]
  tls: {secretName: cert}
""",
    "deployment-config": """
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {app: web}
  template: {metadata: {labels: {app: web, tier: a}}, spec: {containers: [{name: web, image: "quay.io/a/b:1"}]}}
  strategy: {type: Rolling, rollingParams: {maxSurge: 2}}
""",
}
FORMS = {"route": RouteSpec, "ingress": IngressSpec, "ingress-route": IngressRouteSpec, "deployment-config": Spec}
SAMPLES = {
    "route": {"/port/targetPort": 8081, "/to/kind": "Pod", "/to/name": "other", "/to/weight": 9, "/alternateBackends/0/kind": "Pod",
              "/alternateBackends/0/name": "web", "/alternateBackends/0/weight": 9, "/path": "/b", "/wildcardPolicy": "Subdomain",
              "/tls/termination": "reencrypt", "/tls/insecureEdgeTerminationPolicy": "Redirect",
              "/httpHeaders/actions/request/0/action/type": "Delete", "/httpHeaders/actions/response/0/action/type": "Delete"},
    "ingress": {"/rules/0/http/paths/0/path": "/b", "/rules/0/http/paths/0/pathType": "Exact", "/defaultBackend/service/name": "web",
                "/rules/0/http/paths/0/backend/service/name": "other", "/rules/0/http/paths/0/backend/service/port/name": "x",
                "/defaultBackend/service/port/name": "x", "/ingressClassName": "traefik"},
    "ingress-route": {"/entryPoints": ["web"], "/routes/0/match": "Host(`a.b`)",
                      "/routes/0/kind": "Other", "/routes/0/services/0/name": "other",
                      "/routes/0/services/0/kind": "TraefikService", "/routes/0/services/0/namespace": "far",
                      "/routes/0/services/0/port": 81,
                      "/routes/0/services/0/scheme": "https", "/routes/0/services/0/passHostHeader": False,
                      "/routes/0/middlewares/0/namespace": "far",
                      "/tls/domains": [{"main": "a.b"}], "/routes/0/middlewares/0/name": "absent"},
    "deployment-config": {"/strategy/type": "Recreate", "/strategy/rollingParams/timeoutSeconds": 99, "/minReadySeconds": 5,
                          "/template/metadata/labels": {"app": "web", "tier": "b"}, "/selector": {"app": "web"},
                          "/triggers": [{"type": "Generic"}],
                          "/template/spec": {"containers": [{"name": "web", "image": "quay.io/a/b:2"}]}},
}  # fmt: skip
MEANINGLESS = {
    "route": {
        "/subdomain": "counts only where host is empty",
    },
    "ingress": {},
    "ingress-route": {
        "/routes/0/priority": "one route has none to compete with (traefik_priority compares several)",
        "/routes/0/syntax": "which grammar the rule is in shows in the rule",
        "/routes/0/observability": "metrics and traces of Traefik itself",
        "/routes/0/services/0/nativeLB": "pods are balanced by the Gateway, whatever Traefik did",
        "/routes/0/services/0/nodePortLB": "pods are balanced by the Gateway, whatever Traefik did",
        "/tls/certResolver": "the Secret that is named beside it holds the certificate",
        "/tls/domains": "which names a resolver asked a certificate for",
        "/ingressClassName": "which Traefik served it",
    },
    "deployment-config": {
        "/strategy/recreateParams/timeoutSeconds": "OpenShift ignored the parameters of the other strategy",
        "/strategy/recreateParams/pre": "OpenShift ignored the parameters of the other strategy",
        "/strategy/recreateParams/mid": "OpenShift ignored the parameters of the other strategy",
        "/strategy/recreateParams/post": "OpenShift ignored the parameters of the other strategy",
    },
}


def leaves(form, pointer=""):
    """(pointer, type) of every field of a form, down to what is no form; item 0 of a list stands for all."""
    for name, field in form.model_fields.items():
        place = f"{pointer}/{field.alias or name}"
        inner = [a for a in unfolded(field.annotation) if a is not type(None)]
        nested = next((a for a in inner if isinstance(a, type) and issubclass(a, BaseModel)), None)
        item = next((typing.get_args(a)[0] for a in inner if typing.get_origin(a) is list), None)
        if nested:
            yield from leaves(nested, place)
        elif isinstance(item, type) and issubclass(item, BaseModel):
            yield from leaves(item, f"{place}/0")
        else:
            yield place, inner[0]


def unfolded(annotation):
    return typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)


def sample(kind):
    origin = typing.get_origin(kind) or kind
    return {str: "marker", int: 7, bool: True, dict: {"a": "b"}, list: ["marker"]}.get(origin, "marker")


def put(obj, pointer, value):
    """The object with a field of its spec set (`...`: left out); what is missing above it is made."""
    obj = copy.deepcopy(obj)
    place, steps = obj["spec"], pointer[1:].split("/")
    for step, following in itertools.pairwise(steps):
        if isinstance(place, list):
            while len(place) <= int(step):
                place.append({})
            place = place[int(step)]
        else:
            place = place.setdefault(step, [] if following == "0" else {})
    if value is ...:
        place.pop(steps[-1], None)
    else:
        place[steps[-1]] = value
    return obj


def outcome(name, obj, target):
    lookup = FakeLookup(OBJECTS, target=target)
    try:
        done = CONVERSIONS[name](obj, lookup)
    except CannotConvert as refused:
        return "refused", str(refused), refused.path
    said = [(x.path, x.message) for x in done.losses]
    asked = [q.key for q in done.questions]
    return json.dumps([apply(obj, done), done.insert_after, said, asked, [x.to_json() for x in done.listeners]], sort_keys=True)


FIELDS = [(name, pointer, kind) for name, form in FORMS.items() for pointer, kind in leaves(form)]


@pytest.mark.parametrize("target", [None, INGRESS_TARGET], ids=["gateway", "ingress"])
@pytest.mark.parametrize(("name", "pointer", "kind"), FIELDS, ids=[f"{n}{p}" for n, p, _ in FIELDS])
def test_every_field_makes_a_difference(name, pointer, kind, target):
    base = yaml.safe_load(BASES[name])
    if target is not None and not pointer.startswith("/httpHeaders"):
        base["spec"].pop("httpHeaders", None)  # an Ingress refuses every header, and nothing else would be looked at
    value = SAMPLES[name].get(pointer, sample(kind))
    differs = outcome(name, put(base, pointer, value), target) != outcome(name, put(base, pointer, ...), target)
    if target is None:
        assert differs is (pointer not in MEANINGLESS[name]), f"{pointer}: {'makes a difference' if differs else 'is lost in silence'}"
    elif name in ("route", "deployment-config"):
        assert differs or pointer in MEANINGLESS[name]


@pytest.mark.parametrize("name", FORMS)
def test_the_list_of_what_means_nothing_names_fields_that_exist(name):
    known = {p for n, p, _ in FIELDS if n == name}
    assert known >= MEANINGLESS[name].keys()
    assert known >= SAMPLES[name].keys()
    assert all(MEANINGLESS[name].values())


@pytest.mark.parametrize("name", FORMS)
def test_a_field_that_no_form_knows_is_refused(name):
    base = yaml.safe_load(BASES[name])
    assert outcome(name, base, None)[0] != "refused"
    assert "is not a field this program knows" in outcome(name, put(base, "/unheardOf", 1), None)[1]
