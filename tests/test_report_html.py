"""report.html: untrusted text stays text, nothing is fetched, every finding is there, and a large application's page still opens."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_values as values
from http_support import Handler, Server

from shared.domain.decisions import answer, read_decisions
from shared.domain.model import FileOutcome, Question, Resolution
from shared.domain.report import html_view, masked_diff
from shared.domain.report.html_page import report_html
from shared.domain.report.web import security_policy, visible, web_links

EVIL = (
    "</code></pre></style></script></title><script>alert(1)</script>"
    "<img src=x onerror=alert(2)>\" onclick='alert(3)' \x1b[31m\u202egnp{{ 7*7 }}"
)
SHOWN = "<img src=x onerror=alert(2)>\" onclick='alert(3)' <U+001B>[31m<U+202E>gnp{{ 7*7 }}"
VOID = ("meta", "input", "br")


class Page(HTMLParser):
    """What a browser makes of a page: elements with attributes, the text below each, and whether elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.open: list[int] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in VOID:
            self.open.append(len(self.texts) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            self.texts[element] += data

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        return [(attrs, text) for (name, attrs), text in zip(self.elements, self.texts, strict=True) if name == tag]


def page_of(*outcomes: FileOutcome, diffs: dict[str, str] | None = None) -> Page:
    return Page(report_html(values.setup(), outcomes, diffs or {}))


def test_the_page_says_what_the_run_found() -> None:
    page = Page(report_html(values.setup(), values.outcomes(), values.diffs()))
    assert [text for _, text in page.all("h1")] == ["shop: 1 to decide, 1 suggested, 1 refused, 1 failed"]
    assert [attrs["id"] for attrs, _ in page.all("h2")] == [
        "questions", "unread", "needs-human", "suggested", "fixed", "ignored", "changes", "resources", "untouched",
    ]  # fmt: skip
    rows = [text.strip() for _, text in page.all("tr")]
    assert "error0010" in rows
    assert "warning1100" in rows
    places = {(a["data-rule"], a["data-severity"], a["data-path"]) for a, _ in page.all("li") if "data-rule" in a}
    assert places == {(v.rule_id, v.severity, o.path) for o in values.outcomes() for v in o.violations}
    lines = dict.fromkeys(attrs["class"] for attrs, _ in page.all("span") if attrs.get("class") in ("add", "del", "hunk"))
    assert list(lines) == ["hunk", "del", "add"]
    assert 'replace /0/spec/x with {"emptyDir": {}}' in [text for _, text in page.all("li")]


def test_every_link_inside_the_page_leads_somewhere() -> None:
    page = Page(report_html(values.setup(), values.outcomes(), values.diffs()))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = [attrs["href"] for attrs, _ in page.all("a")]
    assert {t[1:] for t in targets if t.startswith("#")} <= set(ids)
    assert {t for t in targets if not t.startswith(("#", "https://learn.microsoft.com/"))} == {
        "cutover.md", "resources.md", "report.json", "report.sarif", "patch.json", "changes.diff", "report.md",
    }  # fmt: skip


def test_the_page_fetches_nothing_and_is_the_same_every_time() -> None:
    text = report_html(values.setup(), values.outcomes(), values.diffs())
    assert text == report_html(values.setup(), list(reversed(values.outcomes())), values.diffs())
    page = Page(text)
    assert not any("src" in attrs or "style" in attrs or tag in ("link", "img", "iframe", "base") for tag, attrs in page.elements)
    assert "url(" not in text
    assert "@import" not in text


def _hostile() -> list[FileOutcome]:
    ref = replace(values.violation("X").resource, kind=EVIL, name=EVIL)  # type: ignore[type-var]
    kinds: tuple[Resolution, ...] = ("needs-human", "suggested", "fixed", "ignored")
    found = tuple(
        values.violation(
            "TST0301", title=EVIL, message=EVIL, reason=f"{kind} {EVIL}", resource=ref, resolution=kind, links=("javascript:alert(4)",)
        )
        for kind in kinds
    )
    made = values.outcomes()[0]
    operation = replace(made.suggestions[0], path=f"/0/{EVIL}", value={EVIL: EVIL})
    resource = replace(made.resources[0], kind=EVIL, name=EVIL, why=EVIL, command=EVIL)
    question = Question("storageClasses.[" + EVIL.replace("]", "") + "]", EVIL, EVIL)
    return [
        FileOutcome(f"a{EVIL}", "patched", None, 1, found, suggestions=(operation,), resources=(resource,), questions=(question,)),
        FileOutcome(f"b{EVIL}", "refused", EVIL),
        FileOutcome(f"c{EVIL}", "skipped", EVIL),
    ]


def test_text_of_a_manifest_is_never_markup() -> None:
    diff = masked_diff(f"a{EVIL}", b"a: 1\n", f"a: {EVIL}\n".encode())
    setup = replace(values.setup(), app=EVIL, source=replace(values.setup().source, profile=EVIL, evidence=(EVIL,)), target={"title": EVIL})
    page = Page(report_html(setup, _hostile(), {f"a{EVIL}": diff}))
    calm = Page(report_html(values.setup(), values.outcomes(), values.diffs()))
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in calm.elements} | {"span"}
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert {name for _, attrs in page.elements for name in attrs} <= {name for _, attrs in calm.elements for name in attrs}
    assert not any("alert" in attrs.get("href", "") for _, attrs in page.elements)
    told = page.all("html")[0][1]
    assert told.count(SHOWN) > 20
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", told)


