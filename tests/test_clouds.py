"""Identities, nodes and load balancers of EKS and GKE on AKS: what a human answers once is used everywhere."""

from __future__ import annotations

from rule_support import found, mended, rules_of, text_of

ACCOUNT = """\
    apiVersion: v1
    kind: ServiceAccount
    metadata:
      name: app
      namespace: shop
      annotations:
        eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/app  # irsa
    """
POD = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: app}
    spec:
      serviceAccountName: app
      containers: [{name: app, image: "app:1"}]
    """
CLIENT = "identities: {app: 11111111-2222-3333-4444-555555555555}\n"


def test_an_identity_is_asked_for_and_never_guessed() -> None:
    patched = mended(ACCOUNT)
    assert [v.resolution for v in found(patched, "AKS0720")] == ["needs-human"]
    assert [q.key for q in patched.outcome.questions] == ["identities.app"]
    assert "AKS0721" not in rules_of(POD)


def test_an_answered_identity_brings_annotation_label_and_federation_and_says_what_is_lost() -> None:
    patched = mended(ACCOUNT, decisions=CLIENT)
    assert "azure.workload.identity/client-id: 11111111-2222-3333-4444-555555555555" in text_of(patched)
    assert "role-arn" not in text_of(patched)
    assert len(found(patched, "AKS0002")) == 1
    assert "system:serviceaccount:shop:app" in patched.outcome.resources[0].command
    assert 'azure.workload.identity/use: "true"' in text_of(mended(POD, decisions=CLIENT))


def test_every_zone_of_a_list_needs_its_answer() -> None:
    pod = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: app}
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions:
                  - {key: topology.kubernetes.io/zone, operator: In, values: [us-east-1a, us-east-1b]}
      containers: [{name: app, image: "app:1"}]
    """
    half = mended(pod, decisions="zones: {us-east-1a: eastus-1}\n")
    assert [v.resolution for v in found(half, "AKS0523")] == ["needs-human"]
    assert [q.key for q in half.outcome.questions if q.key.startswith("zones")] == ["zones.us-east-1b"]
    whole = mended(pod, decisions="zones: {us-east-1a: eastus-1, us-east-1b: eastus-2}\n")
    assert "values: [eastus-1, eastus-2]" in text_of(whole)


def test_a_spot_condition_that_is_set_in_both_words_stays_one() -> None:
    pod = """\
    apiVersion: v1
    kind: Pod
    metadata: {name: app}
    spec:
      nodeSelector:
        cloud.google.com/gke-spot: "true"
        kubernetes.azure.com/scalesetpriority: spot
      tolerations:
        - {key: kubernetes.azure.com/scalesetpriority, operator: Equal, value: spot, effect: NoSchedule}
      containers: [{name: app, image: "app:1"}]
    """
    text = text_of(mended(pod))
    assert "gke-spot" not in text
    assert text.count("scalesetpriority") == 2


def test_a_class_of_the_aws_controller_never_turns_an_internal_service_public() -> None:
    service = """\
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {type: LoadBalancer, loadBalancerClass: service.k8s.aws/nlb, ports: [{port: 80}]}
    """
    text = text_of(mended(service, unsafe=True))
    assert "loadBalancerClass" not in text
    assert 'azure-load-balancer-internal: "true"' in text
