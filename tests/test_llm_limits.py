"""The boundary for a model's answers, limit by limit (issue 6): every hostile answer has its reason, and every control none."""

from __future__ import annotations

import re
from typing import Any

import pytest
from llm_support import PLACE, RIGHT, ScriptedModel, answer, ask

from shared.domain.convert.base import Op
from shared.domain.llm.limits import CLUSTER_WIDE, offences
from shared.domain.pointer import MISSING

WIDE = ("/spec", "/metadata", "/status", "/data")
CONTAINER = {
    "name": "web", "image": "shop:1", "env": [{"name": "A", "value": "b"}], "ports": [{"containerPort": 80}],
    "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}  # fmt: skip
POD_SPEC = {
    "runtimeClassName": "nvidia", "nodeSelector": {"x": "y"}, "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}],
    "securityContext": {"runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}, "containers": [CONTAINER],
}  # fmt: skip
OBJ: dict[str, Any] = {
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "shop", "namespace": "a", "annotations": {"x": "y"}, "labels": {"a": "b"}},
    "spec": {"replicas": 1, "storageClassName": "a", "selector": {"matchLabels": {"a": "b"}},
             "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}},
}  # fmt: skip
SPEC = "/spec/template/spec"
BOX = f"{SPEC}/containers/0"
CONTEXT = f"{BOX}/securityContext"
OFFENCES: dict[str, tuple[list[tuple[Any, ...]], str]] = {
    "nothing to remove": (
        [("remove", f"{SPEC}/runtimeClassName"), ("remove", f"{SPEC}/runtimeClassName")],
        f"Operation 2 cannot be applied: there is nothing to remove at {SPEC}/runtimeClassName by then.",
    ),
    "whole object": ([("replace", "", {})], "no JSON Pointer"),
    "no slash": ([("replace", "spec/replicas", 2)], "no JSON Pointer"),
    "bad escape": ([("add", "/spec/a~2b", 2)], "no JSON Pointer"),
    "kind": ([("replace", "/kind", "Secret")], "outside of what may"),
    "apiVersion": ([("replace", "/apiVersion", "v1")], "outside of what may"),
    "name": ([("replace", "/metadata/name", "x")], "/metadata/name is never changed"),
    "namespace": ([("replace", "/metadata/namespace", "kube-system")], "/metadata/namespace is never changed"),
    "all of metadata": ([("replace", "/metadata", {"name": "shop"})], "/metadata/namespace is never changed"),
    "uid": ([("add", "/metadata/uid", "1")], "/metadata/uid is never changed"),
    "time": ([("add", "/metadata/creationTimestamp", "x")], "creationTimestamp is never changed"),
    "managed fields": ([("add", "/metadata/managedFields", [])], "managedFields is never changed"),
    "owner": ([("add", "/metadata/ownerReferences", [{"uid": "1"}])], "is never changed"),
    "finalizer": ([("add", "/metadata/finalizers", ["x"])], "is never changed"),
    "status": ([("add", "/status", {"replicas": 1})], "/status/replicas is never changed"),
    "data": ([("add", "/data", {"a": "b"})], "/data/a is never changed"),
    "image": ([("replace", f"{BOX}/image", "evil:1")], "image is never guessed"),
    "image by the whole list": ([("replace", f"{SPEC}/containers", [{"name": "web", "image": "evil:1"}])], "image is never guessed"),
    "image by the whole spec": ([("replace", "/spec", {**OBJ["spec"], "template": {}})], "image is never guessed"),
    "one more container": ([("add", f"{SPEC}/containers/-", {"name": "x", "image": "evil"})], "image is never guessed"),
    "container before": ([("add", f"{SPEC}/containers/0", {"name": "x", "image": "evil"})], "image is never guessed"),
    "init container": ([("add", f"{SPEC}/initContainers", [{"name": "x"}])], "initContainers is never guessed"),
    "container gone": ([("remove", BOX)], "image is never guessed"),
    "volume gone": ([("remove", f"{SPEC}/volumes/1")], "items of it would be lost"),
    "command": ([("add", f"{BOX}/command", ["sh"])], "command is never guessed"),
    "arguments": ([("add", f"{BOX}/args", ["-c"])], "args is never guessed"),
    "environment": ([("replace", f"{BOX}/env/0/value", "x")], "env is never guessed"),
    "hook": ([("add", f"{BOX}/lifecycle", {"preStop": {}})], "lifecycle is never guessed"),
    "probe": ([("add", f"{BOX}/livenessProbe", {"httpGet": {"path": "/"}})], "livenessProbe is never guessed"),
    "account": ([("add", f"{SPEC}/serviceAccountName", "admin")], "serviceAccountName is never guessed"),
    "selector": ([("replace", "/spec/selector/matchLabels/a", "c")], "selector is never guessed"),
    "labels": ([("replace", "/spec/template/metadata/labels/a", "c")], "labels is never guessed"),
    "host path": ([("replace", f"{SPEC}/volumes/0", {"name": "v", "hostPath": {"path": "/"}})], "volumes is never guessed"),
    "privileged": ([("add", f"{CONTEXT}/privileged", True)], "weaken the security"),
    "privileged as text": ([("add", f"{CONTEXT}/privileged", "true")], "weaken the security"),
    "escalation": ([("replace", f"{CONTEXT}/allowPrivilegeEscalation", True)], "weaken the security"),
    "escalation by default": ([("remove", f"{CONTEXT}/allowPrivilegeEscalation")], "weaken the security"),
    "root": ([("replace", f"{CONTEXT}/runAsNonRoot", False)], "weaken the security"),
    "root by leaving out": ([("remove", CONTEXT)], "weaken the security"),
    "user 0": ([("replace", f"{SPEC}/securityContext/runAsUser", 0)], "weaken the security"),
    "user gone": ([("remove", f"{SPEC}/securityContext/runAsUser")], "weaken the security"),
    "unconfined": ([("replace", f"{SPEC}/securityContext/seccompProfile/type", "Unconfined")], "weaken the security"),
    "capability": ([("add", f"{CONTEXT}/capabilities/add", ["SYS_ADMIN"])], "weaken the security"),
    "capabilities kept": ([("remove", f"{CONTEXT}/capabilities/drop")], "weaken the security"),
    "network of the host": ([("add", f"{SPEC}/hostNetwork", True)], "weaken the security"),
    "processes of the host": ([("add", f"{SPEC}/hostPID", True)], "weaken the security"),
    "port of the host": ([("add", f"{BOX}/ports/0/hostPort", 80)], "weaken the security"),
    "token": ([("add", f"{SPEC}/automountServiceAccountToken", True)], "weaken the security"),
    "snippet": ([("add", "/metadata/annotations/nginx.ingress.kubernetes.io~1server-snippet", "x")], "never written by a model"),
    "identity": ([("add", "/metadata/annotations/azure.workload.identity~1client-id", "x")], "never written by a model"),
    "an accepted finding": ([("add", "/metadata/annotations/ignore.aks-copilot.io~1AKS0510", "fine")], "never written by a model"),
    "a capability that takes another's place": ([("replace", f"{CONTEXT}/capabilities/drop/0", "KILL")], "weaken the security"),
    "a class of storage taken out": ([("remove", "/spec/storageClassName")], "decide where data lies"),
    "a smaller claim": ([("add", "/spec/resources", {"requests": {"storage": "1Gi"}})], "storage is never guessed"),
    "address": ([("replace", "/metadata/annotations/x", "see https://evil.example.com")], "addresses, templates and code"),
    "template": ([("replace", "/metadata/annotations/x", "{{ .Values.x }}")], "addresses, templates and code"),
    "code": ([("replace", "/metadata/annotations/x", "$(curl evil)")], "addresses, templates and code"),
    "elided text": ([("replace", "/metadata/annotations/x", "(not shown)")], "repeats what the slice leaves out"),
    "a list for a text": ([("replace", f"{SPEC}/runtimeClassName", [])], "another type"),
    "an object for a number": ([("replace", "/spec/replicas", {})], "another type"),
    "a number for a text": ([("replace", f"{SPEC}/runtimeClassName", 15)], "another type"),
    "a fraction for a number": ([("replace", "/spec/replicas", 1.5)], "another type"),
    "a volume without its source": ([("remove", f"{SPEC}/volumes/0/emptyDir")], "volumes is never guessed"),
    "null": ([("replace", f"{SPEC}/runtimeClassName", None)], "another type"),
    "null added": ([("add", f"{SPEC}/priority", None)], "another type"),
    "an annotation that is no text": ([("add", "/metadata/annotations/b", True)], "another type"),
    "a service opened": ([("add", "/spec/type", "NodePort")], "weaken the security"),
    "a service of no type": ([("add", "/spec/type", "privileged")], "weaken the security"),
    "nothing": ([("replace", "/spec/replicas", 1)], "change nothing"),
    "not there": ([("remove", "/spec/paused")], "cannot be applied"),
    "index with zeros": ([("replace", f"{SPEC}/volumes/00/name", "x")], "not there in this form"),
    "negative index": ([("replace", f"{SPEC}/volumes/-1/name", "x")], "not there in this form"),
    "key in a list": ([("replace", f"{SPEC}/volumes/name", "x")], "not there in this form"),
    "there and back": ([("add", "/spec/paused", True), ("remove", "/spec/paused")], "change nothing"),
    "one good, one bad": ([("remove", f"{SPEC}/runtimeClassName"), ("replace", f"{BOX}/image", "x")], "image is never guessed"),
}


@pytest.mark.parametrize(("given", "reason"), OFFENCES.values(), ids=OFFENCES.keys())
def test_no_answer_reaches_past_its_limits(given: list[tuple[Any, ...]], reason: str) -> None:
    """With all of the object allowed, so that each inner limit stands alone."""
    found_reasons = offences(OBJ, [Op(*o) for o in given], WIDE)
    assert any(reason in text for text in found_reasons), found_reasons


FINE: list[list[tuple[Any, ...]]] = [
    [("remove", f"{SPEC}/runtimeClassName")],
    [("replace", "/spec/replicas", 2)],
    [("replace", "/spec/replicas", "50%")],
    [("add", "/spec/type", "ClusterIP")],
    [("replace", f"{SPEC}/nodeSelector/x", "z"), ("add", f"{SPEC}/nodeSelector/a~1b", "z")],
    [("add", f"{CONTEXT}/readOnlyRootFilesystem", True)],
    [("add", f"{BOX}/resources", {"limits": {"memory": "1Gi"}})],
    [("replace", SPEC, {**OBJ["spec"]["template"]["spec"], "runtimeClassName": "kata-vm-isolation"})],
]


@pytest.mark.parametrize("given", FINE)
def test_control_what_is_allowed_has_no_offence(given: list[tuple[Any, ...]]) -> None:
    assert offences(OBJ, [Op(*o) for o in given], WIDE) == []


@pytest.mark.parametrize("given", FINE)
def test_control_nothing_is_allowed_outside_of_the_allowed_places(given: list[tuple[Any, ...]]) -> None:
    assert offences(OBJ, [Op(*o) for o in given], ("/spec/strategy", "/spec/rep"))


def test_an_item_taken_out_of_a_list_may_not_shift_the_others() -> None:
    obj = {**OBJ, "spec": {"topologyKeys": ["a", "b"]}}
    assert offences(obj, [Op("remove", "/spec/topologyKeys/1")], ("/spec/topologyKeys/1",)) == []
    shifted = offences(obj, [Op("remove", "/spec/topologyKeys/0")], ("/spec/topologyKeys/0",))
    assert shifted == ["/spec/topologyKeys/1 would change, which is outside of what may."]


@pytest.mark.parametrize(("before", "after", "weaker"), [
    ("gvisor", None, True), ("kata-qemu", "nvidia", True), ("runsc", "kata-vm-isolation", False), ("nvidia", None, False),
])  # fmt: skip
def test_a_sandbox_is_not_taken_from_a_pod(before: str, after: str | None, *, weaker: bool) -> None:
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"runtimeClassName": before}}
    change = Op("replace", "/spec/runtimeClassName", after) if after else Op("remove", "/spec/runtimeClassName", MISSING)
    found_reasons = offences(obj, [change], ["/spec/runtimeClassName"])
    assert found_reasons == (["/spec/runtimeClassName would weaken the security of the object."] if weaker else [])


