"""The fixes where one rule's examples do not show the edge."""

from __future__ import annotations

import textwrap

import pytest
from rule_support import found, mended, text_of

from shared.domain.rulebook import by_id

CONTAINER = """
    apiVersion: v1
    kind: Pod
    metadata:
      name: app
    spec:
      containers:
        - name: app
          image: app:1
"""


def test_an_object_of_a_list_goes_alone() -> None:
    patched = mended(
        """
        apiVersion: v1
        kind: List
        items:
          - apiVersion: metallb.io/v1beta1
            kind: IPAddressPool
            metadata: {name: lan}
          # stays
          - apiVersion: v1
            kind: ConfigMap
            metadata: {name: x}
        """,
        unsafe=True,
    )
    assert "IPAddressPool" not in text_of(patched)
    assert "# stays" in text_of(patched)


def test_a_files_last_object_takes_the_file_with_it() -> None:
    patched = mended("apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: lan}\n", unsafe=True)
    assert (patched.data, patched.outcome.status, patched.outcome.removed) == (None, "patched", True)


def test_unsafe_fixes_are_suggested_and_not_applied() -> None:
    text = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: lan}\n"
    patched = mended(text)
    assert (text_of(patched), patched.outcome.operations) == (text, ())
    assert [(o.op, o.path, o.disposition) for o in patched.outcome.suggestions] == [("remove", "/0", "unsafe")]


def test_two_names_for_the_service_account_that_differ_are_left_to_a_person() -> None:
    text = CONTAINER.replace("spec:", "spec:\n      serviceAccount: a\n      serviceAccountName: b")
    patched = mended(text)
    (one,) = found(patched, "AKS0805")
    assert (one.resolution, text_of(patched)) == ("needs-human", textwrap.dedent(text))
    assert "different values" in (one.reason or "")


def test_a_project_says_what_the_namespace_cannot_hold() -> None:
    patched = mended("apiVersion: v1\nkind: ProjectRequest\nmetadata: {name: shop}\ndescription: The shop\n")
    assert text_of(patched) == "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    (loss,) = found(patched, "AKS0002")
    assert loss.message == "The field description of the ProjectRequest has no place in a Namespace; it is left out."


BINDING = """
    apiVersion: authorization.openshift.io/v1
    kind: RoleBinding
    metadata:
      name: b
      namespace: shop
    roleRef:
      name: edit
"""


def test_user_names_become_subjects() -> None:
    patched = mended(BINDING + '    userNames: ["system:serviceaccount:ci:robot", alice]\n    groupNames: ["system:authenticated"]\n')
    assert text_of(patched) == textwrap.dedent("""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata:
          name: b
          namespace: shop
        roleRef:
          name: edit
          apiGroup: rbac.authorization.k8s.io
          kind: ClusterRole
        subjects:
        - kind: ServiceAccount
          name: robot
          namespace: ci
        - kind: User
          apiGroup: rbac.authorization.k8s.io
          name: alice
        - kind: Group
          apiGroup: rbac.authorization.k8s.io
          name: system:authenticated
        """)
    assert [v.message.split(";")[0] for v in found(patched, "AKS0002")] == ["User alice belongs to the old cluster's login"]


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("    subjects: [{kind: ServiceAccount, name: x}]\n", None),
        ("    subjects: [x]\n", "A subject has no kind."),
        ("    userNames: [3]\n", "The binding's userNames is no list of names."),
    ],
)
def test_bindings_that_cannot_be_read_stay(rest: str, reason: str | None) -> None:
    patched = mended(BINDING + rest)
    (one,) = found(patched, "AKS0307")
    assert (one.resolution, one.reason) == (("needs-human", reason) if reason else ("fixed", None))


def test_a_role_of_the_same_namespace_is_a_role() -> None:
    patched = mended(BINDING + "      namespace: shop\n    subjects: [{kind: SystemUser, name: system:admin}]\n")
    assert "kind: Role\n" in text_of(patched)
    assert "{kind: User, name: system:admin}" in text_of(patched)


ASKED = (
    "The amounts are yours to choose: nothing in a manifest says what a container needs. Answer it under resources in .aks-copilot.yaml."
)


@pytest.mark.parametrize("answer", ["lots", "requests.cpu=100m", "requests.cpu=much, requests.memory=1Mi, limits.memory=1Mi", "[1]"])
def test_unreadable_amounts_are_asked_for_again(answer: str) -> None:
    patched = mended(CONTAINER, decisions=f'resources: {{default: "{answer}"}}\n')
    (one,) = found(patched, "AKS0801")
    assert (one.resolution, one.reason, text_of(patched)) == ("needs-human", ASKED, textwrap.dedent(CONTAINER))


