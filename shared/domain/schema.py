"""Are the objects valid for the target's Kubernetes version?

Built-in kinds by the definitions of the kubernetes-validate package, kinds of the Gateway API by the closed schemas beside this module
(`schemas/`, written from the CRDs of the standard channel). Validators are kept: the package reads its definitions anew on every call.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.domain.pointer import join

SCHEMAS = Path(__file__).parent / "schemas"
GATEWAY_GROUP = "gateway.networking.k8s.io"
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
    obj = json.loads(text)
    validator = _validator(obj["apiVersion"], obj["kind"], version)
    if validator is None:
        return None
    for _ in range(SUBSTITUTIONS):
        error = _first_error(validator, obj)
        if error is None:
            return True
        if not _set_aside(obj, list(error.absolute_path)):
            return False
    return False


def flaw(obj: Mapping[str, Any], version: str) -> str | None:
    """The pointer at which an object breaks its schema; None where it is valid or has none."""
    validator = _validator(obj["apiVersion"], obj["kind"], version)
    error = _first_error(validator, obj) if validator else None
    return join(error.absolute_path) or "/" if error else None


def _first_error(validator: Any, obj: Any) -> Any:
    from jsonschema.exceptions import best_match  # noqa: PLC0415 (heavy; only where something was changed)

    return best_match(validator.iter_errors(obj))


@functools.lru_cache(maxsize=512)
def _validator(api_version: str, kind: str, version: str) -> Any:
    """The validator of a kind; None where neither this program nor the package knows it."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    if api_version.startswith(f"{GATEWAY_GROUP}/"):
        schema = _gateway_schema(api_version, kind)
        return Draft202012Validator(schema) if schema else None
    return _built_in(api_version, kind, version)


def _gateway_schema(api_version: str, kind: str) -> dict[str, Any] | None:
    every = json.loads((SCHEMAS / f"{GATEWAY_GROUP}.json").read_text(encoding="utf-8"))
    wanted = every["$defs"].get(kind, {}).get("properties", {}).get("apiVersion", {}).get("enum", ())
    return every | {"$ref": f"#/$defs/{kind}"} if api_version in wanted else None


def _built_in(api_version: str, kind: str, version: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from kubernetes_validate import utils  # noqa: PLC0415
    from referencing import Resource  # noqa: PLC0415

    group, _, served = api_version.rpartition("/")
    name = f"{kind.lower()}-{group.partition('.')[0]}-{served}" if group else f"{kind.lower()}-{served}"
    folder = _folder(version)
    try:
        schema = utils.schema_contents(f"{folder}/{name}.json", version)
    except (OSError, utils.VersionNotSupportedError, utils.InvalidSchemaError):
        return None
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ _definitions(folder, version))


@functools.cache
def _definitions(folder: str, version: str) -> Any:
    from kubernetes_validate import utils  # noqa: PLC0415
    from referencing import Registry, Resource  # noqa: PLC0415

    definitions: Any = Resource.from_contents(utils.schema_contents(f"{folder}/_definitions.json", version))
    return definitions @ Registry()


@functools.cache
def _folder(version: str) -> str:
    """The package's definitions that hold for a version: the newest that are not newer."""
    from kubernetes_validate import utils  # noqa: PLC0415

    wanted = _numbers(version)
    fitting = [v for v in utils.all_versions() if _numbers(v)[:2] <= wanted[:2]]
    return f"kubernetes-json-schema/v{fitting[-1] if fitting else version}-local"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


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
