"""Are the objects valid for the target's Kubernetes version? By the kubernetes-validate package, built-in kinds only."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

SUBSTITUTIONS = 40
"""How many `${VAR}` values of one object are set aside before it counts as invalid."""


def valid(obj: Mapping[str, Any], version: str) -> bool | None:
    """True or False; None where there is no schema for the kind. `${VAR}` values are set aside (Flux fills them in later)."""
    group = obj["apiVersion"].rpartition("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return None
    return _valid(json.dumps(obj, sort_keys=True), version)


@functools.lru_cache(maxsize=2048)
def _valid(text: str, version: str) -> bool | None:
    import kubernetes_validate  # noqa: PLC0415 (heavy; only where something was changed)

    obj = json.loads(text)
    for _ in range(SUBSTITUTIONS):
        try:
            kubernetes_validate.validate(obj, version, False)
        except kubernetes_validate.ValidationError as error:
            if not _set_aside(obj, list(error.absolute_path)):
                return False
        except Exception:  # noqa: BLE001 (no schema for this kind or version: the package raises several types)
            return None
        else:
            return True
    return False


def _set_aside(obj: Any, path: list[Any]) -> bool:
    for step in path[:-1]:
        obj = obj[step]
    if not path or not isinstance(obj[path[-1]], str) or "${" not in obj[path[-1]]:
        return False
    if isinstance(obj, list):
        obj[path[-1]] = 1
    else:
        del obj[path[-1]]
    return True
