"""The pull request on the emulator: one branch, one pull request, whatever is pushed, repeated, closed, merged or deleted."""

from __future__ import annotations

import json

import pytest
from emulate_support import Emulate
from manifest_support import OLD_CRON
from pull_support import BRANCH, FOLDER, SETTINGS, Site, claim

from shared.domain.code_host import EXECUTABLE
from shared.domain.webhook import is_own_commit
from shared.pipeline import names

APP = f"{FOLDER}/app.yaml"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:1.2.3
"""


def test_a_push_becomes_a_branch_with_the_result_and_a_pull_request(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(), f"{FOLDER}/cron.yaml": OLD_CRON, "README.md": "hello\n"})

    head = site.push()

    (pull,) = site.repository.pulls()
    assert (pull["title"], pull["state"], pull["head"]["ref"], pull["base"]["ref"]) == ("Move shop to AKS", "open", BRANCH, "main")
    assert site.last == {
        "url": pull["html_url"], "number": 1, "branch": BRANCH, "state": "open", "result": site.last["result"],
    }  # fmt: skip
    before, after = site.files("main"), site.files()
    assert after == before | {f"{FOLDER}/{path}": data for path, data in site.results().items()}
    assert b"storageClassName: managed-csi   # of k3s" in after[APP]
    commits = site.commits(until=head)
    assert [c["message"].splitlines()[0] for c in commits] == [
        "Storage for AKS (shop)",
        "Removed API versions for AKS (shop)",
        "Questions and answers for AKS (shop)",
    ]
    (run,) = site.told
    assert all(is_own_commit(c["message"]) and c["message"].endswith(f"\n\nAks-Copilot-Run: {run}") for c in commits)
    assert "AKS0101 The storage class does not exist on AKS." in commits[0]["message"]
    assert "- app.yaml: Storage class local-path does not exist on AKS.\n" in commits[0]["message"]


def test_the_body_tells_where_the_results_are_what_is_asked_and_by_whom_it_was_made(emulate: Emulate) -> None:
    site = Site(
        emulate,
        {
            APP: DEPLOYMENT + "          envFrom: [{secretRef: {name: db}}]\n---\n" + claim(like="acme-gold"),
            f"{FOLDER}/data.yaml": claim("more"),
        },
    )

    site.push()

    (pull,) = site.repository.pulls()
    (run,) = site.told
    assert pull["body"].startswith("The manifests are changed where they are, in `deploy/shop`.")
    assert f"<https://copilot.example/{run}>" in pull["body"]
    assert "## Questions" in pull["body"]
    assert "- [ ] " in pull["body"]
    assert "acme-gold" in pull["body"]
    assert pull["body"].endswith(f"<!-- aks-copilot run={run} result={site.last['result']} -->\n")
    assert b"acme-gold" in site.files()[f"{FOLDER}/.aks-copilot.yaml"]


def test_real_bytes_are_pushed_and_masked_text_is_shown(emulate: Emulate) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\nstringData: {password: hunter2hunter2}\n"
    site = Site(emulate, {APP: secret + "---\n" + claim()})

    site.push()

    assert b"hunter2hunter2" in site.files()[APP]
    assert "hunter2hunter2" not in json.dumps(site.repository.pulls()) + json.dumps(site.commits())


def test_the_next_push_brings_the_same_branch_and_pull_request_up_to_date(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    first = site.last["result"]

    head = site.push({APP: claim("other"), "README.md": "new\n"})

    (pull,) = site.repository.pulls()
    assert (pull["state"], site.last["number"]) == ("open", 1)
    assert site.last["result"] != first
    assert site.last["result"] in pull["body"]
    assert site.commits()[0]["parents"][0]["sha"] == head
    assert b"name: other" in site.files()[APP]
    assert b"managed-csi" in site.files()[APP]


def test_the_same_run_again_changes_nothing_and_makes_the_same_commits(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    made = site.repository.head(BRANCH)
    (run,) = site.told
    emulate.clear()

    assert site.tell(run) == site.told[run]
    assert [
        seen.path for seen in emulate.github.seen if seen.method in ("PATCH", "DELETE", "PUT") or seen.path.endswith(("refs", "pulls"))
    ] == []

    site.restart()  # nothing is remembered, so everything is made anew
    site.deliver()
    assert site.repository.head(BRANCH) == made
    assert len(site.repository.pulls()) == 1


def test_a_message_of_an_older_run_changes_nothing(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    (old,) = site.told
    site.push({APP: claim("other")})
    made, told = site.repository.head(BRANCH), dict(site.told)
    site.forget(old)

    assert site.tell(old) == {"superseded": site.repository.head()}
    assert site.tell(site.newest) == site.last
    assert site.repository.head(BRANCH) == made
    assert site.told == {run: entry for run, entry in told.items() if run != old}


def test_a_push_that_touches_other_files_does_not_supersede(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    commit = site.repository.head()
    newer = site.repository.push({"docs/a.md": "x"})

    site.deliver(after=commit)

    assert site.last["state"] == "open"
    assert site.commits()[0]["parents"][0]["sha"] == newer
    assert site.files()["docs/a.md"] == b"x"


@pytest.mark.parametrize("layout", ["in-place", "folder"])
def test_questions_alone_are_worth_a_pull_request(emulate: Emulate, layout: str) -> None:
    site = Site(emulate, {APP: claim(like="acme-gold")}, layout)

    site.push()

    (pull,) = site.repository.pulls()
    assert "storageClasses.acme-gold" in pull["body"]
    assert pull["body"].startswith("No manifest changes yet: the questions come first.")
    assert site.files().keys() - site.files("main").keys() == {f"{FOLDER}/.aks-copilot.yaml"}
    answered = site.files()[f"{FOLDER}/.aks-copilot.yaml"] + b"storageClasses: {acme-gold: managed-csi-premium}\n"
    site.push({f"{FOLDER}/.aks-copilot.yaml": answered})
    assert [p["number"] for p in site.repository.pulls()] == [1]
    changed = site.files()[APP if layout == "in-place" else f"{FOLDER}-aks/app.yaml"]
    assert b"storageClassName: managed-csi-premium" in changed
    assert "acme-gold" not in site.repository.pulls()[0]["body"].partition("## Changed, and why")[0]
    assert "No manifest changes yet" not in site.repository.pulls()[0]["body"]


def test_where_nothing_needs_a_change_no_pull_request_is_opened(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim(like="managed-csi"), f"{FOLDER}/.aks-copilot.yaml": "resources: {default: keep}\n"})

    site.push()

    assert site.repository.pulls() == []
    assert site.branches() == ["main"]
    assert list(site.told.values()) == [{}]


def test_where_nothing_is_left_to_change_an_open_one_is_told_and_closed(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()

    site.push({APP: claim(like="managed-csi")})
    (pull,) = site.repository.pulls()
    assert pull["state"] == "closed"
    assert pull["body"].startswith("Nothing is left to change: `main`")
    assert "What needs a person is in the report." not in pull["body"]
    (comment,) = site.repository.call("GET", "/issues/1/comments")
    assert comment["body"].startswith("Nothing is left to change")
    assert site.last["state"] == "closed: nothing is left to change"

    site.push({APP: claim()})
    assert [(p["number"], p["state"]) for p in site.repository.pulls()] == [(1, "open")]


def test_a_run_that_could_not_look_at_the_files_closes_nothing(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    before = site.repository.pulls()

    site.push({f"{FOLDER}/.aks-copilot.yaml": "storageClasses: [broken\n"})

    assert {entry["status"] for entry in site.world.report(site.newest).values()} == {"failed"}
    assert site.repository.pulls() == before
    assert site.last["state"] == "open: the last run could not look at every file"


def test_an_open_one_with_commits_of_others_is_told_and_stays_open(emulate: Emulate) -> None:
    site = Site(emulate, {APP: claim()})
    site.push()
    site.repository.push({"NOTES.md": "mine\n"}, branch=BRANCH)

    site.push({APP: claim(like="managed-csi")})

    (pull,) = site.repository.pulls()
    assert pull["state"] == "open"
    assert len(site.repository.call("GET", "/issues/1/comments")) == 1
    assert site.files()["NOTES.md"] == b"mine\n"


def test_modes_are_kept_and_files_that_end_empty_are_deleted(emulate: Emulate) -> None:
    gone = "apiVersion: project.openshift.io/v1\nkind: ProjectRequest\nmetadata: {name: shop}\n"
    site = Site(emulate, {f"{FOLDER}/b.yaml": claim("b")}, settings=SETTINGS.replace("k3s", "okd"))
    site.repository.push({APP: claim(), f"{FOLDER}/gone.yaml": gone}, modes={APP: EXECUTABLE})

    site.push()

    tree = site.repository.call("GET", f"/git/trees/{site.repository.head(BRANCH)}?recursive=1")["tree"]
    kinds = {entry["path"]: entry["mode"] for entry in tree}
    assert kinds[APP] == EXECUTABLE
    removed = json.loads(site.world.blobs.texts(names.PATCHED)[f"{next(iter(site.told))}/{names.REMOVED}"])["removed"]
    assert [path for path in removed if f"{FOLDER}/{path}" in kinds] == []


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + claim().encode(), claim().replace("\n", "\r\n").encode(), claim("a\u00e9").encode()])
def test_bytes_arrive_as_they_are(emulate: Emulate, data: bytes) -> None:
    site = Site(emulate, {APP: data})

    site.push()

    assert site.files()[APP] == data.replace(b"local-path", b"managed-csi") == site.results()["app.yaml"]


def test_three_hundred_files_are_a_few_requests(emulate: Emulate) -> None:
    site = Site(emulate, {f"{FOLDER}/c{n:03d}.yaml": claim(f"c{n}") for n in range(310)})
    emulate.clear()

    site.push()

    after = site.files()
    assert all(b"managed-csi" in after[f"{FOLDER}/c{n:03d}.yaml"] for n in range(310))
    assert len([seen for seen in emulate.github.seen if seen.method == "POST"]) < 10


def test_each_further_branch_has_a_branch_and_a_pull_request_of_its_own(emulate: Emulate) -> None:
    settings = SETTINGS.replace("repository:\n", "repository:\n  branches: [main, 'release/*']\n")
    site = Site(emulate, {APP: claim()}, settings=settings)
    site.repository.push({APP: claim("old")}, branch="release/1")

    site.push()
    site.deliver(branch="release/1")

    pulls = {p["head"]["ref"]: p["base"]["ref"] for p in site.repository.pulls()}
    assert pulls == {BRANCH: "main", f"{BRANCH}@release/1": "release/1"}


@pytest.mark.parametrize("results", ["check", "none"])
def test_who_wants_no_pull_request_gets_none(emulate: Emulate, results: str) -> None:
    site = Site(emulate, {APP: claim()}, settings=SETTINGS.replace("  source:", f"  results: {results}\n  source:"))

    site.push()

    assert site.repository.pulls() == []
    assert list(site.told.values()) == [{}]
