"""cutover.md: the steps that apply and no others, commands that name only what the run holds, and no value of a Secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared.cli.local import fix_tree, options_for
from shared.cli.tree import read_tree
from shared.domain.report.cutover import cutover_md

SAMPLES = Path(__file__).parents[1] / "samples"
DATA = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parent / "golden"


def page(folder: Path) -> str:
    run = fix_tree(read_tree([folder]), options_for(folder, "auto", None))
    return cutover_md(run.setup, run.outcomes, run.after)


def written(folder: Path, text: str) -> str:
    (folder / "a.yaml").write_text(text)
    return page(folder)


def test_an_application_with_a_database_a_claim_and_a_host_has_every_step() -> None:
    text = page(SAMPLES / "k3s-shop")
    assert "kubectl --context OLD -n shop scale deployment/web --replicas=0" in text
    assert "pg_dumpall" in text
    assert "\ncopy_claim OLD AKS shop backup -o\n" in text
    assert '--resolve "shop.example.com:443:$ADDRESS" https://shop.example.com/' in text
    assert (
        text.index("Stop writing")
        < text.index("The last copy")
        < text.index("Start on AKS")
        < text.index("Switch DNS")
        < text.index("Roll back")
    )
    assert "| StatefulSet postgres | 1 | 250m | 512Mi | 250m | 512Mi |" in text


def test_a_route_that_was_not_converted_needs_no_operator_and_the_top_folder_is_out() -> None:
    text = page(SAMPLES / "okd-portal")
    assert "kubectl --context AKS apply -k OUT\n" in text
    assert "1 Route" not in text
    assert "AKS0201" in text


def test_what_keeps_no_data_and_has_no_host_is_neither_copied_nor_switched(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
        'spec: {replicas: 3, template: {spec: {containers: [{name: web, image: "web:1", resources: {limits: {cpu: "0.5", memory: 1Gi}}}]}}}\n',  # noqa: E501
    )
    assert "Rehearse" not in text
    assert "DNS" not in text.partition("## Sizing")[0].replace("before DNS moves", "")
    assert "| Deployment web | 3 | 500m | 1024Mi | 1500m | 3072Mi |" in text


def test_configuration_alone_has_no_sizing(tmp_path: Path) -> None:
    text = written(tmp_path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n")
    assert "Nothing in it runs pods." in text
    assert "Sizing" not in text


@pytest.mark.parametrize("name", ["$(reboot)", "a; reboot", "`x`"])
def test_a_name_that_a_shell_would_run_is_in_no_command(tmp_path: Path, name: str) -> None:
    text = written(
        tmp_path, f"apiVersion: v1\nkind: Pod\nmetadata: {{name: '{name}'}}\nspec: {{containers: [{{name: a, image: 'a:1'}}]}}\n"
    )
    assert "reboot" not in "".join(text.split("```")[1::2])
    assert "```sh" not in text


def test_a_volume_on_the_same_server_is_not_copied_onto_itself(tmp_path: Path) -> None:
    volume = (
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: v}\nspec: {nfs: {server: 10.0.0.9, path: /x}, storageClassName: ''}\n"
    )
    claim = "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: c}\nspec: {volumeName: v, storageClassName: ''}\n"
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {volumes: [{name: c, persistentVolumeClaim: {claimName: c}}],\n"
    text = written(tmp_path, volume + claim + pod + "  containers: [{name: a, image: 'a:1'}]}\n")
    assert "it is not copied: c" in text
    assert "copy_claim" not in text


def golden_page() -> str:
    folder = DATA / "cutover"
    run = fix_tree(read_tree([folder]), options_for(folder, "k3s", None, unsafe=True))
    return cutover_md(run.setup, run.outcomes, run.after).replace(run.setup.run_id, "RUN")


def test_the_page_of_a_rich_application_is_the_golden_one() -> None:
    """Set AKS_UPDATE_GOLDEN=1 to write it anew, then read the difference as the one who must follow it at night."""
    text, path = golden_page(), GOLDEN / "cutover.md"
    if os.environ.get("AKS_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
