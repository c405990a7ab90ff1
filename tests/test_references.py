"""What each kind of object names of others: read from whole objects, held against what is there."""

from __future__ import annotations

import pytest

from shared.domain.consistency import as_they_came
from shared.domain.intake import plan_run
from shared.domain.run import RunOptions, SourceFile

GATEWAY_API = "gateway.networking.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
HOOKS = "admissionregistration.k8s.io/v1"


def missing(*texts: str) -> set[tuple[str, str, str | None]]:
    """(kind, name, the part that is missing) of every reference that nothing answers."""
    files = [SourceFile(f"{i}.yaml", text.encode()) for i, text in enumerate(texts)]
    found = as_they_came(plan_run(files, RunOptions("app", "generic")).index).dangling
    return {(d.reference.kind, d.reference.name, str(d.reference.part) if d.only_part else None) for d in found}


def obj(api: str, kind: str, body: str, name: str = "b") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\n{body}\n"


@pytest.mark.parametrize(
    ("api", "kind", "body", "expected"),
    [
        ("autoscaling/v2", "HorizontalPodAutoscaler", "spec: {scaleTargetRef: {kind: Deployment, name: x}}", {("Deployment", "x")}),
        ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "spec: {targetRef: {kind: StatefulSet, name: x}}", {("StatefulSet", "x")}),
        ("keda.sh/v1alpha1", "ScaledObject", "spec: {scaleTargetRef: {name: x}}", {("Deployment", "x")}),
        ("policy/v1", "PodDisruptionBudget", "spec: {selector: {matchLabels: {app: x}}}", {("pods", "app=x")}),
        ("policy/v1", "PodDisruptionBudget", "spec: {selector: {matchLabels: {a: x}, matchExpressions: [{key: b}]}}", set()),
        ("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {matchLabels: {app: x}}}", {("pods", "app=x")}),
        ("networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {a: b}}}]}]}",
         {("pods", "a=b")}),
        ("monitoring.coreos.com/v1", "ServiceMonitor", "spec: {selector: {matchLabels: {app: x}}}", {("services", "app=x")}),
        (RBAC, "RoleBinding", "roleRef: {kind: Role, name: x}\nsubjects: [{kind: ServiceAccount, name: a, namespace: shop}]",
         {("Role", "x"), ("ServiceAccount", "a")}),
        (RBAC, "ClusterRoleBinding", "roleRef: {kind: ClusterRole, name: x}\nsubjects: [{kind: User, name: u}]", {("ClusterRole", "x")}),
        ("apps/v1", "StatefulSet", "spec: {serviceName: x}", {("Service", "x")}),
        ("v1", "PersistentVolumeClaim", "spec: {volumeName: v, storageClassName: c, dataSource: {kind: VolumeSnapshot, name: s}}",
         {("PersistentVolume", "v"), ("StorageClass", "c"), ("VolumeSnapshot", "s")}),
        ("route.openshift.io/v1", "Route", "spec: {to: {kind: Service, name: x}}", {("Service", "x")}),
        ("traefik.io/v1alpha1", "IngressRoute", "spec: {routes: [{services: [{name: x}], middlewares: [{name: m}]}]}",
         {("Service", "x"), ("Middleware", "m")}),
        ("traefik.io/v1alpha1", "IngressRouteTCP", "spec: {routes: [{services: [{name: x, port: 5432}]}]}", {("Service", "x")}),
        ("networking.k8s.io/v1", "Ingress", "spec: {tls: [{secretName: t}], defaultBackend: {service: {name: x}}}",
         {("Secret", "t"), ("Service", "x")}),
        (GATEWAY_API, "HTTPRoute", "spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: x, port: 80}]}]}",
         {("Gateway", "g"), ("Service", "x")}),
        (GATEWAY_API, "GRPCRoute", "spec: {rules: [{filters: [{requestMirror: {backendRef: {name: x}}}]}]}", {("Service", "x")}),
        (GATEWAY_API, "TLSRoute", "spec: {parentRefs: [{kind: Service, group: '', name: mesh}], rules: [{backendRefs: [{name: x}]}]}",
         {("Service", "x")}),
        (GATEWAY_API, "Gateway", "spec: {listeners: [{name: l, tls: {certificateRefs: [{name: t}]}}]}", {("Secret", "t")}),
        (GATEWAY_API, "BackendTLSPolicy",
         "spec: {targetRefs: [{kind: Service, name: x}], validation: {caCertificateRefs: [{kind: ConfigMap, name: ca}]}}",
         {("Service", "x"), ("ConfigMap", "ca")}),
        (HOOKS, "ValidatingWebhookConfiguration", "webhooks: [{clientConfig: {service: {name: x, namespace: shop}}}]", {("Service", "x")}),
        (HOOKS, "MutatingWebhookConfiguration", "webhooks: [{clientConfig: {url: 'https://a'}}]", set()),
        ("apiregistration.k8s.io/v1", "APIService", "spec: {service: {name: x, namespace: shop}}", {("Service", "x")}),
        ("apps.openshift.io/v1", "DeploymentConfig",
         "spec: {triggers: [{imageChangeParams: {from: {kind: ImageStreamTag, name: 'x:latest'}}}]}", {("ImageStream", "x")}),
        ("build.openshift.io/v1", "BuildConfig", "spec: {output: {to: {kind: ImageStreamTag, name: 'x:1'}}}", {("ImageStream", "x")}),
        ("v1", "Pod", "spec: {priorityClassName: p, runtimeClassName: r, serviceAccountName: default, containers: []}",
         {("PriorityClass", "p"), ("RuntimeClass", "r")}),
    ],
)  # fmt: skip
def test_references_of_each_kind(api: str, kind: str, body: str, expected: set[tuple[str, str]]) -> None:
    assert {m[:2] for m in missing(obj(api, kind, body))} == expected


CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: p, image: 'a:1', env: [%s]}]\n  volumes: [%s]\n"


@pytest.mark.parametrize(
    ("env", "volume", "expected"),
    [
        ("{name: E, valueFrom: {configMapKeyRef: {name: c, key: a}}}", "", set()),
        ("{name: E, valueFrom: {configMapKeyRef: {name: c, key: b}}}", "", {("ConfigMap", "c", "b")}),
        ("{name: E, valueFrom: {configMapKeyRef: {name: c, key: b, optional: true}}}", "", set()),
        ("{name: E, valueFrom: {configMapKeyRef: {name: c, key: '${KEY}'}}}", "", set()),
        ("", "{name: v, configMap: {name: c, items: [{key: a, path: x}, {key: z, path: y}]}}", {("ConfigMap", "c", "z")}),
        ("", "{name: v, projected: {sources: [{configMap: {name: c, items: [{key: b, path: x}]}}]}}", {("ConfigMap", "c", "b")}),
        ("", "{name: v, configMap: {name: c}}", set()),
    ],
)
def test_keys_of_config_maps(env: str, volume: str, expected: set[tuple[str, str, str | None]]) -> None:
    assert missing(CONFIG, POD % (env, volume)) == expected


INJECTED = "name: c, labels: {config.openshift.io/inject-trusted-cabundle: 'true'}}"


@pytest.mark.parametrize("config", [CONFIG.replace("data: {a: '1'}", "data: {}"), CONFIG.replace("name: c}", INJECTED)])
def test_keys_that_something_else_fills_in_are_not_known(config: str) -> None:
    assert missing(config, POD % ("{name: E, valueFrom: {configMapKeyRef: {name: c, key: b}}}", "")) == set()


def test_a_listener_and_a_port_by_name_or_number() -> None:
    gateway = obj(GATEWAY_API, "Gateway", "spec: {listeners: [{name: http}]}", "g")
    service = obj("v1", "Service", "spec: {ports: [{name: web, port: 80}]}", "x")
    route = "spec: {parentRefs: [{name: g, sectionName: %s}], rules: [{backendRefs: [{name: x, port: %s}]}]}"
    assert missing(gateway, service, obj(GATEWAY_API, "HTTPRoute", route % ("http", 80))) == set()
    assert missing(gateway, service, obj(GATEWAY_API, "HTTPRoute", route % ("https", 81))) == {
        ("Gateway", "g", "https"), ("Service", "x", "81"),
    }  # fmt: skip
    backend = "spec: {defaultBackend: {service: {name: x, port: {name: web}}}}"
    assert missing(service, obj("networking.k8s.io/v1", "Ingress", backend)) == set()


def test_a_namespace_that_is_left_out_meets_any_and_two_that_differ_do_not_meet() -> None:
    binding = "roleRef: {kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: a, namespace: %s}]"
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a%s}\n"
    role = obj(RBAC, "Role", "rules: []", "r")
    assert missing(role, account % "", obj(RBAC, "RoleBinding", binding % "shop")) == set()
    assert missing(role, account % ", namespace: shop", obj(RBAC, "RoleBinding", binding % "shop")) == set()
    assert missing(role, account % ", namespace: till", obj(RBAC, "RoleBinding", binding % "shop")) == {("ServiceAccount", "a", None)}
