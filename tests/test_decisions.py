"""`.aks-copilot.yaml` over several runs: answers stay, open questions come and go, slips of the pen are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from rule_support import finished

from shared.domain.decision_keys import GROUPS, RESERVED, asked_by, unknown_keys
from shared.domain.decisions import FILE_NAME, answer, read_decisions, sample_answers, skeleton, updates
from shared.domain.errors import ValidationError
from shared.domain.model import FileOutcome, Question
from shared.domain.rulebook import built_in
from shared.domain.run import FinishedRun

ROOT = Path(__file__).parents[1]
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - {name: a, image: 'registry.lan:5000/shop/a:1.0'}\n"
CLAIM = (
    "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
    "spec: {accessModes: [ReadWriteOnce], storageClassName: gold, resources: {requests: {storage: 1Gi}}}\n"
)
FIRST = "version: 1\nsource: okd\n"
ANSWERED = '# Ours.\nversion: 1\nsource: k3s  # pi cluster\nregistries:\n  "registry.lan:5000": shop.azurecr.io  # ask Ann\n'


def run(files: dict[str, str]) -> tuple[FinishedRun, dict[str, str]]:
    end, data = finished(files)
    return end, {path: text.decode() for path, text in data.items()}


def entry(finished: FinishedRun) -> FileOutcome:
    return next(o for o in finished.outcomes if o.path == FILE_NAME)


def open_keys(text: str) -> set[str]:
    return set((yaml.safe_load(text) or {}).get("open") or ())


def test_a_new_question_joins_an_existing_file_and_nothing_else_changes() -> None:
    finished, data = run({FILE_NAME: ANSWERED, "pod.yaml": POD, "claim.yaml": CLAIM})
    assert data[FILE_NAME].startswith(ANSWERED)
    assert "storageClasses.gold" in open_keys(data[FILE_NAME])
    assert "registries.[registry.lan:5000]" not in open_keys(data[FILE_NAME]), "an answered question is not asked again"
    assert "image: 'shop.azurecr.io/shop/a:1.0'" in data["pod.yaml"]
    assert (entry(finished).status, {o.rule_id for o in entry(finished).operations}) == ("patched", {"AKS0001"})


def test_an_answered_question_leaves_the_list_and_the_comments_stay() -> None:
    listed = ANSWERED + 'open:\n  # Ann knows.\n  "registries.[registry.lan:5000]": Which?\n  storageClasses.gold: Which class?\n'
    _, data = run({FILE_NAME: listed, "pod.yaml": POD, "claim.yaml": CLAIM})
    assert "registries.[registry.lan:5000]" not in open_keys(data[FILE_NAME])
    assert "storageClasses.gold: Which class?" in data[FILE_NAME]
    assert "# Ann knows." in data[FILE_NAME]


def test_a_question_that_is_not_asked_any_more_stays_until_somebody_takes_it_out() -> None:
    listed = ANSWERED + "open:\n  storageClasses.silver: Which class?\n"
    _, data = run({FILE_NAME: listed, "pod.yaml": POD})
    assert "storageClasses.silver" in open_keys(data[FILE_NAME]), "a known limit: a run of one folder does not see the others"


@pytest.mark.parametrize("existing", [None, ANSWERED, "", "# only a comment\n", "version: 1\nopen:\n", "source: k3s\r\nopen: {}\r\n"])
def test_the_next_run_changes_nothing(existing: str | None) -> None:
    files = {"pod.yaml": POD, "claim.yaml": CLAIM} | ({FILE_NAME: existing} if existing is not None else {})
    _, first = run(files)
    assert "storageClasses.gold" in open_keys(first[FILE_NAME]) or '#   "gold": "managed-csi"\n' in first[FILE_NAME]
    finished, second = run(first)
    assert second == first
    assert (entry(finished).status, entry(finished).operations) == ("skipped", ())


def test_a_question_is_asked_in_one_place_of_the_file() -> None:
    _, first = run({"claim.yaml": CLAIM})
    assert first[FILE_NAME].count("gold?") == 1
    answered = first[FILE_NAME].replace("# storageClasses:", "storageClasses:").replace('#   "gold"', '  "gold"')
    _, second = run({"claim.yaml": CLAIM, FILE_NAME: answered})
    assert second[FILE_NAME] == answered
    assert "storageClassName: managed-csi" in second["claim.yaml"]


def test_a_file_without_a_source_gets_it_recorded() -> None:
    _, data = run({FILE_NAME: "storageClasses: {gold: managed-csi}\n", "claim.yaml": CLAIM})
    assert yaml.safe_load(data[FILE_NAME])["source"] == "generic"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 1\nreplicas:\n  web: three\n", ".aks-copilot.yaml:3: the answer replicas.web must be a whole number"),
        ("registries: docker.io\n", ".aks-copilot.yaml:1: registries is not a mapping"),
        ("images: {a: 1.2}\n", ".aks-copilot.yaml:1: the answer images.a must be text"),
        ("loadBalancers: {web: maybe}\n", "must be public or internal"),
        ("open: [a]\n", ".aks-copilot.yaml:1: open is"),
    ],
)
def test_an_answer_of_a_wrong_form_is_one_line_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        read_decisions(text.encode())
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_key_that_nothing_reads_is_a_warning_with_its_line() -> None:
    finished, _ = run({FILE_NAME: "version: 1\nsource: k3s\nregistry: {a: b.azurecr.io}\n", "claim.yaml": CLAIM})
    warning = next(v for v in entry(finished).violations)
    assert (warning.rule_id, warning.severity, warning.line) == ("AKS0001", "warning", 3)
    assert warning.message == "Nothing reads the key registry; registries was meant, perhaps."


def test_the_sample_of_a_number_is_a_number() -> None:
    lines = skeleton("k3s", [Question("replicas.web", "How many?", "2"), Question("images.[a:1]", "Which?", "1")]).splitlines()
    assert '#   "web": 2' in lines
    assert '#   "a:1": "1"' in lines


def test_each_question_names_the_files_that_wait_for_its_answer() -> None:
    _, data = run({f"{name}.yaml": POD.replace("name: a}", f"name: {name}}}", 1) for name in ("a", "b", "c", "d", "odd\nname")})
    lines = data[FILE_NAME].splitlines()
    sample = next(i for i, line in enumerate(lines) if '"registry.lan:5000":' in line)
    assert lines[sample - 1] == "#   # Used in a.yaml, b.yaml, c.yaml and 2 more."
    _, data = run({"odd\nname: x.yaml": POD})
    assert set(read_decisions(data[FILE_NAME].encode())) == {"version", "source"}, "a file's name stays in the comment"


@pytest.mark.parametrize("said", ["keep", "gold"])
def test_a_class_that_stays_is_answered_and_the_rest_of_the_file_is_mended(said: str) -> None:
    other = CLAIM.replace("gold", "local-path").replace("data", "other")
    finished, data = run({FILE_NAME: f"version: 1\nsource: k3s\nstorageClasses: {{gold: {said}}}\n", "a.yaml": f"{CLAIM}---\n{other}"})
    assert data["a.yaml"] == f"{CLAIM}---\n{other.replace('local-path', 'managed-csi')}"
    found = next(v for o in finished.outcomes for v in o.violations if v.rule_id == "AKS0101" and "gold" in v.message)
    assert (found.resolution, found.reason) == ("ignored", "The answer leaves it as it is.")
    assert "open" not in data[FILE_NAME]


def test_a_registry_and_an_image_that_stay_are_answered() -> None:
    kept = f"{FIRST}registries: {{registry.redhat.io: keep}}\nimages: {{'registry.redhat.io/db:latest': keep}}\n"
    pod = POD.replace("registry.lan:5000/shop/a:1.0", "registry.redhat.io/db:latest")
    finished, data = run({FILE_NAME: kept, "pod.yaml": pod})
    assert data["pod.yaml"] == pod
    left = {v.rule_id: v.resolution for o in finished.outcomes for v in o.violations}
    assert (left["AKS0706"], left["AKS0710"]) == ("ignored", "ignored")


def test_an_image_answered_under_its_old_name_is_not_asked_for_under_its_new_one() -> None:
    old = "image-registry.openshift-image-registry.svc:5000/shop/a:latest"
    answers = f"{FIRST}registries: {{'{old.partition('/')[0]}': acme.azurecr.io}}\nimages: {{'{old}': 'acme.azurecr.io/shop/a:1.0'}}\n"
    _, data = run({FILE_NAME: answers, "pod.yaml": POD.replace("registry.lan:5000/shop/a:1.0", old)})
    assert "acme.azurecr.io/shop/a:1.0" in data["pod.yaml"]
    assert not [key for key in open_keys(data[FILE_NAME]) if key.startswith("images")]


def test_answers_below_one_name_are_one_mapping() -> None:
    questions = [Question(f"parameters.{template}.{name}", f"{name}?", "x") for template in ("a", "b") for name in ("ONE", "TWO")]
    text = skeleton("okd", questions)
    answered = "\n".join(
        line.removeprefix("# ").removeprefix("#") for line in text.splitlines() if line.startswith("#") and "?" not in line
    )
    found = yaml.safe_load(answered[answered.index("parameters:") :])
    assert found == {"parameters": {t: {"ONE": "x", "TWO": "x"} for t in ("a", "b")}}
    recorded = {"version": 1, "source": "okd"}
    assert updates(recorded, text, "okd", questions) == [], "what stands there as a comment is asked there"
    (added,) = updates(recorded, text, "okd", [*questions, Question("parameters.b.THREE", "THREE?", "x")])
    assert list(added.value) == ["parameters.b.THREE"]


def test_the_reason_ends_its_sentence_before_it_says_where_to_answer() -> None:
    route = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: a}\nspec: {to: {kind: Service, name: a}}\n"
    end, _ = run({"route.yaml": route})
    reasons = [v.reason for o in end.outcomes for v in o.violations if v.reason and "Answer it under hostnames" in v.reason]
    assert [r.partition(", which AKS ")[2] for r in reasons] == ["does not have. Answer it under hostnames in .aks-copilot.yaml."]


def test_every_key_that_code_and_rules_ask_for_is_known() -> None:
    asked = asked_by(built_in())
    for path in (ROOT / "shared" / "domain").rglob("*.py"):
        asked |= set(re.findall(r'(?:decision_key|decision)\(\s*"(\w+)[".]', path.read_text()))
        asked |= set(re.findall(r'(?:Question\(|KEY = )\s*"(\w+)\.', path.read_text()))
    assert asked - set(GROUPS) == set()
    assert set(GROUPS) - asked == set(), "a group that nothing asks for is not documented as if it were read"


def test_the_page_shows_every_key_with_an_example_that_holds() -> None:
    page = (ROOT / "docs" / "decisions.md").read_text()
    shown: set[str] = set()
    for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        answers = read_decisions(block.encode())
        assert list(unknown_keys(answers, built_in())) == []
        shown |= set(answers)
    assert shown == {*GROUPS, *RESERVED}
    assert all(group.about in page for group in GROUPS.values())


def test_sample_answers_are_a_file_that_answers_every_question() -> None:
    keys = ("registries.[registry.lan:5000]", "storage.gold", "parameters.shop.[DB.NAME]", "parameters.shop.SIZE", "passthrough.web")
    asked = [Question(key, f"What about\n{key}?", "gateway" if "passthrough" in key else "x") for key in keys]
    lines = sample_answers(asked, {"storage.gold": ["claim.yaml"]})
    answered = read_decisions(lines.encode())
    assert [answer(answered, key) for key in keys] == ["x", "x", "x", "x", "gateway"]
    assert "  # Used in claim.yaml.\n" in lines
