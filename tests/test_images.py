"""What the images and the package of the function app hold: what the app imports, and nothing else. Neither image is built here."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pathspec
import pytest
from action_support import ROOT
from packaging.utils import canonicalize_name

HOST_FILES = ("host.json", "function_app.py")
IMAGE = "Dockerfile.functions"
IGNORED = "Dockerfile.functions.dockerignore"


def tracked() -> list[str]:
    """Every file of the tree that git holds or would take."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in sorted(set(done.stdout.splitlines())) if (ROOT / name).is_file()]


def application() -> set[str]:
    """The files of the function app: what it imports from, less the command line."""
    return {n for n in tracked() if n in HOST_FILES or (n.startswith(("functions/", "shared/")) and not n.startswith("shared/cli/"))}


def instructions(file: str) -> list[list[str]]:
    text = (ROOT / file).read_text().replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line and line[0] != "#"]


def copied(file: str) -> list[str]:
    """What a Dockerfile copies from the folder of the build."""
    return [name for line in instructions(file) if line[0] == "COPY" and not line[1].startswith("--") for name in line[1:-1]]


def sent(ignore: str) -> set[str]:
    """What reaches a build: everything is refused, then some is let in (`!`), then some of that is refused again."""
    first, *lines = (ROOT / ignore).read_text().splitlines()
    assert first == "*"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    refused = [line for line in lines if not line.startswith("!")]
    return {name for name in tracked() if under(name, let_in) and not under(name, refused)}


def under(name: str, folders: list[str]) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


def imported(names: set[str]) -> set[str]:
    """Top-level packages, and modules of ours, that these files import anywhere in them."""
    found = set()
    for name in names:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_app_imports_nothing_that_is_left_out() -> None:
    ours = imported({name for name in application() if name.endswith(".py")})
    assert "shared.pipeline.stages" in ours
    assert [name for name in ours if name.split(".")[:2] == ["shared", "cli"] or name.startswith(("funchost", "tests", "tools"))] == []


def test_every_package_that_the_app_imports_is_locked_for_it() -> None:
    provided_by = packages_distributions()
    tops = {name.split(".")[0] for name in imported({name for name in application() if name.endswith(".py")})}
    foreign = tops - set(sys.stdlib_module_names) - {"shared", "functions"}
    locked = {canonicalize_name(line.partition("==")[0]) for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}

    assert {"azure", "fastapi", "yaml"} <= foreign
    assert [name for name in foreign if not locked & {canonicalize_name(found) for found in provided_by.get(name, ())}] == []


def test_the_app_starts_where_nothing_else_is(tmp_path: Path) -> None:
    for name in application():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    code = (
        "import function_app, functions.runs_api, shared.services; print(len(function_app.app.get_functions()), shared.services.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, where = done.stdout.split()
    assert int(count) > 10
    assert where.startswith(str(tmp_path))


def test_image_and_package_hold_the_application_alone() -> None:
    in_image = {name for name in sent(IGNORED) if under(name, copied(IMAGE))}
    assert in_image == application() | {"requirements.lock"}
    assert sent(IGNORED) == in_image, "the build is sent what it does not copy"


def test_both_ignore_files_leave_the_same_in() -> None:
    spec = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    left = {name for name in tracked() if not spec.match_file(name)}
    assert left - {"requirements.txt"} == application()
    assert left - sent(IGNORED) == {"requirements.txt"}, "the platform's own build reads it; the image installs the lock"


@pytest.mark.parametrize("file", ["Dockerfile", IMAGE])
def test_an_image_runs_as_nobody_in_particular_and_installs_by_hash(file: str) -> None:
    users = [line[1] for line in instructions(file) if line[0] == "USER"]
    assert users[-1] == "10001:10001"
    installs = [" ".join(line) for line in instructions(file) if "install" in line]
    assert "--require-hashes" in installs[0]
    assert all("--require-hashes" in line or "--no-deps ." in line for line in installs)
    assert [source for source in copied(file) if not (ROOT / source).exists()] == []


def test_the_function_image_is_microsofts_and_says_what_it_is_made_of() -> None:
    (base,) = [line[1] for line in instructions(IMAGE) if line[0] == "ARG" and line[1].startswith("BASE=")]
    assert re.fullmatch(r"BASE=mcr\.microsoft\.com/azure-functions/python:4-python3\.1[1-3]", base)
    assert {line[1] for line in instructions(IMAGE) if line[0] == "FROM"} == {"${BASE}"}
    labels = " ".join(" ".join(line) for line in instructions(IMAGE) if line[0] == "LABEL")
    assert all(f"org.opencontainers.image.{name}=" in labels for name in ("title", "description", "licenses", "version", "revision"))
    text = (ROOT / IMAGE).read_text()
    assert "ASPNETCORE_URLS=http://+:8080" in text, "only root may listen on 80"
    assert "EXPOSE 8080" in text
