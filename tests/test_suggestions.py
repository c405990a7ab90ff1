"""What is suggested on a user's pull request: the right text, each suggestion sound by itself, nothing that would need another file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_support import OLD_CRON

from shared.domain.code_review import Shown, shown_lines
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.manifest import read_manifest
from shared.domain.model import ResourceRef, Violation
from shared.domain.patcher import patch
from shared.domain.report.masking import masked_diff
from shared.domain.report.review import comment, gravest, marks, review_text
from shared.domain.run import RunOptions, SourceFile
from shared.domain.suggestions import LEAST_WORK, Changed, Suggestion, mark, suggestions
from shared.domain.thinker import propose

SAMPLES = Path(__file__).parents[1] / "samples"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
CORPUS_STEP = 13
"""One file in so many: all of them take half a minute."""
CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {name}
spec:
  storageClassName: {storage}   # where the data is
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 1Gi}}}}
"""


def claim(name: str = "data", storage: str = "local-path") -> str:
    return CLAIM.format(name=name, storage=storage)


def looked_at(
    files: Mapping[str, str], path: str = "a.yaml", source: str = "k3s", shown: Shown | None = None, told: Sequence[str] = ()
) -> list[Suggestion]:
    """The suggestions for one file, of which the pull request changes every line."""
    sources = [SourceFile(name, text.encode()) for name, text in sorted(files.items())]
    setup = plan_run(sources, RunOptions("shop", source))
    outcomes = []
    for file in sources:
        findings = inspect(file, setup)
        outcomes.append(patch(file, findings, propose(file, findings, setup), setup).outcome)
    (outcome,) = [one for one in outcomes if one.path == path]
    data = files[path].encode()
    return list(suggestions(setup, outcomes, [Changed(outcome, data, path, shown or everything(data))], told))


def everything(data: bytes) -> Shown:
    count = len(data.splitlines())
    return Shown(((1, count),), frozenset(range(1, count + 1)))


LAST_LINE = """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: x}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
  storageClassName: local-path"""


@pytest.mark.parametrize(
    "text",
    [
        claim().replace("\n", "\r\n"),
        "\ufeff" + claim(),
        claim().replace("# where the data is", "# ```"),
        claim().replace("# where the data is", "# turned \u202e round"),
        LAST_LINE,
    ],
    ids=["carriage returns", "byte order mark", "fence", "direction", "no final newline"],
)
def test_text_that_could_not_be_kept_is_not_suggested(text: str) -> None:
    assert looked_at({"a.yaml": claim()})
    assert looked_at({"a.yaml": text}) == []


def test_a_file_without_a_final_newline_is_fine_where_its_last_line_stays() -> None:
    assert len(looked_at({"a.yaml": claim().removesuffix("\n")})) == 1


KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n"
INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: traefik
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""


def test_what_another_file_would_have_to_follow_is_not_suggested() -> None:
    assert len(looked_at({"a.yaml": OLD_CRON})) == 1
    assert looked_at({"a.yaml": OLD_CRON, "kustomization.yaml": KUSTOMIZATION}) == []  # its patches may name the old version
    assert looked_at({"a.yaml": INGRESS}) == []  # the Gateway is a file of its own
    config = (SAMPLES / "okd-portal" / "deploymentconfig.yaml").read_text()
    assert looked_at({"a.yaml": config}, source="okd") == []  # an HPA may name the old kind


def test_a_document_that_becomes_others_is_not_suggested() -> None:
    template = "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nobjects:\n"
    template += "- " + LAST_LINE.replace("\n", "\n  ") + "\n"
    file = SourceFile("a.yaml", template.encode())
    setup = plan_run([file], RunOptions("shop", "okd"))

    assert "/0" in {op.path for op in propose(file, inspect(file, setup), setup).operations}
    assert looked_at({"a.yaml": template}, source="okd") == []


def test_one_pull_request_cannot_keep_the_program_busy_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "---\n".join(claim(f"c{n}") for n in range(5))
    monkeypatch.setattr("shared.domain.suggestions.MOST_WORK", 3 * LEAST_WORK)

    assert [one.start for one in looked_at({"a.yaml": text})] == [6, 15, 24]
    monkeypatch.setattr("shared.domain.suggestions.MOST_BYTES", len(text) - 1)
    assert looked_at({"a.yaml": text}) == []


def test_a_secret_is_never_suggested() -> None:
    hidden = "hunter2-hunter2-hunter2"
    claimed = claim().replace("# where the data is", f"# password: {hidden}")
    plain = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {hidden}}}\n---\n"

    assert looked_at({"a.yaml": claimed}) == []
    (one,) = looked_at({"a.yaml": plain + claim()})
    assert hidden not in one.text


def test_only_safe_fixes_are_suggested() -> None:
    pinned = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  nodeName: worker-3\n  containers:\n"
    pinned += "    - {name: web, image: docker.io/library/nginx:1.27.2}\n"
    file = SourceFile("a.yaml", pinned.encode())
    setup = plan_run([file], RunOptions("shop", "k3s"))

    assert [op.disposition for op in propose(file, inspect(file, setup), setup).suggestions] == ["unsafe"]
    assert looked_at({"a.yaml": pinned}) == []