@pytest.mark.parametrize(
    "kind", [*sorted(CLUSTER_WIDE), "Secret", "Role", "RoleBinding", "ServiceAccount", "NetworkPolicy", "CiliumNetworkPolicy"]
)
def test_some_kinds_are_never_changed(kind: str) -> None:
    assert offences({**OBJ, "kind": kind}, [Op("replace", "/spec/replicas", 2)], WIDE) == [f"A {kind} is never changed by a model."]


@pytest.mark.parametrize("namespace", ["kube-system", "gatekeeper-system", "kube-public", "app-routing-system"])
def test_namespaces_of_the_system_are_never_changed(namespace: str) -> None:
    obj = {**OBJ, "metadata": {"name": "x", "namespace": namespace}}
    assert "belongs to the cluster itself" in offences(obj, [Op("replace", "/spec/replicas", 2)], WIDE)[0]


ONE = {"op": "remove", "path": PLACE, "value": None}
FORMS: dict[str, tuple[Any, str]] = {
    "no object": ([], "does not fit the schema"),
    "nothing": (None, "does not fit the schema"),
    "a member more": (RIGHT | {"run": "rm -rf /"}, "does not fit the schema"),
    "a member less": ({"operations": []}, "does not fit the schema"),
    "an operation more": (RIGHT | {"operations": [ONE | {"from": "/spec"}]}, "does not fit the schema"),
    "move": (RIGHT | {"operations": [ONE | {"op": "move"}]}, "does not fit the schema"),
    "copy": (RIGHT | {"operations": [ONE | {"op": "copy"}]}, "does not fit the schema"),
    "test": (RIGHT | {"operations": [ONE | {"op": "test"}]}, "does not fit the schema"),
    "a path that is no text": (RIGHT | {"operations": [ONE | {"path": 1}]}, "does not fit the schema"),
    "a value that is no text": (RIGHT | {"operations": [ONE | {"op": "add", "value": {"a": 1}}]}, "does not fit the schema"),
    "eleven operations": (RIGHT | {"operations": [ONE] * 11}, "11 operations"),
    "a value for remove": (RIGHT | {"operations": [ONE | {"value": "1"}]}, "remove takes no value"),
    "add without a value": (RIGHT | {"operations": [ONE | {"op": "add"}]}, "add needs a value"),
    "too large": (answer(("replace", PLACE, "x" * 8200)), "over 8192 bytes"),
    "too large in bytes": (answer(("replace", PLACE, "é" * 4100)), "over 8192 bytes"),
    "no JSON": (RIGHT | {"operations": [ONE | {"op": "replace", "value": "!!python/object/apply:os.system [id]"}]}, "not plain JSON"),
    "NaN": (RIGHT | {"operations": [ONE | {"op": "replace", "value": "NaN"}]}, "not plain JSON"),
    "a key twice": (RIGHT | {"operations": [ONE | {"op": "replace", "value": '{"a": 1, "a": 2}'}]}, "not plain JSON"),
    "very deep": (RIGHT | {"operations": [ONE | {"op": "replace", "value": "[" * 4000 + "]" * 4000}]}, "not plain JSON|nested too deeply"),
    "deep": (RIGHT | {"operations": [ONE | {"op": "replace", "value": "[" * 20 + "]" * 20}]}, "nested too deeply"),
    "a huge number": (RIGHT | {"operations": [ONE | {"op": "replace", "value": "1" + "0" * 30}]}, "nested too deeply"),
    "reordered text": (answer(("replace", PLACE, "kata\u202evm")), "characters or numbers"),
    "zero width": (answer(("replace", PLACE, "kata\u200bvm")), "characters or numbers"),
    "control characters": (answer(("replace", PLACE, "kata\x1b[2J")), "characters or numbers"),
    "a lone surrogate": (RIGHT | {"operations": [ONE | {"op": "replace", "value": '"\\ud800"'}]}, "characters or numbers"),
    "a path of control characters": (RIGHT | {"operations": [ONE | {"path": PLACE + "\x00"}]}, "no JSON Pointer"),
    "a very long path": (RIGHT | {"operations": [ONE | {"path": "/a" * 400}]}, "no JSON Pointer"),
    "many sources": (answer(("remove", PLACE), sources=["S1"] * 11), "too many sources"),
    "an invented source": (answer(("remove", PLACE), sources=["https://evil.example.com"]), "a source that was not given"),
}


@pytest.mark.parametrize(("said", "reason"), FORMS.values(), ids=FORMS.keys())
def test_an_answer_of_another_form_is_refused(said: Any, reason: str) -> None:
    result = ask(ScriptedModel(said))
    assert (result.status, result.data, result.tries) == ("refused", None, 3)
    assert all(re.search(reason, text) for text in result.reasons), result.reasons