def test_only_links_of_the_web_are_links() -> None:
    links = (
        "https://a.example/x",
        "javascript:alert(1)",
        "data:text/html,x",
        " https://b.example",
        "//c.example",
        "HTTP://d.example",
        "x:https://e",
    )
    assert web_links(links) == ["https://a.example/x", "HTTP://d.example"]


def test_invisible_characters_are_named() -> None:
    assert visible("a\tb\nc\x00\x7f\u200b\udce9ü") == "a\tb\nc<U+0000><U+007F><U+200B><U+DCE9>ü"
    assert "caf<U+DCE9>.yaml" in page_of(FileOutcome("caf\udce9.yaml", "skipped", "no manifest")).all("main")[0][1]


def test_the_policy_allows_the_pages_own_script_and_style_only() -> None:
    text = report_html(values.setup(), values.outcomes(), values.diffs())
    policy = security_policy(text.encode())
    page = Page(text)
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.all(tag)[0][1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert policy == security_policy(text.replace("<main ", "<script>alert(1)</script><main ").encode())
    meta = next(attrs["content"] for attrs, _ in page.all("meta") if "http-equiv" in attrs)
    assert policy == f"{meta}; frame-ancestors 'none'"


def test_the_lines_under_the_questions_answer_them() -> None:
    keys = ("storageClasses.gold", "storageClasses.[a.b]", "registries.[registry.lan:5000]")
    asked = tuple(Question(key, f"What is {key}?", "managed-csi") for key in keys)
    page = page_of(FileOutcome("a.yaml", "unchanged", None, 1, questions=asked))
    registries, classes, everything = [text for _, text in page.all("code") if text.rstrip().endswith('"managed-csi"')]
    for lines in (registries + "\n" + classes, everything):
        assert [answer(read_decisions(lines.encode()), key) for key in keys] == ["managed-csi"] * 3
    assert "What is" not in classes
    assert "  # Used in a.yaml." in everything.splitlines()


def test_a_long_diff_is_cut_and_the_rest_is_counted() -> None:
    after = "".join(f"k{n}: {n}\n" for n in range(1000)).encode()
    page = page_of(FileOutcome("a.yaml", "created", None, 1), diffs={"a.yaml": masked_diff("a.yaml", b"", after)})
    assert len([1 for attrs, _ in page.all("span") if attrs.get("class") == "add"]) == html_view.DIFF_LINES - 1
    assert "601 more lines are not shown here: changes.diff has them all." in page.all("main")[0][1]
    assert "+1000" in page.all("main")[0][1]


def test_an_application_of_three_hundred_files_gives_a_page_that_opens() -> None:
    """Folded, and with a limit on what the browser has to lay out; the counts stay true."""
    after = "".join(f"k{n}: {n}\n" for n in range(300)).encode()
    diff = masked_diff("a.yaml", b"", after)
    found = tuple(values.violation("TST0101", line=n + 1, resolution="fixed") for n in range(20))
    paths = [f"apps/{n:03}.yaml" for n in range(300)]
    text = report_html(values.setup(), [FileOutcome(p, "patched", None, 1, found) for p in paths], dict.fromkeys(paths, diff))
    page = Page(text)
    assert len(text.encode()) < 2_000_000
    assert len([1 for attrs, _ in page.all("span") if attrs.get("class") == "add"]) <= html_view.PAGE_LINES
    assert not any("data-file" in attrs and "open" in attrs for attrs, _ in page.all("details"))
    assert "and 5800 more places: report.json has them all" in page.all("main")[0][1]
    assert "error0060000" in [row.strip() for _, row in page.all("tr")]


def test_a_run_without_findings_says_so() -> None:
    page = page_of()
    assert page.all("h1")[0][1] == "shop: no Kubernetes manifest found"
    assert page.all("h2") == []
    assert page.all("form") == []


@contextmanager
def served(page: bytes) -> Iterator[str]:
    """The address of a page that is served the way the API serves it."""

    class Api(Handler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", security_policy(page))
            self.end_headers()
            self.wfile.write(page)

    with Server(Api) as server:
        yield f"http://127.0.0.1:{server.port}/api/runs/shop-1/report?code=key&format=html"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium (apt-get install chromium)")
def test_in_a_browser_the_script_runs_filters_and_mends_links(tmp_path: Path) -> None:
    page = report_html(values.setup(), values.outcomes(), values.diffs()).encode()
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    with served(page) as address:
        dom = subprocess.run(["chromium", *flags, address], capture_output=True, text=True, timeout=60, check=True).stdout
    seen = Page(dom)
    assert [text for attrs, text in seen.all("output")] == ["4 of 4 places shown"]
    assert "hidden" not in seen.all("form")[0][0]
    assert {"?code=key&format=cutover", "?code=key&format=json"} <= {attrs["href"] for attrs, _ in seen.all("a")}