def test_two_fixes_on_the_same_line_are_one_suggestion() -> None:
    one = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: %s}, spec: {storageClassName: local-path, "
    one += "accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}"
    text = f"apiVersion: v1\nkind: List\nitems:\n  [{one % 'a'}, {one % 'b'}]\n"

    found = looked_at({"a.yaml": text})

    assert [(f.start, f.end, len(f.violations)) for f in found] == [(4, 4, 2)]
    assert found[0].text.count("managed-csi") == 2


def test_fixes_of_one_file_are_proven_and_told_one_by_one() -> None:
    text = "---\n".join(claim(f"c{n}", "longhorn" if n % 2 else "local-path") for n in range(5))

    found = looked_at({"a.yaml": text})

    assert [one.start for one in found] == [6, 15, 24, 33, 42]
    told = found[2].marks
    assert [one.start for one in looked_at({"a.yaml": text}, told=told)] == [6, 15, 33, 42]


def test_an_insertion_stands_on_a_line_that_the_pull_request_shows() -> None:
    text = (SAMPLES / "k3s-shop" / "20-web.yaml").read_text()
    whole = looked_at({"a.yaml": text})
    for one in whole:
        narrow = Shown(((one.start, one.end),), frozenset([one.start]))
        assert looked_at({"a.yaml": text}, shown=narrow) == [one]
    assert whole
    assert looked_at({"a.yaml": text}, shown=Shown((), frozenset())) == []


def test_the_mark_says_what_is_meant_and_not_where() -> None:
    here = Violation("AKS0101", "t", "error", 0, "/spec/x", 6, 3, ResourceRef("v1", "PersistentVolumeClaim", None, "data"), "m")
    moved = Violation("AKS0101", "t", "error", 4, "/spec/x", 60, 9, ResourceRef("v1", "PersistentVolumeClaim", None, "data"), "m")
    other = Violation("AKS0101", "t", "error", 0, "/spec/x", 6, 3, ResourceRef("v1", "PersistentVolumeClaim", None, "more"), "m")

    assert mark("a.yaml", here) == mark("a.yaml", moved)
    assert len({mark("a.yaml", here), mark("b.yaml", here), mark("a.yaml", other)}) == 3


def suggested(severity: Any = "error", line: int = 6, message: str = "Storage class local-path does not exist.") -> Suggestion:
    found = Violation("AKS0101", "A title", severity, 0, "/spec/x", line, 3, None, message, ("javascript:alert(1)", "https://x.example/y"))
    return Suggestion("a.yaml", line, line, "  a: b\n", (found,))


def test_a_text_of_a_manifest_calls_nobody_and_hides_no_mark() -> None:
    text = comment(suggested(message="@team #12 <!-- aks-copilot suggested: abcdefabcdef --> password=hunter2hunter2"))["body"]

    assert "@team" not in text
    assert "#12" not in text
    assert "hunter2hunter2" not in text
    assert "javascript" not in text
    assert marks([text]) == set()


def test_the_gravest_come_first_and_all_marks_are_read_back() -> None:
    found = [suggested("info", 1), suggested("error", 9), suggested("warning", 3), suggested("error", 2)]

    assert [one.start for one in gravest(found)] == [2, 9, 3, 1]
    text = review_text("shop-0", found, "aks-copilot / shop", more=False)
    assert marks(["nothing", text]) == {m for one in found for m in one.marks}
    assert marks([review_text("shop-0", [], "x", more=True)]) == set()


def test_what_a_translation_loses_is_said_with_it() -> None:
    text = (SAMPLES / "k3s-shop" / "40-backup.yaml").read_text()

    (lossy,) = [one for one in looked_at({"a.yaml": text}) if "azurefile" in one.text]

    assert "What is lost: Azure Files over SMB keeps no owners" in comment(lossy)["body"]


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=40)


@settings(max_examples=60, deadline=None)
@given(LINES, LINES)
def test_shown_lines_are_those_of_the_new_side(old: list[str], new: list[str]) -> None:
    diff = masked_diff("x", "".join(old).encode(), "".join(new).encode())
    body = diff[diff.index("@@") :] if "@@" in diff else ""

    shown = shown_lines(body)

    for first, last in shown.hunks:
        listed = [line[1:] + "\n" for line in body.split("\n")]
        assert last <= len(new)
        assert all(new[n - 1] in listed for n in range(first, last + 1))
    kept = [line for n, line in enumerate(new, 1) if n not in shown.new]
    assert len(kept) + len([line for line in body.split("\n") if line.startswith("-")]) == len(old)


def test_every_suggestion_of_the_corpus_is_sound_alone_and_with_all_others() -> None:
    if not CORPUS.is_dir():
        pytest.skip("needs ../shared/corpus")
    about = re.compile(rb"local-path|longhorn|v1beta1|gp2|kubernetes\.io/role|standard-rwo")
    paths = [p for p in sorted(CORPUS.rglob("*.y*ml")) if p.is_file() and p.stat().st_size < 20_000]
    found = [len(assert_sound(p)) for p in [p for p in paths if about.search(p.read_bytes())][::CORPUS_STEP]]

    assert sum(found) > 5


def assert_sound(path: Path) -> list[Suggestion]:
    """Whichever suggestions are taken, the file is a manifest and what they mend is mended."""
    data = path.read_bytes()
    before = SourceFile("a.yaml", data)
    if inspect(before, setup := plan_run([before], RunOptions("x", "k3s"))).status != "unchanged":
        return []
    found = looked_at({"a.yaml": data.decode()})
    assert all(a.end < b.start for a, b in pairwise(found)), path
    for taken in (*([one] for one in found), found):
        after = SourceFile("a.yaml", with_taken(data.decode(), taken).encode())
        mended = {m for one in taken for m in one.marks}
        assert read_manifest("a.yaml", after.data).status == "manifest", path
        assert not mended & {mark("a.yaml", v) for v in inspect(after, setup).violations}, path
    return found


def with_taken(text: str, taken: Sequence[Suggestion]) -> str:
    lines = text.splitlines(keepends=True)
    for one in reversed(taken):
        lines[one.start - 1 : one.end] = [one.text]
    return "".join(lines)
