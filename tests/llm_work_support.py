"""Files with a finding for a model, and what rules and model make of them together."""

from __future__ import annotations

from typing import Any

from llm_support import POD, ScriptedModel

from shared.domain.advice import Mode
from shared.domain.intake import plan_run
from shared.domain.llm.work import Adviser, mended
from shared.domain.model import Violation
from shared.domain.retrieval.passages import Passage
from shared.domain.retrieval.ports import Hit
from shared.domain.run import PatchedFile, RunOptions, RunSetup, SourceFile

QUIET = POD.replace(
    "        ports: [{containerPort: 8080}]\n",
    "        ports: [{containerPort: 8080}]\n        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}\n"
    "        readinessProbe: {httpGet: {path: /, port: 8080}}\n        livenessProbe: {httpGet: {path: /, port: 8080}}\n",
)
"""The Deployment with nothing left but its runtime class."""
MENDED = QUIET.replace("      runtimeClassName: nvidia  # of the old nodes\n", "")
CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}  # of k3s
spec: {storageClassName: local-path, accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}
"""
UNKNOWN = CLAIM.replace("local-path", "fast-tier-7")
DRAFT = {"key": "storageClasses.fast-tier-7", "value": "managed-csi-premium"}
GOLD = "---\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: gold}\nprovisioner: driver.example.com\n"
POOLS = """\
apiVersion: v1
kind: Pod
metadata: {name: app}
spec:
  nodeSelector: {karpenter.sh/nodepool: batch, karpenter.sh/capacity-type: spot}
  containers:
  - {name: app, image: "registry.example.com/app:1.2", resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}}
"""


def setup_of(text: str, mode: Mode, **options: Any) -> tuple[SourceFile, RunSetup]:
    """A run of one file `a.yaml`."""
    file = SourceFile("a.yaml", text.encode())
    return file, plan_run([file], RunOptions("app", model=mode, **options))


def made(text: str, mode: Mode, model: ScriptedModel, knowledge: Any = None) -> PatchedFile:
    """What rules and model make of that file."""
    file, setup = setup_of(text, mode)
    return mended(file, setup, Adviser(lambda _: model, knowledge))


def one(done: PatchedFile, rule: str) -> Violation:
    """The only finding of a rule."""
    (found,) = [v for v in done.outcome.violations if v.rule_id == rule]
    return found


class Shelf:
    """A knowledge base with one passage; it keeps what was searched for."""

    def __init__(self, text: str) -> None:
        self.text, self.queries = text, list[str]()

    def explaining(self, rule_id: str, query: str, k: int) -> list[Hit]:
        self.queries.append(query)
        return [Hit(Passage("articles/gpu.md", "gpu", "GPU pools", "Classes", self.text, "https://example.com/gpu", (rule_id,)), 1.0)]

    search = rules = explaining  # type: ignore[assignment]
