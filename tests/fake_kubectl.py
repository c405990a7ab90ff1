"""A `kubectl` for tests of deploy/: no cluster, but its answers in kubectl's own forms. State and journal lie in $FAKE_CLUSTER.

`answers.json` there may hold {"<first words of a call>": {"code": 1, "stderr": "...", "stdout": "..."}}. Not a real cluster's validation,
conflicts or rollouts: those were not tried.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

KINDS = """\
namespaces                        ns           v1                                     false        Namespace
persistentvolumes                 pv           v1                                     false        PersistentVolume
clusterroles                                   rbac.authorization.k8s.io/v1           false        ClusterRole
storageclasses                    sc           storage.k8s.io/v1                      false        StorageClass
"""


def main(arguments: list[str]) -> int:
    cluster = Path(os.environ["FAKE_CLUSTER"])
    with (cluster / "journal").open("a") as journal:
        journal.write(json.dumps(arguments) + "\n")
    answers = json.loads((cluster / "answers.json").read_text()) if (cluster / "answers.json").exists() else {}
    for words, answer in answers.items():
        if all(word in arguments for word in words.split()):
            sys.stdout.write(answer.get("stdout", ""))
            sys.stderr.write(answer.get("stderr", ""))
            return int(answer.get("code", 0))
    return answered(arguments, cluster)


def answered(arguments: list[str], cluster: Path) -> int:
    if arguments[0] == "kustomize":
        folder = Path(arguments[1])
        listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        print("---\n".join((folder / name).read_text() for name in listed))
    elif arguments[0] == "create":
        for obj in yaml.safe_load_all(Path(value(arguments, "-f")).read_text()):
            if obj is not None and "kind" not in obj:
                sys.stderr.write("error: Object 'Kind' is missing\n")
                return 1
            if obj is not None:
                print(json.dumps(obj, indent=4))
    elif arguments[0] == "api-resources":
        print(KINDS, end="")
    elif arguments[0] == "apply":
        objects: list[dict[str, Any]] = json.loads(Path(value(arguments, "-f")).read_text())["items"]
        if "--dry-run=server" not in arguments:
            (cluster / "applied.json").write_text(json.dumps(objects))
        for obj in objects:
            print(f"{obj['kind'].lower()}/{obj['metadata']['name']}")
    elif arguments[:2] == ["rollout", "status"]:
        print("successfully rolled out")
    elif arguments[0] == "get":
        print('{"items": []}')
    return 0


def value(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
