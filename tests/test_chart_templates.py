"""What a chart's templates render wrongly is traced to the key of its values file."""

from __future__ import annotations

import pytest

from shared.cli.local import patched_file
from shared.domain.intake import plan_run
from shared.domain.model import FileOutcome
from shared.domain.reporter import finish
from shared.domain.run import RunOptions, SourceFile

CHART = "apiVersion: v2\nname: shop\nversion: 1.0.0\n"
VALUES = "# Ours.\npersistence:\n  class: local-path\ningress: {className: traefik}\nlb: 192.168.1.20\n"
TEMPLATE = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: a}
spec:
  storageClassName: %s
"""


def told(files: dict[str, str]) -> list[tuple[str, str, int, str]]:
    sources = [SourceFile(p, t.encode()) for p, t in files.items()]
    setup = plan_run(sources, RunOptions("app", "k3s"))
    done = [patched_file(f, setup) for f in sources]
    original = {f.path: f.data for f in sources}
    run = finish(setup, [d.outcome for d in done], original.get, original.get)
    outcomes: tuple[FileOutcome, ...] = run.outcomes
    return [(o.path, v.path, v.line, v.message) for o in outcomes for v in o.violations if v.rule_id == "AKS0008"]


def chart(field: str) -> dict[str, str]:
    return {"app/Chart.yaml": CHART, "app/values.yaml": VALUES, "app/templates/pvc.yaml": TEMPLATE % field}


@pytest.mark.parametrize(
    "field", ["{{ .Values.persistence.class }}", '"{{ .Values.persistence.class }}"', "{{- .Values.persistence.class | quote }}"]
)
def test_the_key_behind_a_field_is_named_with_its_line(field: str) -> None:
    message = "persistence.class becomes the storageClassName of templates/pvc.yaml: storage class local-path does not exist on AKS."
    assert told(chart(field)) == [("app/values.yaml", "/persistence/class", 3, message)]


@pytest.mark.parametrize(
    "field", ["managed-csi", "{{ .Values.other }}", '{{ include "x" . }}', "a-{{ .Values.persistence.class }}", "{{ .Values.persistence }}"]
)
def test_what_cannot_be_traced_exactly_is_not_guessed(field: str) -> None:
    assert told(chart(field)) == []


def test_ingress_classes_and_addresses_are_traced_too_and_each_key_once() -> None:
    route = "spec:\n  ingressClassName: {{ .Values.ingress.className }}\n---\nspec:\n  loadBalancerIP: {{ .Values.lb }}\n"
    files = {"Chart.yaml": CHART, "values.yaml": VALUES, "templates/a.yaml": route, "templates/b.yaml": route}
    assert [(path, line) for _, path, line, _ in told(files)] == [("/ingress/className", 4), ("/lb", 5)]


def test_a_class_that_aks_has_is_no_finding_and_templates_without_a_chart_are_left_alone() -> None:
    good = chart("{{ .Values.persistence.class }}") | {"app/values.yaml": VALUES.replace("local-path", "managed-csi")}
    assert told(good) == []
    assert told({p: t for p, t in chart("{{ .Values.persistence.class }}").items() if not p.endswith("Chart.yaml")}) == []
