"""The checks where one rule's examples do not show the edge."""

from __future__ import annotations

import pytest
from rule_support import found, mended, rules_of

POD = """
    apiVersion: v1
    kind: Pod
    metadata: {{name: app}}
    spec:
      {spec}
      containers:
        - name: app
          image: {image}
          resources: {{requests: {{cpu: 1m, memory: 1Mi}}, limits: {{memory: 1Mi}}}}
          readinessProbe: {{tcpSocket: {{port: 80}}}}
          livenessProbe: {{tcpSocket: {{port: 80}}}}
"""
PORTABLE = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      strategy: {type: Recreate}
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          serviceAccountName: web
          securityContext: {fsGroup: 101}
          tolerations: [{operator: Exists}]
          containers:
            - name: web
              image: nginx:1.27.3
              ports: [{containerPort: 80}]
              resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 128Mi}}
              readinessProbe: {httpGet: {path: /, port: 80}}
              livenessProbe: {httpGet: {path: /, port: 80}}
          volumes: [{name: tmp, emptyDir: {}}, {name: data, persistentVolumeClaim: {claimName: data}}]
    ---
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}, ports: [{port: 80}]}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: web}
    spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}]}]}
"""


def pod(spec: str = "restartPolicy: Always", image: str = "app:1") -> str:
    return POD.format(spec=spec, image=image)


@pytest.mark.parametrize("source", ["generic", "k3s", "okd"])
def test_a_portable_application_has_no_finding(source: str) -> None:
    assert rules_of(PORTABLE, source=source) == set()


@pytest.mark.parametrize(
    ("image", "fires"),
    [
        ("nginx", True),
        ("nginx:latest", True),
        ("registry.example.com:5000/nginx", True),
        ("registry.example.com:5000/nginx:1", False),
        ("nginx:latest@sha256:" + "0" * 64, False),
        ('"${IMAGE}"', False),
        ('"<your image>"', False),
    ],
)
def test_tag_of_an_image(image: str, fires: bool) -> None:
    assert ("AKS0706" in rules_of(pod(image=image))) is fires


@pytest.mark.parametrize(
    ("triggers", "fires"),
    [
        ("[]", True),
        ("[{type: ConfigChange}]", True),
        ('[{type: ImageChange, imageChangeParams: {containerNames: [web], from: {name: "web:1"}}}]', False),
        ('[{type: ImageChange, imageChangeParams: {containerNames: [proxy], from: {name: "proxy:1"}}}]', True),
    ],
)
def test_tag_of_an_image_that_a_trigger_fills_in(triggers: str, fires: bool) -> None:
    text = f"""
    apiVersion: apps.openshift.io/v1
    kind: DeploymentConfig
    metadata: {{name: web}}
    spec: {{triggers: {triggers}, template: {{spec: {{containers: [{{name: web, image: "web:latest"}}]}}}}}}
    """
    assert any(v.document == 0 and v.path.endswith("/image") for v in found(mended(text), "AKS0706")) is fires


def required_node(expression: str) -> str:
    """A Pod that insists on nodes whose labels are so."""
    terms = f"{{nodeSelectorTerms: [{{matchExpressions: [{{{expression}}}]}}]}}"
    return pod(f"affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {terms}}}}}")


@pytest.mark.parametrize(("operator", "fires"), [("In", True), ("Exists", True), ("DoesNotExist", False), ("NotIn", False)])
def test_only_operators_that_insist_on_a_label_count(operator: str, fires: bool) -> None:
    text = required_node(f"key: node-role.kubernetes.io/master, operator: {operator}")
    assert ("AKS0503" in rules_of(text)) is fires


def test_a_preferred_node_is_no_finding() -> None:
    preferred = "[{weight: 1, preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [pi4]}]}}]"
    assert rules_of(pod(f"affinity: {{nodeAffinity: {{preferredDuringSchedulingIgnoredDuringExecution: {preferred}}}}}")) == set()


def test_a_labels_value_decides_where_a_rule_says_so() -> None:
    assert "AKS0509" in rules_of(pod("nodeSelector: {kubernetes.io/arch: arm64}"))
    assert rules_of(pod("nodeSelector: {kubernetes.io/arch: amd64}")) == set()


@pytest.mark.parametrize(("values", "fires"), [("[amd64, arm64]", False), ("[arm64, arm]", True), ("[arm64]", True), ("[]", False)])
def test_values_of_one_expression_are_alternatives(values: str, fires: bool) -> None:
    text = required_node(f"key: kubernetes.io/arch, operator: In, values: {values}")
    assert ("AKS0509" in rules_of(text)) is fires


def test_annotations_of_object_and_pod_template_are_one_finding() -> None:
    patched = mended("""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, annotations: {openshift.io/generated-by: x}, labels: {xpaas: "1"}}
        spec:
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}, annotations: {openshift.io/generated-by: x, alpha.openshift.io/y: z}}
            spec: {containers: []}
    """)
    (one,) = found(patched, "AKS0313")
    assert (one.path, one.resolution) == ("/metadata/annotations", "ignored")
    assert "openshift.io/generated-by, alpha.openshift.io/y, xpaas" in one.message


def test_text_is_never_looked_for_in_a_secret() -> None:
    secret = """
        apiVersion: v1
        kind: {kind}
        metadata: {{name: db}}
        {field}: {{url: "tcp://192.168.1.10:5432 and https://x.apps.ocp.example.com"}}
    """
    assert rules_of(secret.format(kind="Secret", field="stringData")) == set()
    assert rules_of(secret.format(kind="ConfigMap", field="data")) == {"AKS0613", "AKS0614"}


def test_text_shows_the_match_and_nothing_around_it() -> None:
    patched = mended(
        pod(image="app:1").replace("image: app:1", 'image: app:1\n          env: [{name: U, value: "tcp://me:hunter2@192.168.1.10"}]')
    )
    (one,) = found(patched, "AKS0613")
    assert "192.168.1.10" in one.message
    assert "hunter2" not in one.message


def test_the_same_address_twice_is_one_finding() -> None:
    text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: "10.1.2.3", b: "10.1.2.3", c: "10.1.2.4"}\n'
    assert [v.path for v in found(mended(text), "AKS0613")] == ["/data/a", "/data/c"]


@pytest.mark.parametrize(
    ("api", "kind", "rule"),
    [
        ("machine.openshift.io/v1", "MachineSet", "AKS0003"),
        ("management.cattle.io/v3", "Cluster", "AKS0003"),
        ("v1", "OAuthClient", "AKS0003"),
        ("velero.io/v1", "Backup", "AKS0004"),
        ("gateway.networking.k8s.io/v1", "GRPCRoute", None),
        ("azmonitoring.coreos.com/v1", "PodMonitor", "AKS0004"),
        ("skaffold/v3", "Config", None),
    ],
)
def test_foreign_api_groups(api: str, kind: str, rule: str | None) -> None:
    assert rules_of(f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\n") == ({rule} if rule else set())


def test_objects_inside_a_list_are_held_against_the_rules() -> None:
    text = """
        apiVersion: v1
        kind: List
        items:
          - {apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: a}, spec: {to: {kind: Service, name: a}}}
          - {apiVersion: machine.openshift.io/v1, kind: Machine, metadata: {name: b}}
    """
    assert {(v.rule_id, v.path) for v in mended(text).outcome.violations} == {
        ("AKS0201", "/items/0/kind"),
        ("AKS0003", "/items/1/apiVersion"),
    }


def test_a_load_balancer_asks_only_where_it_was_private_before() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: LoadBalancer, ports: [{port: 80}]}\n"
    assert rules_of(text, source="k3s") == {"AKS0601"}
    assert rules_of(text, source="generic") == {"AKS0602"}
    assert rules_of(text, source="k3s", decisions="loadBalancers: {web: public}\n") == set()


def claim(spec: str) -> str:
    head = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    return f"{head}spec: {{{spec}, resources: {{requests: {{storage: 1Gi}}}}}}\n"


def test_a_class_of_the_run_is_known_by_its_driver() -> None:
    driver = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\nprovisioner: %s\n"
    text = claim("storageClassName: fast, accessModes: [ReadWriteOnce]")
    assert rules_of(text, others={"c.yaml": driver % "driver.longhorn.io"}) == {"AKS0101"}
    assert rules_of(text, others={"c.yaml": driver % "csi.example.com"}) == {"AKS0102"}
    assert rules_of(text, others={"c.yaml": driver % "kubernetes.io/azure-disk"}) == set()


def test_substituted_values_say_nothing() -> None:
    assert rules_of(claim('storageClassName: "${CLASS}", accessModes: [ReadWriteOnce]')) == set()


@pytest.mark.parametrize(
    ("spec", "rules"),
    [
        ("accessModes: [ReadWriteMany]", {"AKS0115", "AKS0002"}),
        ("accessModes: [ReadWriteMany], volumeMode: Block", set()),
        ("accessModes: [ReadWriteMany], volumeName: nas", set()),
        ("accessModes: [ReadWriteMany], storageClassName: managed-csi", {"AKS0116"}),
        ("accessModes: [ReadWriteOnce], storageClassName: managed-csi", set()),
    ],
)
def test_claims_for_several_nodes(spec: str, rules: set[str]) -> None:
    assert rules_of(claim(spec)) == rules


def test_an_answered_question_is_not_asked_again() -> None:
    volume = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: m}\nspec: {nfs: {server: 192.168.1.10, path: /x}}\n"
    asked, answered = mended(volume), mended(volume, decisions="nfs: {192.168.1.10: keep}\n")
    assert [(v.resolution, len(asked.outcome.questions)) for v in found(asked, "AKS0112")] == [("needs-human", 1)]
    assert [(v.resolution, len(answered.outcome.questions)) for v in found(answered, "AKS0112")] == [("ignored", 0)]
