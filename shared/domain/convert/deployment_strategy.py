"""The rollout strategy of a DeploymentConfig in the words of a Deployment.

Facts: guide/aks_facts_source.md 2.1 (strategy rows): hooks and custom deployers have no equivalent, timings become progressDeadlineSeconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.alias_generators import to_camel

from shared.domain.convert.base import CannotConvert, Loss, Op
from shared.domain.convert.forms import Form

DEFAULT_TIMEOUT = 600
DEFAULT_DEPLOYER_SECONDS = 21600
HOOKS = ("pre", "mid", "post")
DEPLOYER_FIELDS = ("resources", "labels", "annotations", "active_deadline_seconds", "custom_params")


class RollingParams(Form):
    """`spec.strategy.rollingParams`."""

    update_period_seconds: int | None = None
    interval_seconds: int | None = None
    timeout_seconds: int | None = None
    max_unavailable: int | str | None = None
    max_surge: int | str | None = None
    pre: dict[str, Any] | None = None
    post: dict[str, Any] | None = None


class RecreateParams(Form):
    """`spec.strategy.recreateParams`."""

    timeout_seconds: int | None = None
    pre: dict[str, Any] | None = None
    mid: dict[str, Any] | None = None
    post: dict[str, Any] | None = None


class Strategy(Form):
    """`spec.strategy`."""

    type: str = ""
    rolling_params: RollingParams | None = None
    recreate_params: RecreateParams | None = None
    custom_params: dict[str, Any] | None = None
    resources: dict[str, Any] | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    active_deadline_seconds: int | None = None

    @property
    def holder(self) -> str:
        """The key of the parameters that count; OpenShift ignores leftovers of the other type."""
        return "recreateParams" if self.type == "Recreate" else "rollingParams"

    @property
    def params(self) -> RollingParams | RecreateParams | None:
        """The parameters that count."""
        return self.recreate_params if self.type == "Recreate" else self.rolling_params

    @property
    def timeout(self) -> int:
        """Seconds without progress after which the rollout counts as failed."""
        return DEFAULT_TIMEOUT if self.params is None or self.params.timeout_seconds is None else self.params.timeout_seconds


def check_strategy(strategy: Strategy, min_ready: int) -> None:
    """Raises CannotConvert for what a Deployment cannot do: custom deployers, lifecycle hooks, a deadline below minReadySeconds."""
    if strategy.type not in ("", "Rolling", "Recreate"):
        raise CannotConvert(
            f"strategy type {strategy.type} runs a deployer of its own, which a Deployment has not", path="/spec/strategy/type"
        )
    used = [h for h in HOOKS if getattr(strategy.params, h, None) is not None]
    if used:
        hooks = " and ".join(f"lifecycle hook {h}" for h in used)
        reason = f"no equivalent in a Deployment: {hooks}; make a Job of the delivery tool of it, or an init container"
        raise CannotConvert(reason, path=f"/spec/strategy/{strategy.holder}/{used[0]}")
    if min_ready >= strategy.timeout:
        raise CannotConvert("minReadySeconds is not below the rollout's timeout, which a Deployment refuses", path="/spec/minReadySeconds")


def strategy_operations(source: Strategy | None) -> list[Op]:
    """Replace `/spec/strategy` where it must change, and carry the timeout over."""
    if source is None:
        return []
    wanted: dict[str, Any] = {"type": "Recreate"} if source.type == "Recreate" else {"type": "RollingUpdate"}
    rolling = _rolling_update(source)
    if rolling:
        wanted["rollingUpdate"] = rolling
    raw = source.model_dump(by_alias=True, exclude_unset=True)
    operations = [] if wanted == raw else [Op("replace", "/spec/strategy", wanted)]
    if source.timeout != DEFAULT_TIMEOUT:
        operations.append(Op("add", "/spec/progressDeadlineSeconds", source.timeout))
    return operations


def _rolling_update(source: Strategy) -> dict[str, int | str]:
    params = source.params
    if not isinstance(params, RollingParams):
        return {}
    found = {"maxUnavailable": params.max_unavailable, "maxSurge": params.max_surge}
    return {k: _number(v) for k, v in found.items() if v is not None}


def _number(value: int | str) -> int | str:
    """A quoted count is read as a malformed percentage by both controllers: written as the number it means."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


def strategy_losses(strategy: Strategy | None) -> Iterator[Loss]:
    """What the rollout no longer does, or does otherwise."""
    if strategy is None:
        return
    path, params = f"/spec/strategy/{strategy.holder}", strategy.params
    if params is not None and params.timeout_seconds is not None:
        message = "after the timeout OpenShift rolled back by itself; a Deployment only reports ProgressDeadlineExceeded"
        yield Loss(f"{path}/timeoutSeconds", message)
    for field in ("update_period_seconds", "interval_seconds"):
        if getattr(params, field, None) not in (None, 1):
            yield Loss(f"{path}/{to_camel(field)}", f"the field {to_camel(field)} has no equivalent in a Deployment")
    for field in DEPLOYER_FIELDS:
        if getattr(strategy, field) not in (None, {}, DEFAULT_DEPLOYER_SECONDS):
            name = to_camel(field)
            yield Loss(f"/spec/strategy/{name}", f"the field {name} applied to the deployer pod, which a Deployment has not")
