"""Explanations: what stands there, why, what changes or waits, what to read; nothing secret in any of it, and one clear line otherwise."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from cli_process import CLAIM, PROJECT, write

from shared.cli.local import LocalRun, fix_tree, options_for
from shared.cli.main import run
from shared.cli.rules import skeleton
from shared.cli.tree import read_tree
from shared.domain.articles import ARTICLES, among, own_articles
from shared.domain.explain.at_line import at_line
from shared.domain.explain.change import as_yaml
from shared.domain.explain.excerpt import WIDTH
from shared.domain.explain.finding import Explanation, explain
from shared.domain.explain.passage import ROWS, readings, words_of
from shared.domain.model import FileOutcome
from shared.domain.retrieval.passages import document_of
from shared.domain.rulebook import built_in, by_id
from shared.domain.run import SourceFile

GOLDEN = Path(__file__).parent / "golden" / "explain"
SAMPLES = ("k3s-shop", "okd-portal")
ALONE = {
    "AKS0001": "It is about the decisions file itself: docs/decisions.md explains that.",
    "AKS0013": "It is about an annotation of this program: docs/accepting.md explains that.",
    "AKS0014": "It is about the baseline of this program: docs/accepting.md explains that.",
}
"""Rules whose own text is enough, with the reason."""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: pull  # old: hunter2hunter2
  annotations: {kubernetes.io/service-account.name: builder}
type: kubernetes.io/service-account-token
stringData:
  token: hunter2hunter2
"""

REVEALED = """\
apiVersion: image.openshift.io/v1
kind: ImageStream
metadata: {name: db}
spec: {tags: [{name: "15", from: {kind: DockerImage, name: "registry.redhat.io/rhel9/postgresql-15:1"}}]}
---
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: db}
spec:
  replicas: 1
  selector: {app: db}
  triggers:
  - {type: ImageChange, imageChangeParams: {automatic: true, containerNames: [db], from: {kind: ImageStreamTag, name: "db:15"}}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: " "}]}
"""


def fixed(folder: Path, source: str = "auto") -> tuple[dict[str, SourceFile], LocalRun]:
    tree = read_tree([folder])
    return {f.path: f for f in tree.read()[0]}, fix_tree(tree, options_for(folder, source, None))


