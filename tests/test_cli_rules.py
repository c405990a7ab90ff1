"""`rules` and `profiles`: what the program knows is shown, and a rule file of one's own is checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_process import aks_copilot

from shared.domain.rulebook import built_in
from shared.domain.target import profiles


def test_every_rule_is_listed_on_one_line() -> None:
    lines = aks_copilot("rules", "list").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == [rule.id for rule in built_in()]


def test_show_gives_why_links_and_examples() -> None:
    done = aks_copilot("rules", "show", "aks0101")
    text = done.stdout.decode()
    rule = next(r for r in built_in() if r.id == "AKS0101")
    assert done.returncode == 0
    assert text.startswith(f"AKS0101 {rule.title}\n")
    assert rule.why in text
    assert all(link in text for link in rule.links)
    assert "# bad" in text
    assert "# fixed" in text
    assert "# good" in text


def test_show_says_which_policy_a_rule_stands_for() -> None:
    text = aks_copilot("rules", "show", "AKS1030").stdout.decode()
    assert "Stands for: safeguard ContainerEnforceProbes" in text
    assert "2026-02-08: The changelog of AKS" in text


def test_a_new_rule_passes_its_check_as_it_is_and_the_next_gets_another_id(tmp_path: Path) -> None:
    first = aks_copilot("rules", "new", "No external: IPs!", "--dir", tmp_path)
    assert first.stdout.decode().strip() == str(tmp_path / "USER0001-no-external-ips.yaml")
    second = aks_copilot("rules", "new", "Other", "--dir", tmp_path)
    assert second.stdout.decode().strip().endswith("USER0002-other.yaml")
    done = aks_copilot("rules", "check", tmp_path)
    assert (done.returncode, done.stdout.decode()) == (0, "2 rules, 0 with problems\n"), done.stderr


def test_a_new_rule_takes_the_next_number_of_its_family(tmp_path: Path) -> None:
    for number in (*range(301, 305), *range(8010, 8020)):
        (tmp_path / f"AKS{number:04d}-x.yaml").touch()
    made = [aks_copilot("rules", "new", "Other", "--dir", tmp_path, "--family", family) for family in ("aks03", "AKS801", "A")]
    assert [Path(done.stdout.decode().strip()).name for done in made[:1]] == ["AKS0305-other.yaml"]
    assert [done.returncode for done in made] == [0, 2, 2]
    assert made[1].stderr == b"aks-copilot: AKS801 has no free number left\n"
    assert made[2].stderr.startswith(b"aks-copilot: --family must be 2 to 8 letters")


def test_check_says_what_is_wrong_with_an_example(tmp_path: Path) -> None:
    path = Path(aks_copilot("rules", "new", "wrong", "--dir", tmp_path).stdout.decode().strip())
    path.write_text(path.read_text().replace("  externalIPs: [10.0.0.1]", "  externalName: x"))
    done = aks_copilot("rules", "check", path)
    assert done.returncode == 1
    assert done.stdout.decode().startswith("USER0001 example 1: does not fire on `bad`")


def test_a_rule_file_that_is_no_rule_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "USER0001-x.yaml").write_text("id: USER0001\ntitel: x\n")
    done = aks_copilot("rules", "check", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"USER0001-x.yaml" in done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("check: value", "check: valeu", "match.check: no 'valeu'; known: "),
        ("{paths: [/spec/externalIPs]}", "{path: /spec}", "match.check value: "),
        ("{name} needs a look.", "{name needs a look.", "message: "),
    ],
)
def test_a_rule_that_names_what_is_not_there_is_said(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    path = Path(aks_copilot("rules", "new", "wrong", "--dir", tmp_path).stdout.decode().strip())
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong))
    done = aks_copilot("rules", "check", path)
    assert done.returncode == 1
    assert done.stdout.decode().startswith(f"USER0001 {said}")


def test_profiles_are_listed_and_shown() -> None:
    lines = aks_copilot("profiles", "list").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == list(profiles())
    assert "storageClasses:" in aks_copilot("profiles", "show", "k3s").stdout.decode()


@pytest.mark.parametrize("command", [("explain",), ("rules", "show")])
@pytest.mark.parametrize(("rule_id", "said"), [("AKS1005", "for every workload"), ("AKS0007", "for the application as a whole")])
def test_what_a_rule_looks_at_is_said_in_words(command: tuple[str, ...], rule_id: str, said: str) -> None:
    text = aks_copilot(*command, rule_id).stdout.decode()
    assert said in text
    assert "$pods" not in text
    assert "aks-copilot.invalid" not in text
