"""Fixes of node labels that a pod insists on: another name, or no such condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.checks.base import Found
from shared.domain.checks.cluster import Nothing
from shared.domain.convert.base import Conversion, Op
from shared.domain.facts import Facts
from shared.domain.fixes.base import fix
from shared.domain.fixes.basic import RenameParams, emptied, rename_key
from shared.domain.pointer import child, get


@fix("rename-node-label", RenameParams)
def rename_node_label(obj: Mapping[str, Any], found: Found, params: RenameParams, facts: Facts) -> Conversion:
    """The label's new name, in a nodeSelector or in an affinity expression."""
    if isinstance(get(obj, found.path), dict):
        return Conversion((Op("replace", child(found.path, "key"), params.keys[found.fields["label"]]),))
    return rename_key(obj, found, params, facts)


@fix("drop-node-label", Nothing)
def drop_node_label(obj: Mapping[str, Any], found: Found, _: Nothing, __: Facts) -> Conversion:
    """Take the condition away, and the selector, term or affinity that it leaves empty (an empty term would match no node)."""
    return Conversion((Op("remove", emptied(obj, found.path)),))