def explained(folder: Path, rule_id: str) -> Explanation:
    files, done = fixed(folder)
    outcome, violation = next((o, v) for o in done.outcomes for v in o.violations if v.rule_id == rule_id)
    return explain(files[outcome.path], outcome, violation, done.setup, own_articles)


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(["explain", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_every_rule_has_an_article_or_says_why_not() -> None:
    silent = {rule.id for rule in built_in() if not own_articles(rule.id)}
    assert silent == ALONE.keys()
    assert all(article.title and article.text for rule in built_in() for article in own_articles(rule.id))


def test_every_rule_s_articles_give_a_passage_and_dated_pages() -> None:
    for rule in built_in():
        for reading in readings(own_articles(rule.id), words_of(rule)):
            assert reading.passage.strip(), rule.id
            assert "Also described as" not in reading.passage, rule.id
            assert reading.links, reading.title
            assert all(url.startswith("https://") and day for url, day in reading.links), reading.title


@pytest.mark.parametrize("rule_id", ["AKS0101", "AKS0201", "AKS0801"])
def test_a_rule_s_page(rule_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, rule_id.lower())
    assert code == 0
    assert out == (GOLDEN / f"{rule_id}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_finding_of_the_samples_is_explained_at_its_line(sample: str) -> None:
    files, done = fixed(PROJECT / "samples" / sample)
    found = [(o, v) for o in done.outcomes for v in o.violations if o.path in files]
    assert len(found) >= 10
    for outcome, violation in found:
        file = files[outcome.path]
        assert violation in at_line(file, outcome, violation.line)
        told = explain(file, outcome, violation, done.setup, own_articles)
        assert [line.number for line in told.now if line.here] == [violation.line]
        assert told.outlook
        assert told.why == by_id()[violation.rule_id].why
        assert bool(told.steps) == (violation.resolution in ("fixed", "suggested")), violation
        assert told.readings
        json.dumps(told.to_json())


def test_the_slice_is_the_way_to_the_place(tmp_path: Path) -> None:
    told = explained(write(tmp_path, claim=CLAIM), "AKS0101")
    assert [(line.number, line.text, line.here) for line in told.now] == [
        (3, "kind: PersistentVolumeClaim", False),
        (5, "  name: data", False),
        (6, "spec:", False),
        (7, "  storageClassName: local-path  # k3s", True),
    ]
    assert [(s.op, s.path, s.before, s.after) for s in told.steps] == [("replace", "/spec/storageClassName", "local-path", "managed-csi")]


def test_a_finding_that_waits_names_its_question_and_the_lines_that_answer_it() -> None:
    told = explained(PROJECT / "samples" / "k3s-shop", "AKS0601")
    assert [q.key for q in told.waiting.questions] == ["loadBalancers.shop/till"]
    assert told.answer.startswith("loadBalancers:\n")
    assert told.answer.endswith('"shop/till": "internal"\n')
    assert told.steps == ()


def test_a_finding_that_a_conversion_brings_to_light_names_its_question(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(REVEALED)
    told = explained(tmp_path, "AKS0710")
    assert told.violation.resolution == "needs-human"
    assert [q.key for q in told.waiting.questions] == ["registries.[registry.redhat.io]"]


def test_what_another_fix_took_away_asks_nothing() -> None:
    told = explained(PROJECT / "samples" / "okd-portal", "AKS0701")
    assert told.violation.resolution == "ignored"
    assert told.waiting.questions == ()


def test_what_is_suggested_shows_what_it_would_do() -> None:
    told = explained(PROJECT / "samples" / "k3s-shop", "AKS0603")
    assert told.violation.resolution == "suggested"
    assert [(s.op, s.path, s.before, s.after) for s in told.steps] == [("remove", "/spec/loadBalancerIP", "192.168.10.40", "")]
    assert told.waiting.resources[0].command.startswith("az network public-ip create")


def test_a_loss_is_explained_by_the_articles_of_the_fix_that_loses_it() -> None:
    files, done = fixed(PROJECT / "samples" / "k3s-shop")
    outcome = next(o for o in done.outcomes if o.path == "40-backup.yaml")
    loss = next(v for v in outcome.violations if v.rule_id == "AKS0002")
    told = explain(files[outcome.path], outcome, loss, done.setup, own_articles)
    assert "Azure Files" in loss.message
    assert {r.document.name for r in told.readings} == {d.name for d in own_articles("AKS0101")}


def test_no_value_of_a_secret_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, secret=SECRET)
    for form in ("text", "json"):
        _, out, _ = said(capsys, tmp_path / "secret.yaml:8", "--format", form)
        assert "AKS0739" in out
        assert "hunter2" not in out
    told = explained(tmp_path, "AKS0739")
    shown = [line.text for line in told.now] + [text for s in told.steps for text in (s.before, s.after)]
    assert any("***" in text for text in shown)
    assert not any("hunter2" in text for text in shown)


def test_a_credential_outside_of_a_secret_is_not_shown_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, claim=CLAIM.replace("# k3s", "# password=correct-horse-battery"))
    _, out, _ = said(capsys, tmp_path / "claim.yaml:7")
    assert "# password=***" in out
    assert "correct-horse" not in out


def test_control_characters_of_a_file_are_named_and_long_lines_cut(tmp_path: Path) -> None:
    write(tmp_path, claim=CLAIM.replace("# k3s", "# \u202ek3s" + "x" * 500))
    line = next(line for line in explained(tmp_path, "AKS0101").now if line.here)
    assert "<U+202E>k3s" in line.text
    assert len(line.text) == WIDTH


def test_a_line_inside_an_object_means_the_innermost_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = PROJECT / "samples" / "k3s-shop" / "20-web.yaml"
    _, out, _ = said(capsys, f"{sample}:24", "--format", "json")
    found = json.loads(out)
    assert (found["schemaVersion"], found["line"]) == (1, 24)
    assert [(f["ruleId"], f["line"]) for f in found["findings"]] == [("AKS0801", 23)]


def test_nothing_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, claim=CLAIM, chart="replicas: 1\n", template=CLAIM.replace("local-path", "{{ .Values.class }}"))
    place = tmp_path / "claim.yaml"
    assert said(capsys, f"{place}:1") == (0, f"{place}:1: nothing is found here; findings are at {place}:7\n", "")
    code, out, _ = said(capsys, tmp_path / "chart.yaml:1")
    assert (code, out.count("\n"), ": skipped: " in out) == (0, 1, True)
    code, out, _ = said(capsys, tmp_path / "template.yaml:7")
    assert (code, out.count("\n"), ": refused: " in out) == (1, 1, True)


@pytest.mark.parametrize(
    "arguments",
    [["AKS9999"], ["claim.yaml"], ["none.yaml:1"], ["claim.yaml:0"], ["claim.yaml:99"], [""], ["claim.yaml:7", "--target", "none"],
     ["claim.yaml:7", "--within", "none"], ["claim.yaml:7", "--within", "sub"], ["claim.yaml:7", "--knowledge", "none"]],
)  # fmt: skip
def test_what_cannot_be_used_is_one_line_and_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(write(tmp_path, claim=CLAIM, sub__claim=CLAIM))
    code, out, err = said(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("aks-copilot: ")


def test_the_application_around_the_file_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, app__claim=CLAIM)
    (tmp_path / ".aks-copilot.yaml").write_text("storageClasses:\n  local-path: managed-csi-premium\n")
    _, alone, _ = said(capsys, tmp_path / "app" / "claim.yaml:7")
    _, within, _ = said(capsys, tmp_path / "app" / "claim.yaml:7:3", "--within", tmp_path)
    assert "+ managed-csi\n" in alone
    assert "+ managed-csi-premium\n" in within


def test_a_team_s_article_is_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    team = tmp_path / "team"
    (team / "articles").mkdir(parents=True)
    (team / "articles" / "ours.md").write_text(
        "---\ntitle: The storage class that does not exist on our AKS\nrules: [AKS0101]\nsources: [https://wiki.example.com/disks]\n---\n"
        "Our storage class for a claim of another cluster is zebra-disks.\n"
    )
    code, out, _ = said(capsys, "AKS0101", "--knowledge", team)
    assert code == 0
    assert "Read on: The storage class that does not exist on our AKS\n    Our storage class" in out
    assert "    https://wiki.example.com/disks\n" in out


def test_a_team_s_rule_is_explained_like_the_program_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rules").mkdir()
    rule = skeleton("TEAM0001", "Our own limit", tmp_path).replace("{name} needs a look.", "Ours: {name}.")
    (tmp_path / "rules" / "TEAM0001-limit.yaml").write_text(rule)
    write(tmp_path, app__svc="apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  externalIPs: [10.0.0.1]\n")
    code, out, _ = said(capsys, "team0001", "--knowledge", tmp_path)
    assert (code, out.split("\n")[0]) == (0, "warning TEAM0001 Our own limit")
    code, out, _ = said(capsys, tmp_path / "app" / "svc.yaml:5", "--knowledge", tmp_path, "--format", "json")
    found = [f for f in json.loads(out)["findings"] if f["ruleId"] == "TEAM0001"]
    assert [(f["message"], f["readings"]) for f in found] == [("Ours: web.", [])]
    assert said(capsys, "TEAM0001")[0] == 2


def test_a_terminal_gets_the_article_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stdout", screen)
    assert run(["explain", "AKS0523"]) == 0
    text = screen.getvalue()
    assert "|---|" not in text
    assert "topology.kubernetes.io/zone" in text


def test_a_long_list_gives_the_rows_that_are_nearest() -> None:
    rows = "\n".join(f"- **thing{n}** is about nothing" for n in range(9)) + "\n- the storage class decides"
    document = document_of("articles/a.md", f"Things:\n\n{rows}")
    [reading] = readings([document], "storage class")
    assert reading.passage.startswith("Things:\n\n- ")
    assert reading.passage.count("\n- ") == ROWS
    assert reading.passage.endswith("- the storage class decides")
    assert reading.links == ()


def test_articles_are_found_by_their_front_matter_alone() -> None:
    document = document_of("articles/a.md", "---\nrules: [AKS0101]\n---\nAKS0102 is only mentioned.")
    find = among([document, document_of("articles/b.md", "AKS0101")])
    assert [d.name for d in find("AKS0101")] == ["articles/a.md"]
    assert find("AKS0102") == []
    assert {f"articles/{p.name}" for p in ARTICLES.glob("*.md")} >= {d.name for d in own_articles("AKS0101")}


def test_a_value_is_cut_and_a_text_stays_a_text() -> None:
    assert as_yaml("yes") == "yes"
    assert as_yaml(True) == "true"
    assert as_yaml({"a": [1, None]}) == "a:\n- 1\n- null"
    assert as_yaml({"a": "x" * 500}) == "a: " + "x" * (WIDTH - 4) + "…"
    assert as_yaml(list(range(40))).split("\n")[-2:] == ["- 10", "... and 29 more lines"]


def test_a_finding_of_a_values_file_shows_its_key(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (tmp_path / "values.yaml").write_text("persistence:\n  storageClass: local-path\n")
    write(tmp_path, templates__claim=CLAIM.replace("local-path  # k3s", "{{ .Values.persistence.storageClass }}"))
    files, done = fixed(tmp_path, "k3s")
    outcomes: dict[str, FileOutcome] = {o.path: o for o in done.outcomes}
    outcome = outcomes["values.yaml"]
    assert [v.rule_id for v in outcome.violations] == ["AKS0008"]
    told = explain(files["values.yaml"], outcome, outcome.violations[0], done.setup, own_articles)
    assert [(line.number, line.text) for line in told.now] == [(1, "persistence:"), (2, "  storageClass: local-path")]
    assert told.steps == ()
