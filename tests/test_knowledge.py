"""A team's own rules, profiles and target files: from a folder and from the container `knowledge`, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_process import aks_copilot, write
from fakes import World

from shared.domain.errors import ValidationError
from shared.domain.facts import Facts
from shared.domain.inspector import inspect
from shared.domain.intake import plan_run
from shared.domain.knowledge import decoded
from shared.domain.run import RunOptions, RunSetup, SourceFile
from shared.pipeline import names, submit
from shared.services import build_engine

CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {storageClassName: gold, accessModes: [ReadWriteOnce]}\n"
RULE = """\
id: TEAM0001
title: A claim without an owner
why: Claims without an owner are deleted at night.
links: [https://example.com/owners]
severity: error
kinds: [core/v1/PersistentVolumeClaim]
match:
  check: object
message: "{name} has no owner."
advice: Name one.
examples:
  - bad: |
      apiVersion: v1
      kind: PersistentVolumeClaim
      metadata: {name: a}
"""
PROFILE = """\
name: attic
title: The cluster in the attic
features: {"storageClass:gold": 5}
storageClasses: {gold: disk}
"""
KNOWLEDGE = {
    "rules/TEAM0001-owner.yaml": RULE,
    "profiles/attic.yaml": PROFILE,
    "targets/prod.yaml": "storage: {disk: acme-disk, known: [acme-disk]}\n",
}


def planned(knowledge: dict[str, str], target: str | None = None) -> RunSetup:
    return plan_run([SourceFile("claim.yaml", CLAIM.encode())], RunOptions("app", target=target, knowledge=knowledge))


def test_own_rules_profiles_and_targets_count() -> None:
    setup = planned(KNOWLEDGE, "prod")
    assert setup.source.profile == "attic"
    assert Facts(setup).typed_target.storage.disk == "acme-disk"
    found = inspect(SourceFile("claim.yaml", CLAIM.encode()), setup)
    assert {v.rule_id for v in found.violations} == {"TEAM0001", "AKS0101"}


def test_the_knowledge_travels_with_the_setup_and_names_the_run() -> None:
    setup = planned(KNOWLEDGE)
    again = RunSetup.from_json(json.loads(json.dumps(setup.to_json())))
    assert again == setup
    assert "TEAM0001" in {v.rule_id for v in inspect(SourceFile("claim.yaml", CLAIM.encode()), again).violations}
    assert setup.run_id != planned({}).run_id
    assert setup.run_id != planned(KNOWLEDGE | {"profiles/attic.yaml": PROFILE + "# more\n"}).run_id
    assert "TEAM0001" not in {v.rule_id for v in inspect(SourceFile("claim.yaml", CLAIM.encode()), planned({})).violations}


def test_a_rule_with_a_built_in_id_takes_its_place() -> None:
    own = RULE.replace("TEAM0001", "AKS0102")
    found = inspect(SourceFile("claim.yaml", CLAIM.encode()), planned({"rules/AKS0102-mine.yaml": own}))
    assert [v.title for v in found.violations if v.rule_id == "AKS0102"] == ["A claim without an owner"]


WRONG = [
    ({"rules/TEAM0001-a.yaml": RULE.replace("severity: error", "severity: fatal")}, "knowledge: rules/TEAM0001-a.yaml:5: severity:"),
    ({"rules/TEAM0001-a.yaml": RULE.replace("check: object", "check: objekt")}, "rules/TEAM0001-a.yaml:8: match.check: no 'objekt'"),
    ({"rules/TEAM0001-a.yaml": RULE + "sources: [mars]\n"}, "rules/TEAM0001-a.yaml:16: sources: no profile 'mars'"),
    ({"rules/other.yaml": RULE}, "rules/other.yaml:1: the file name must start with the rule's id TEAM0001"),
    ({"rules/TEAM0001-a.yaml": RULE, "rules/TEAM0001-b.yaml": RULE}, "rules/TEAM0001-b.yaml:1: rules/TEAM0001-a.yaml defines"),
    ({"rules/TEAM0001-a.yaml": "id: [\n"}, "rules/TEAM0001-a.yaml:2: not YAML"),
    ({"profiles/attic.yaml": PROFILE + "colour: red\n"}, "profiles/attic.yaml:5: colour:"),
    ({"profiles/cellar.yaml": PROFILE}, "profiles/cellar.yaml:1: the name must be that of the file, cellar"),
    ({"targets/prod.yaml": "name: prod\nmode: huge\n"}, "targets/prod.yaml:2: mode:"),
    ({"targets/prod.yaml": "- a\n"}, "targets/prod.yaml:1: not a mapping"),
]


@pytest.mark.parametrize(("files", "said"), WRONG)
def test_a_wrong_file_is_refused_with_its_line_and_the_reason(files: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        planned(files)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"rules/a\.yaml:2: not UTF-8"):
        decoded([("rules/a.yaml", b"a: b\n\xff")])


def test_the_command_line_takes_a_folder(tmp_path: Path) -> None:
    app, own = write(tmp_path / "shop", claim_yaml=CLAIM), tmp_path / "own"
    for path, text in KNOWLEDGE.items():
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_text(text)
    done = aks_copilot("fix", app, "--out", tmp_path / "out", "--knowledge", own, "--target", "prod", "--format", "json")
    assert "storageClassName: acme-disk" in (tmp_path / "out" / "claim.yaml").read_text()
    assert json.loads(done.stdout)["source"]["profile"] == "attic"
    (own / "profiles" / "attic.yaml").write_text("name: 1\n")
    wrong = aks_copilot("inspect", app, "--knowledge", own)
    assert wrong.returncode == 2
    assert b"profiles/attic.yaml:1: " in wrong.stderr
    assert wrong.stderr.count(b"\n") == 1
    assert aks_copilot("inspect", app, "--knowledge", tmp_path / "nothing").returncode == 2


def in_pipeline(knowledge: dict[str, str]) -> World:
    world = World(engine=build_engine())
    for path, text in knowledge.items():
        world.blobs.write(names.KNOWLEDGE, path, text.encode())
    world.put({"shop/claim.yaml": CLAIM, "shop/.ready": ""})
    world.drain()
    return world


def test_the_pipeline_reads_the_container_once_and_keeps_what_it_read() -> None:
    world = in_pipeline(KNOWLEDGE | {"articles/ignored.md": "text"})
    (run,) = world.runs()
    violations = world.report(run)["claim.yaml"]["violations"]
    assert isinstance(violations, list)
    assert "TEAM0001" in {v["ruleId"] for v in violations}
    setup = json.loads(world.blobs.texts(names.RUNS)[names.setup(run)])
    assert setup["knowledge"] == KNOWLEDGE
    assert run not in in_pipeline({}).runs()


def test_wrong_knowledge_in_the_pipeline_is_said_in_the_report() -> None:
    world = in_pipeline({"profiles/attic.yaml": "name: attic\ntitle: [a]\n"})
    (run,) = world.runs()
    entry = world.report(run)["claim.yaml"]
    assert entry["status"] == "failed"
    assert str(entry["reason"]).startswith("knowledge: profiles/attic.yaml:2: title:")


def test_a_posted_run_keeps_the_knowledge_of_the_moment_it_was_sent() -> None:
    world = World(engine=build_engine())
    for path, text in KNOWLEDGE.items():
        world.blobs.write(names.KNOWLEDGE, path, text.encode())
    run = submit.submit_files(world.context, {"claim.yaml": CLAIM}, RunOptions("shop"))
    world.blobs.write(names.KNOWLEDGE, "rules/TEAM0001-owner.yaml", RULE.replace("severity: error", "severity: info").encode())
    world.drain()
    assert world.runs() == [run]
    violations = world.report(run)["claim.yaml"]["violations"]
    assert isinstance(violations, list)
    assert {v["severity"] for v in violations if v["ruleId"] == "TEAM0001"} == {"error"}
