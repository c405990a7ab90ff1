"""Which findings a model is asked about: never where quieting the rule would hide something, and with all places that an answer needs."""

from __future__ import annotations

import pytest
from llm_support import PLACE, ScriptedModel, answer, ask, case_of

from shared.domain.errors import ValidationError
from shared.domain.rulebook import by_id


def first_bad(rule: str) -> str:
    return next(e.bad for e in by_id()[rule].examples if e.bad)


NODE_PORT = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: NodePort
  externalTrafficPolicy: Local
  ports:
  - {port: 80, nodePort: 30080}
  - {port: 443}
"""


def test_a_service_closed_to_the_nodes_keeps_none_of_their_ports() -> None:
    closed = ("replace", "/spec/type", "ClusterIP")
    half = ask(ScriptedModel(answer(closed)), NODE_PORT, "AKS0608")
    assert {r for r in half.reasons if "the API server refuses it" in r} == set(half.reasons)
    half = ask(ScriptedModel(answer(closed, ("remove", "/spec/ports/0/nodePort"))), NODE_PORT, "AKS0608")
    assert half.status == "refused"
    whole = ask(
        ScriptedModel(answer(closed, ("remove", "/spec/ports/0/nodePort"), ("remove", "/spec/externalTrafficPolicy"))), NODE_PORT, "AKS0608"
    )
    assert whole.status == "accepted", whole.reasons


def test_a_capability_goes_out_of_the_middle_of_its_list() -> None:
    text = first_bad("AKS0806").replace("[NET_ADMIN]", "[NET_ADMIN, CHOWN, KILL]")
    place = "/spec/containers/0/securityContext/capabilities/add"
    assert (ask(ScriptedModel(answer(("remove", f"{place}/0"))), text, "AKS0806").data or b"").decode() == text.replace("NET_ADMIN, ", "")
    for more in (["CHOWN", "SYS_ADMIN"], ["CHOWN", "KILL", "SYS_PTRACE"]):
        refused = ask(ScriptedModel(answer(("replace", place, more))), text, "AKS0806")
        assert set(refused.reasons) == {f"{place} would weaken the security of the object."}


def test_where_the_rules_own_fix_stopped_no_model_takes_its_place() -> None:
    """The class alone would quiet the rule, and lose what the annotation asks for."""
    text = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {traefik.ingress.kubernetes.io/router.middlewares: login@kubernetescrd}}
spec:
  ingressClassName: traefik
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: w, port: {number: 80}}}}]}}]
"""
    with pytest.raises(ValidationError, match="own fix stops here, and what stops it is for a person: annotation traefik"):
        case_of(text, "AKS0202")
    assert ask(ScriptedModel(answer(("replace", PLACE, "kata-vm-isolation")))).status == "accepted", "control: a rule without a fix"


@pytest.mark.parametrize(("rule", "place"), [("AKS0944", "the chart's values"), ("AKS0735", "the pods"), ("AKS0013", "an acceptance")])
def test_an_annotation_is_not_taken_out_to_hide_what_it_asked_for(rule: str, place: str) -> None:
    with pytest.raises(ValidationError, match="What an annotation asked for must come in another way"):
        case_of(first_bad(rule), rule)
    assert case_of(first_bad("AKS0611"), "AKS0611").allowed == ("/metadata/annotations",), f"control for {place}: the rule names its place"


NOTED = """\
apiVersion: v1
kind: Service
metadata:
  name: shop
  annotations:
    team: shop
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
spec: {ports: [{port: 80}]}
"""


@pytest.mark.parametrize(
    ("operations", "reason"),
    [
        ([("remove", "/metadata/annotations")], "/metadata/annotations/team is not what the finding is about."),
        ([("replace", "/metadata/annotations/team", "load")], "/metadata/annotations/team is not what the finding is about."),
        ([("remove", "/metadata/annotations/service.beta.kubernetes.io~1aws-load-balancer-nlb-target-type")], None),
    ],
)
def test_of_a_map_goes_only_what_the_finding_names(operations: list[tuple[str, ...]], reason: str | None) -> None:
    result = ask(ScriptedModel(answer(*operations)), NOTED, "AKS0611")
    assert (set(result.reasons), result.status) == (({reason}, "refused") if reason else (set(), "accepted"))
