"""Rights that a role grants on resources which moved to another API group long ago: they allow nothing on AKS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from shared.domain.checks.base import Found, check
from shared.domain.facts import Facts
from shared.domain.pointer import join
from shared.domain.rulebook import Closed

ANY = "*"
ONLY_ON_OPENSHIFT = (
    "basic-user", "self-provisioner", "cluster-reader", "registry-viewer", "registry-editor", "registry-admin", "sudoer", "storage-admin",
    "cluster-monitoring-view", "self-access-reviewer", "system:image-puller", "system:image-builder", "system:image-pusher",
    "system:deployer",
)  # fmt: skip
"""ClusterRoles that OpenShift creates and AKS does not; so are all that start with `system:openshift:`."""


def only_on_openshift(role: object) -> bool:
    """Whether a ClusterRole of this name exists on OpenShift alone."""
    return isinstance(role, str) and (role in ONLY_ON_OPENSHIFT or role.startswith("system:openshift:"))


class MovedParams(Closed):
    """`group` is the API group that the resources left; `moved` says where each is served now ("" for nowhere)."""

    group: str
    moved: dict[str, str] = Field(min_length=1)


@check("moved-rights", MovedParams)
def moved_rights(obj: Mapping[str, Any], params: MovedParams, _: Facts) -> Iterator[Found]:
    """Fires once per rule whose `group` grants resources that no rule of the role grants in the group that serves them now."""
    rules = [r for r in obj.get("rules") or () if isinstance(r, Mapping)] if isinstance(obj.get("rules"), list) else []
    for i, rule in enumerate(rules):
        groups = _texts(rule.get("apiGroups"))
        lost = [r for r in _texts(rule.get("resources")) if _base(r) in params.moved and not _granted(rules, r, params)]
        if params.group in groups and lost:
            places = sorted({params.moved[_base(r)] for r in lost} - {""})
            yield Found(
                join(("rules", i, "apiGroups", groups.index(params.group))),
                {"resources": ", ".join(lost), "groups": " and ".join(places) or "no group"},
            )


def _granted(rules: list[Mapping[str, Any]], resource: str, params: MovedParams) -> bool:
    place = params.moved[_base(resource)]
    return bool(place) and any(
        {place, ANY} & set(_texts(r.get("apiGroups"))) and {resource, ANY} & set(_texts(r.get("resources"))) for r in rules
    )


def _base(resource: str) -> str:
    """The resource of a subresource: `deployments` of `deployments/scale`."""
    return resource.partition("/")[0]


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
