"""Reading and writing an application's tree: nothing of others is read, followed, overwritten or deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_process import CLAIM, SERVICE, aks_copilot, write

from shared.cli import main
from shared.cli.tree import read_tree, write_in_place, write_out
from shared.domain.errors import ValidationError


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", claim_yaml=CLAIM, web__service_yaml=SERVICE)


def test_git_and_symbolic_links_are_no_input(app: Path, tmp_path: Path) -> None:
    write(app / ".git", config_yaml="x")
    write(app / "sub" / ".git", config_yaml="x")
    (tmp_path / "elsewhere.yaml").write_text("x")
    (app / "link.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    (app / "linked").symlink_to(tmp_path)
    (app / "notes.txt").write_text("text")
    assert list(read_tree([app]).paths) == ["claim.yaml", "notes.txt", "web/service.yaml"]


def test_a_file_brings_the_decisions_beside_it(app: Path) -> None:
    assert list(read_tree([app / "claim.yaml"]).paths) == ["claim.yaml"]
    (app / ".aks-copilot.yaml").write_text("version: 1\n")
    assert list(read_tree([app / "claim.yaml"]).paths) == [".aks-copilot.yaml", "claim.yaml"]


def test_answers_in_the_output_of_an_earlier_run_count(app: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (app / "claim.yaml").write_text(CLAIM.replace("local-path", "gold"))
    aks_copilot("fix", app, "--out", out)
    answers = out / ".aks-copilot.yaml"
    answers.write_text(answers.read_text() + "# Ann says:\nstorageClasses: {gold: managed-csi-premium}\n")
    for _ in range(2):
        assert aks_copilot("fix", app, "--out", out).returncode == 0
        assert "storageClassName: managed-csi-premium" in (out / "claim.yaml").read_text()
        assert "# Ann says:\nstorageClasses: {gold: managed-csi-premium}\n" in answers.read_text()
    assert "storageClasses.gold" not in answers.read_text()


def test_output_inside_the_input_is_not_read_again(app: Path) -> None:
    for _ in range(2):
        done = aks_copilot("fix", ".", "--out", "aks", "--report-dir", "report", cwd=app)
        assert done.returncode == 0, done.stderr
    assert not (app / "aks/aks").exists()
    assert not (app / "aks/report").exists()
    assert (app / "aks/web/service.yaml").read_text() == SERVICE


def test_foreign_files_in_the_output_stay(app: Path, tmp_path: Path) -> None:
    out = write(tmp_path / "out", mine_yaml="mine")
    write_out(read_tree([app]), out, {"claim.yaml": b"new\n"}, set())
    assert (out / "mine.yaml").read_text() == "mine"
    assert (out / "claim.yaml").read_bytes() == b"new\n"


def test_an_older_copy_of_a_removed_file_is_named_and_left(app: Path, tmp_path: Path) -> None:
    out = write(tmp_path / "out", claim_yaml="old")
    assert write_out(read_tree([app]), out, {}, {"claim.yaml"}) == ["claim.yaml"]
    assert (out / "claim.yaml").read_text() == "old"
    assert write_out(read_tree([app]), tmp_path / "other", {}, {"claim.yaml"}) == []
    assert not (tmp_path / "other/claim.yaml").exists()


def test_a_link_in_the_output_is_replaced_not_followed(app: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/claim.yaml").symlink_to(tmp_path / "precious")
    write_out(read_tree([app]), tmp_path / "out", {"claim.yaml": b"new\n"}, set())
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "out/claim.yaml").read_bytes() == b"new\n"


def test_a_linked_folder_in_the_output_is_refused_before_anything_is_written(app: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/web").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValidationError, match="symbolic link"):
        write_out(read_tree([app]), tmp_path / "out", {}, set())
    assert not (tmp_path / "out/claim.yaml").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_output_that_would_overwrite_the_input_is_refused(app: Path) -> None:
    write(app / app.name, claim_yaml="inner")
    with pytest.raises(ValidationError, match="overwrite the input file claim"):
        write_out(read_tree([app / app.name]), app / app.name, {}, set())
    with pytest.raises(ValidationError, match="overwrite the input file"):
        write_out(read_tree([app]), app.parent / app.name, {}, set())


def test_a_file_that_cannot_be_read_is_an_entry_of_its_own(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Permissions do not stop root, so the refusal is made by hand."""
    real = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.name == "service.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "service.yaml")
    assert main.run(["fix", str(app), "--out", str(tmp_path / "out"), "--format", "json"]) == 1
    entry = next(f for f in json.loads(capfd.readouterr().out)["files"] if f["path"] == "web/service.yaml")
    assert (entry["status"], entry["reason"]) == ("failed", "cannot be read: Permission denied")
    assert (tmp_path / "out/claim.yaml").exists()
    assert not (tmp_path / "out/web/service.yaml").exists()


def test_a_file_where_a_folder_should_be_is_one_line(app: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/web").write_text("a file")
    done = aks_copilot("fix", app, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert (tmp_path / "out/web").read_text() == "a file"


def test_modes_are_kept(app: Path, tmp_path: Path) -> None:
    (app / "claim.yaml").chmod(0o600)
    (app / "web/service.yaml").chmod(0o755)
    write_out(read_tree([app]), tmp_path / "out", {"claim.yaml": b"new\n"}, set())
    assert (tmp_path / "out/claim.yaml").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out/web/service.yaml").stat().st_mode & 0o777 == 0o755


def test_in_place_deletes_what_ended_empty_and_writes_what_is_new(app: Path) -> None:
    write_in_place(read_tree([app]), {"gateway/aks.yaml": b"kind: Gateway\n"}, {"claim.yaml"})
    assert not (app / "claim.yaml").exists()
    assert (app / "gateway/aks.yaml").read_bytes() == b"kind: Gateway\n"
    assert (app / "web/service.yaml").read_text() == SERVICE


def test_no_part_file_is_left_behind(app: Path, tmp_path: Path) -> None:
    write_out(read_tree([app]), tmp_path / "out", {"claim.yaml": b"new\n"}, set())
    assert sorted(p.name for p in (tmp_path / "out").rglob("*")) == ["claim.yaml", "service.yaml", "web"]


def test_an_empty_folder_and_a_folder_without_manifests_are_fine(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert aks_copilot("inspect", tmp_path / "empty").returncode == 0
    (tmp_path / "empty/notes.txt").write_text("hello")
    done = aks_copilot("fix", tmp_path / "empty", "--out", tmp_path / "out")
    assert done.returncode == 0
    assert (tmp_path / "out/notes.txt").read_text() == "hello"
