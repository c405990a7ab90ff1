"""Targets (where the application goes) and profiles (where it comes from): YAML files with a closed schema."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator
from pydantic import ValidationError as SchemaError

from shared.domain.errors import ValidationError, first_problem
from shared.domain.rulebook import Closed, load_document
from shared.domain.yaml_lines import line_of

PROFILES = Path(__file__).parents[1] / "profiles"
TARGETS = Path(__file__).parents[1] / "targets"
DEFAULT_TARGET = "aks-standard"


class IngressChoice(Closed):
    """How traffic enters: Gateway API with a GatewayClass, or Ingress with an IngressClass.

    `tlsRoutes`: whether the Gateway passes TLS through by a TLSRoute; `auto` follows class and Kubernetes version (`gateway_classes`).
    """

    kind: Literal["gateway-api", "ingress"] = "gateway-api"
    class_name: str = Field(default="approuting-istio", alias="class")
    gateway_name: str = Field(default="aks-gateway", alias="gatewayName")
    tls_routes: bool | Literal["auto"] = Field(default="auto", alias="tlsRoutes")


class StorageChoice(Closed):
    """Which class a claim gets: `disk` for one node, `file` for many, the premium ones where the old class was a fast one.

    `known` are the classes that the cluster has.
    """

    disk: str = "managed-csi"
    file: str = "azurefile-csi"
    premium_disk: str = Field(default="managed-csi-premium", alias="premiumDisk")
    premium_file: str = Field(default="azurefile-csi-premium", alias="premiumFile")
    known: tuple[str, ...]


class Target(Closed):
    """One AKS flavour (DESIGN 2).

    `excluded_namespaces` are those of `az aks safeguards update --excluded-ns`; `allowed_images` is the pattern of the safeguard that
    images must match, which has no default (None: the safeguard is not in use).
    """

    name: str
    title: str
    kubernetes_version: str = Field(alias="kubernetesVersion", pattern=r"^1\.\d+$")
    mode: Literal["standard", "automatic"] = "standard"
    safeguards: Literal["off", "warn", "enforce"] = "warn"
    pod_security: Literal["privileged", "baseline", "restricted"] = Field(default="baseline", alias="podSecurity")
    excluded_namespaces: tuple[str, ...] = Field(default=(), alias="excludedNamespaces")
    allowed_images: str | None = Field(default=None, alias="allowedImages")
    ingress: IngressChoice = IngressChoice()
    storage: StorageChoice
    provisioners: tuple[str, ...]
    ingress_classes: tuple[str, ...] = Field(default=(), alias="ingressClasses")
    registries: dict[str, str] = Field(default_factory=dict)
    api_groups: tuple[str, ...] = Field(alias="apiGroups")
    layout: Literal["auto", "overlay", "folder", "branch", "in-place"] = "auto"

    @field_validator("kubernetes_version", mode="before")
    @classmethod
    def _a_number_is_a_version(cls, value: object) -> object:
        """YAML reads a plain `1.30` as the number 1.3; minor versions of AKS have two digits."""
        return f"{value:.2f}" if isinstance(value, float) else value

    @field_validator("safeguards", "pod_security", "mode", mode="before")
    @classmethod
    def _as_az_writes_it(cls, value: object) -> object:
        """`az` writes its levels with a capital, and YAML reads a plain `off` as false."""
        return "off" if value is False else value.lower() if isinstance(value, str) else value

    @field_validator("allowed_images")
    @classmethod
    def _is_a_pattern(cls, text: str | None) -> str | None:
        try:
            re.compile(text or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return text


class Profile(Closed):
    """One source environment: how to recognise it and what its names mean. `features` maps a feature glob to its weight.

    `premium_classes` are globs of its fast storage classes, `premium_types` what its drivers' parameter `type` says of a fast disk.
    """

    name: str
    title: str
    features: dict[str, int]
    storage_classes: dict[str, Literal["disk", "file", "by-access-mode"]] = Field(default_factory=dict, alias="storageClasses")
    provisioners: dict[str, Literal["disk", "file", "by-access-mode"]] = Field(default_factory=dict)
    premium_classes: tuple[str, ...] = Field(default=(), alias="premiumClasses")
    premium_types: tuple[str, ...] = Field(default=(), alias="premiumTypes")
    registries: tuple[str, ...] = ()


CLASS_GROUPS = {"azure-alb-external": ("alb.networking.azure.io",)}
"""API groups that the add-on of an ingress or gateway class brings (Application Gateway for Containers)."""


def served_groups(target: Target) -> tuple[str, ...]:
    """The API groups that the cluster serves: those of the target, and those of its class."""
    return target.api_groups + CLASS_GROUPS.get(target.ingress.class_name, ())


def parse_target(data: Any, where: str) -> Target:
    """A target from a parsed file. Raises ValidationError naming the file and the first wrong key."""
    try:
        return Target.model_validate(data)
    except SchemaError as error:
        raise ValidationError(f"{where}: {first_problem(error)}") from error


@functools.cache
def default_target() -> Target:
    """The target that holds where the user names none."""
    return parse_target(load_document(TARGETS / f"{DEFAULT_TARGET}.yaml", "target"), DEFAULT_TARGET)


def read_target(text: str | None, where: str = "target") -> Target:
    """The target of a file's text; keys that it leaves out come from the default target. None: the default.

    Raises ValidationError: `where`, line, reason.
    """
    if text is None:
        return default_target()
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValidationError(f"{where}: not YAML: {getattr(error, 'problem', None) or 'unreadable'}") from error
    if not isinstance(given, dict):
        raise ValidationError(f"{where}: not a mapping")
    try:
        return merged_target(given)
    except SchemaError as error:
        raise ValidationError(f"{where}:{line_of(text, error.errors()[0]['loc'])}: {first_problem(error)}") from error


@functools.cache
def built_in_targets() -> dict[str, str]:
    """The texts of the program's own target files by name, the default one first."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(TARGETS.glob("*.yaml"))}
    return {DEFAULT_TARGET: texts.pop(DEFAULT_TARGET), **texts}


def merged_target(given: Mapping[str, Any]) -> Target:
    """A target file's keys over those of the default target. Raises pydantic's ValidationError."""
    return Target.model_validate(default_target().model_dump(by_alias=True) | dict(given))


@functools.cache
def profiles() -> dict[str, Profile]:
    """The program's own profiles by name."""
    found = {}
    for path in sorted(PROFILES.glob("*.yaml")):
        try:
            found[path.stem] = Profile.model_validate(load_document(path, "profile"))
        except SchemaError as error:
            raise ValidationError(f"{path}: {first_problem(error)}") from error
    return found
