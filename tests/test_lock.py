"""Lock files: the installed packages are those of requirements*.txt, with hashes; and what an audit's answer means."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from audit import judge
from environments import LOCKS as ENVIRONMENTS
from environments import ROOT
from lock import LOCKS, header, stale
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENTRY = re.compile(r"^(\S+)==([^ ]+)(?: ; ([^\\]+))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)
ACTION_AND_IMAGES = ("action.yml", "Dockerfile", "Dockerfile.functions")


def entries(name: str) -> list[tuple[str, str, str]]:
    """Package, version and marker of every entry that has a hash."""
    return [(found[1], found[2], (found[3] or "").strip()) for found in ENTRY.finditer((ROOT / name).read_text())]


def pins(name: str) -> list[Requirement]:
    lines = [line.partition(" #")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_of_a_lock_has_a_hash(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "# "]
    assert len(lines) == len(entries(name)) > 0


@pytest.mark.parametrize(("source", "name"), [(source, name) for name, sources in LOCKS.items() for source in sources])
def test_every_pin_is_locked_at_its_version(source: str, name: str) -> None:
    locked = {(canonicalize_name(package), version) for package, version, _ in entries(name)}
    wanted = [(canonicalize_name(pin.name), str(pin.specifier).removeprefix("==")) for pin in pins(source)]
    assert wanted
    assert [pin for pin in wanted if pin not in locked] == []


@pytest.mark.parametrize("source", ["requirements.txt", "requirements-dev.txt", "requirements-uv.txt"])
def test_every_requirement_is_pinned_to_one_version(source: str) -> None:
    assert [str(pin) for pin in pins(source) if not re.fullmatch(r"==[\w.]+", str(pin.specifier))] == []


def test_tests_run_with_the_versions_that_are_deployed() -> None:
    tested = {(package, version) for package, version, _ in entries("requirements-dev.lock")}
    assert [entry for entry in entries("requirements.lock") if entry[:2] not in tested] == []


def test_the_locks_are_those_of_what_the_sources_say() -> None:
    assert stale(ROOT) == [], "run `make lock`"


def test_a_changed_pin_makes_its_locks_stale_and_a_comment_does_not(tmp_path: Path) -> None:
    for name in {*LOCKS, *(source for sources in LOCKS.values() for source in sources)}:
        shutil.copy(ROOT / name, tmp_path)
    runtime = tmp_path / "requirements.txt"
    before = header(tmp_path, LOCKS["requirements.lock"])

    runtime.write_text("# A word more.\n" + runtime.read_text())
    assert header(tmp_path, LOCKS["requirements.lock"]) == before

    runtime.write_text(runtime.read_text() + "left-pad==1.0\n")
    assert stale(tmp_path) == ["requirements.lock", "requirements-dev.lock"]
    (tmp_path / "requirements-uv.lock").unlink()
    assert "requirements-uv.lock" in stale(tmp_path)


def test_what_is_installed_anywhere_is_installed_by_its_hashes() -> None:
    for name in ACTION_AND_IMAGES:
        text = (ROOT / name).read_text()
        assert "--require-hashes" in text, name
        assert "requirements.lock" in text, name
    assert re.search(r"--require-hashes -r requirements-dev\.lock", (ROOT / "Makefile").read_text())
    assert set(ENVIRONMENTS.values()) <= set(LOCKS)


def answer(*packages: dict[str, object]) -> str:
    """The form of `pip-audit --format json` 2.10.1."""
    return json.dumps({"dependencies": list(packages), "fixes": []})


SOUND = {"name": "rich", "version": "15.0.0", "vulns": []}
SKIPPED = {"name": "typer", "skip_reason": "Dependency not found on PyPI and could not be audited: typer (0.29.2)"}
HIT = {
    "name": "jinja2",
    "version": "3.0.0",
    "vulns": [{"id": "CVE-2024-56326", "fix_versions": ["3.1.5"], "aliases": [], "description": ""}],
}


def test_an_audit_that_reached_nothing_is_no_pass_where_it_is_required() -> None:
    code, lines = judge(answer(SKIPPED, SKIPPED), "", required=False)
    assert code == 0
    assert lines == ["audit: skipped, since the database of vulnerabilities knows none of 2 packages: it is out of reach here"]
    assert judge(answer(SKIPPED, SKIPPED), "", required=True)[0] == 1
    assert judge("", "Traceback\nrequests.ConnectTimeout: no route\n", required=True) == (
        1,
        ["audit: nothing was asked, since pip-audit ended with: requests.ConnectTimeout: no route"],
    )


def test_a_vulnerability_fails_the_audit_everywhere() -> None:
    for required in (False, True):
        assert judge(answer(SOUND, SKIPPED, HIT), "", required=required) == (1, ["jinja2 3.0.0: CVE-2024-56326, mended in 3.1.5"])


def test_a_package_that_the_database_does_not_know_is_named() -> None:
    code, lines = judge(answer(SOUND, SKIPPED), "", required=True)
    assert (code, lines) == (1, ["audit: not known to the database, so not audited: typer"])
    assert judge(answer(SOUND), "", required=True) == (0, ["audit: nothing is known against 1 packages"])
