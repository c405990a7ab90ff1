"""A run's outcomes, made by hand, that have every kind of entry a report can hold."""

from __future__ import annotations

from shared.domain.model import FileOutcome, PatchOperation, Question, ResourceRef, SourceFinding, Violation
from shared.domain.needs import AzureResource
from shared.domain.report import masked_diff
from shared.domain.run import RunSetup

PASSWORD = "correct-horse-battery"
STORAGE_DOC = "https://learn.microsoft.com/azure/aks/concepts-storage"

CLAIM_BEFORE = (
    b"# The data\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\nspec:\n  storageClassName: local-path  # k3s\n"
)
CLAIM_AFTER = CLAIM_BEFORE.replace(b"local-path", b"managed-csi")


def setup() -> RunSetup:
    source = SourceFinding("k3s", ("storageClass local-path in deploy/claim.yaml", "ingressClass traefik in web.yaml"))
    target = {"name": "aks-standard", "kubernetesVersion": "1.35", "safeguards": "warn", "storage": {"disk": "managed-csi"}}
    return RunSetup("shop-0123456789abcdef", "shop", source, target, {}, {})


def violation(rule: str, *, line: int = 7, **fields: object) -> Violation:
    given = {
        "rule_id": rule, "title": "The storage class does not exist on AKS", "severity": "error", "document": 0,
        "path": "/spec/storageClassName", "line": line, "column": 3,
        "resource": ResourceRef("v1", "PersistentVolumeClaim", None, "data"),
        "message": "Storage class local-path does not exist on AKS.", "links": (STORAGE_DOC,),
    } | fields  # fmt: skip
    return Violation(**given)  # type: ignore[arg-type]


def outcomes() -> list[FileOutcome]:
    image = {
        "title": "The image comes from the old cluster", "severity": "warning", "line": 12, "column": 11,
        "path": "/spec/template/spec/containers/0/image", "resource": ResourceRef("apps/v1", "Deployment", "shop", "web"),
        "message": "Image registry.local/shop/web:1 cannot be pulled on AKS.",
        "links": ("https://learn.microsoft.com/azure/aks/acr",),
    }  # fmt: skip
    registry = AzureResource("Container registry", "shopacr", "Images of *registry.local* must be pulled from somewhere.",
                             "az acr create --name shopacr --resource-group RG --sku Standard")  # fmt: skip
    share = AzureResource("Role assignment", "AcrPull", "Nodes pull from it.", "az aks update --attach-acr shopacr --name AKS -g RG")
    question = Question("registries.registry\\.local", "Where do images of registry.local live on Azure?", "shopacr.azurecr.io")
    return [
        FileOutcome("web.yaml", "unchanged", None, 1, (
            violation("TST0201", resolution="needs-human", reason="Where do images of registry.local live on Azure?", **image),
            violation("TST0301", resolution="suggested", title="hostPath | volume", severity="warning", line=20, path="/spec/x",
                      message="The data of `hostPath` <stays> on the old node.", links=()),
        ), (), (PatchOperation("replace", "/0/spec/x", "TST0301", {"emptyDir": {}}, "rule", "unsafe"),),
            resources=(share, registry), questions=(question,)),
        FileOutcome("deploy/claim.yaml", "patched", None, 1, (
            violation("TST0101", resolution="fixed"),
            violation("TST0401", resolution="ignored", severity="info", line=2, column=1, path="", title="Old label",
                      message="A label of k3s.", reason="Does no harm on AKS."),
        ), (PatchOperation("replace", "/0/spec/storageClassName", "TST0101", "managed-csi"),), resources=(registry,)),
        FileOutcome("chart/templates/app.yaml", "refused", "an unrendered Helm template ({{ }}); render it first"),
        FileOutcome("bad, name.yaml", "failed", "internal error: KeyError at x.py:1"),
        FileOutcome("README.md", "skipped", "not YAML or JSON"),
        FileOutcome("secret.yaml", "patched", None, 1, (), (
            PatchOperation("add", "/1", "TST0501", {"apiVersion": "v1", "kind": "Secret", "data": {"p": "Y29ycmVjdA=="}}),
            PatchOperation("add", "/0/stringData/password", "TST0501", PASSWORD),
            PatchOperation("add", "/2/spec/env", "TST0501", [{"name": "DB_PASSWORD", "value": PASSWORD}, {"name": "A", "value": "b"}]),
        )),
    ]  # fmt: skip


def diffs() -> dict[str, str]:
    return {"deploy/claim.yaml": masked_diff("deploy/claim.yaml", CLAIM_BEFORE, CLAIM_AFTER)}
