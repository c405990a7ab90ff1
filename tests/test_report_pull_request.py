"""The body of a pull request: inside GitHub's limit whatever the run, what is cut is counted, and no text of a manifest acts on GitHub."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import report_values as values

from shared.domain.model import FileOutcome, PatchOperation, Question
from shared.domain.report.pull_request import LIMIT, body, length

GOLDEN = Path(__file__).parent / "golden" / "pull_request.md"


def crowd(files: int) -> list[FileOutcome]:
    """An application in which every file asks, is changed and has findings of its own."""
    made = []
    for n in range(files):
        text = f"Image registry.lan/shop/app{n}:1 cannot be pulled on AKS. " + "🚀" * 40
        found = tuple(
            values.violation(f"TST{number:04}", message=text, resolution=resolution)
            for number, resolution in ((n % 50, "needs-human"), (n % 70 + 100, "fixed"), (n % 30 + 200, "suggested"))
        )
        asked = Question(f"images.app{n}", f"Which image is app{n}?", f"acr.azurecr.io/app{n}:1")
        made.append(FileOutcome(f"apps/{n:04}.yaml", "patched", None, 1, found, questions=(asked,)))
    return made


def test_the_body_is_the_golden_one() -> None:
    """Set AKS_UPDATE_GOLDEN=1 to write it anew, then read the difference."""
    text = body(values.setup(), values.outcomes(), values.diffs())
    if os.environ.get("AKS_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_questions_are_tasks_and_come_first() -> None:
    text = body(values.setup(), values.outcomes(), values.diffs(), first_line="> The source cluster reads this branch.")
    assert text.startswith("> The source cluster reads this branch.\n\n**shop: 1 to decide")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles[:4] == ["Questions", "Refused or failed: left exactly as they were", "Needs a person", "Changed, and why"]
    assert "- [ ] Where do images of registry.local live on Azure? Key `registries.registry\\.local`" in text


@pytest.mark.parametrize("limit", [4_000, 10_000, LIMIT, 1_000_000])
@pytest.mark.parametrize("files", [1, 40, 1500])
def test_a_body_keeps_its_limit_and_tells_what_is_missing(files: int, limit: int) -> None:
    text = body(values.setup(), crowd(files), {}, limit=limit)
    assert length(text) <= limit
    assert length("🚀") == 2
    for title, noun, entry, wanted in (
        ("Questions", "questions", r"^- \[ \] ", files),
        ("Needs a person", "rules", r"^### ", min(files, 50)),
        ("Changed, and why", "rules", r"^### ", min(files, 70)),
        ("Suggested, not applied", "rules", r"^### ", min(files, 30)),
        ("Changed files", "files", r"^- ", files),
    ):
        section = re.split(r"^## ", text.partition(f"## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
        cut = re.search(rf"\*\*(\d+) more {noun} not shown here", section)
        assert len(re.findall(entry, section, re.MULTILINE)) + (int(cut[1]) if cut else 0) == wanted, title
        assert cut is None or limit < 1_000_000


def test_a_change_that_many_files_would_get_is_told_once_with_its_files() -> None:
    operation = PatchOperation("remove", "/0/spec/nodeSelector", "TST0301", disposition="unsafe")
    found = values.violation("TST0301", resolution="suggested")
    files = [FileOutcome(f"{n}.yaml", "unchanged", None, 1, (found,), suggestions=(operation,)) for n in range(5)]
    text = body(values.setup(), files, {})
    assert "- It would: `remove /0/spec/nodeSelector` (0.yaml, 1.yaml, 2.yaml and 2 more)\n" in text


def test_too_little_room_is_an_error_and_not_a_cut_count() -> None:
    with pytest.raises(ValueError, match="500 characters are too few"):
        body(values.setup(), crowd(3), {}, limit=500)


def test_text_of_a_manifest_calls_nobody_and_refers_to_nothing() -> None:
    evil = "@alice/team fixes #12 GH-3 a/b#4 https://github.com/a/b/issues/5 www.evil.example <img src=x> [x](y) \x1b\u202e `z`\n- [x] done"
    ref = replace(values.violation("X").resource, name=evil)  # type: ignore[type-var]
    found = values.violation("TST0101", message=evil, title=evil, resource=ref, links=("javascript:alert(1)",))
    outcome = FileOutcome(f"a {evil}", "patched", None, 1, (found,), questions=(Question("storageClasses.gold", evil, evil),))
    setup = replace(values.setup(), app=evil, target={"title": evil})
    text = re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", body(setup, [outcome], {}))  # nothing acts inside code
    assert "alice" in text
    assert not re.search(
        r"@\w|#\d|GH-\d|https?://|\bwww\.|(?<!\\)<(?!!-- -->)|\[x\]\(|^- \[x\]|[\x1b\u202e]|javascript:alert\(1\)>", text, re.MULTILINE
    )


def test_no_value_of_a_secret_is_in_the_body() -> None:
    found = values.violation("TST0101", message=f"DB_PASSWORD={values.PASSWORD} is set.", resolution="fixed")
    outcome = FileOutcome("a.yaml", "patched", f"token: {values.PASSWORD}", 1, (found,))
    text = body(values.setup(), [*values.outcomes(), outcome, replace(outcome, path="b.yaml", status="refused")], values.diffs())
    assert values.PASSWORD not in text
    assert "DB\\_PASSWORD=\\*\\*\\*" in text


def test_a_long_name_is_cut_and_ten_thousand_characters_are_always_enough() -> None:
    evil = "@a#1" * 5000
    setup = replace(values.setup(), app=evil, source=replace(values.setup().source, profile=evil), target={"title": evil})
    assert length(body(setup, crowd(3), {}, limit=10_000)) <= 10_000