def test_amounts_that_are_there_stay() -> None:
    text = CONTAINER + "          resources:\n            limits:\n              memory: 1Gi  # measured\n"
    patched = mended(text, decisions='resources: {default: "requests.cpu=5m, requests.memory=6Mi, limits.memory=7Mi"}\n')
    assert text_of(patched) == textwrap.dedent(text) + "    requests:\n      cpu: 5m\n".replace("    ", "        ", 1).replace(
        "      cpu", "          cpu"
    )


def test_one_question_for_all_containers_without_amounts() -> None:
    patched = mended(CONTAINER + "        - name: b\n          image: b:1\n")
    assert len(found(patched, "AKS0801")) == 2
    assert [q.key for q in patched.outcome.questions] == ["resources.default"]


def test_an_emptied_term_takes_the_affinity_with_it_but_not_its_neighbours() -> None:
    spec = """
      affinity:
        podAntiAffinity: {}
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions:
                  - {key: node-role.kubernetes.io/worker, operator: Exists}
"""
    patched = mended(CONTAINER.replace("    spec:", "    spec:" + spec.rstrip("\n")))
    assert "podAntiAffinity: {}" in text_of(patched)
    assert "nodeAffinity" not in text_of(patched)


def test_a_file_share_says_what_it_loses() -> None:
    text = """
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata: {name: media}
        spec:
          accessModes: [ReadWriteMany]
          storageClassName: longhorn
          resources: {requests: {storage: 1Gi}}
    """
    (loss,) = found(mended(text), "AKS0002")
    assert loss.path == "/spec/storageClassName"
    assert "chown" in loss.message
    assert loss.links == by_id()["AKS0101"].links, "the page of the fix that loses it, not one of another"


CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: a}}\nspec: {{storageClassName: {}, accessModes: [{}]{}}}\n"


@pytest.mark.parametrize(
    ("name", "mode", "rest", "shown"),
    [
        ("fast-tier-7", "ReadWriteOnce", "", "managed-csi"),
        ("fast-tier-7", "ReadWriteMany", "", "azurefile-csi"),
        ("team-nfs", "ReadWriteOnce", "", "azurefile-csi"),
        ("CephFS-sc", "ReadWriteOnce", "", "azurefile-csi"),
        ("fast-tier-7", "ReadWriteMany", ", volumeMode: Block", "managed-csi"),
        ("gp3", "ReadWriteMany", "", "azurefile-csi"),
    ],
)
def test_the_sample_answer_for_a_storage_class_fits_the_claim(name: str, mode: str, rest: str, shown: str) -> None:
    (question,) = mended(CLAIM.format(name, mode, rest)).outcome.questions
    assert (question.key, question.example) == (f"storageClasses.{name}", shown)


def test_an_image_goes_where_its_registry_went_and_brings_its_import() -> None:
    text = CONTAINER.replace("app:1", "registry.lan:5000/team/app:1")
    patched = mended(text, decisions='registries: {"registry.lan:5000": shop.azurecr.io}\n')
    assert "image: shop.azurecr.io/team/app:1\n" in text_of(patched)
    (copy,) = (r for r in patched.outcome.resources if r.kind == "Container image")
    assert copy.command == "az acr import --name shop --source registry.lan:5000/team/app:1 --image team/app:1"


def test_nothing_in_a_namespace_of_the_cluster_itself_is_changed_or_suggested() -> None:
    text = """
        apiVersion: batch/v1beta1
        kind: CronJob
        metadata: {name: job, namespace: kube-system, labels: {xpaas: "1"}}
        spec: {schedule: "@daily", jobTemplate: {spec: {template: {spec: {nodeSelector: {kubernetes.io/hostname: pi4}, containers: []}}}}}
    """
    patched = mended(text)
    assert (text_of(patched), patched.outcome.suggestions) == (textwrap.dedent(text), ())
    said = {v.rule_id: (v.resolution, v.reason or "") for v in patched.outcome.violations}
    assert said["AKS0405"][0] == said["AKS0505"][0] == "needs-human"
    assert "kube-system belongs to the cluster itself" in said["AKS0405"][1]
    assert said["AKS0313"][0] == "ignored"
