"""resources.md names every claim whose data must be copied, and what a StatefulSet's claim templates hold back."""

from __future__ import annotations

from shared.cli.local import inspected
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.model import FileOutcome
from shared.domain.patcher import patch
from shared.domain.report.resources import resources_md
from shared.domain.run import RunOptions, SourceFile
from shared.domain.thinker import propose

CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: shop}\nspec: {accessModes: [ReadWriteOnce]}\n"
SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "docker.io/library/postgres:16"}]}
  volumeClaimTemplates:
    - metadata: {name: files}
      spec: {accessModes: [ReadWriteOnce], storageClassName: local-path, resources: {requests: {storage: 1Gi}}}
"""


def page(text: str, *, fix: bool = True) -> str:
    file = SourceFile("a.yaml", text.encode())
    setup = plan_run([file], RunOptions("app", "k3s"))
    found = inspect(file, setup)
    outcome: FileOutcome = patch(file, found, propose(file, found, setup), setup).outcome if fix else inspected(file, setup).outcome
    return resources_md(setup, [outcome])


def test_every_claim_is_named_with_its_copy() -> None:
    text = page(CLAIM)
    assert "- data (a.yaml)" in text
    assert "kubectl --context OLD -n shop exec POD -- tar" in text
    assert "StatefulSet" not in text


def test_the_claims_of_a_set_are_named_and_that_their_templates_cannot_change() -> None:
    text = page(SET)
    assert "- files-db-0, -1, ... (a.yaml)" in text
    assert "StatefulSet db: a cluster refuses every change of volumeClaimTemplates." in text


def test_a_set_whose_class_stays_is_not_spoken_of() -> None:
    assert "refuses" not in page(SET.replace("local-path", "managed-csi"))


def test_an_application_without_claims_has_no_such_section() -> None:
    assert "Data to copy" not in page("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")


def test_a_claim_that_two_files_hold_is_copied_once() -> None:
    """Two overlays that write the same claim in full, say: one claim in the cluster, and one copy."""
    files = [SourceFile("base/a.yaml", CLAIM.encode()), SourceFile("prod/a.yaml", CLAIM.encode())]
    files.append(SourceFile("test/a.yaml", CLAIM.replace("shop", "test").encode()))
    text = resources_md(plan_run(files, RunOptions("app", "k3s")), [])
    assert [line for line in text.splitlines() if line.startswith("- data")] == [
        "- data (base/a.yaml, prod/a.yaml)",
        "- data (test/a.yaml)",
    ]
