"""What a fix needs beside its file, as data: a listener of the shared Gateway, a resource in Azure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.pointer import JsonValue


@dataclass(frozen=True, slots=True)
class ListenerRequest:
    """What a converted route needs of the shared Gateway of its namespace (DESIGN 10): one host, with TLS, passed-through TLS or none."""

    namespace: str | None
    hostname: str | None
    tls_secret: str | None
    rule_id: str
    passthrough: bool = False

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "namespace": self.namespace, "hostname": self.hostname, "tlsSecret": self.tls_secret, "ruleId": self.rule_id,
            "passthrough": self.passthrough,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ListenerRequest:
        return cls(data["namespace"], data["hostname"], data["tlsSecret"], data["ruleId"], data["passthrough"])


@dataclass(frozen=True, slots=True)
class AzureResource:
    """An Azure resource that a finding calls for, one row of resources.md; `command` is the `az` line."""

    kind: str
    name: str
    why: str
    command: str

    def to_json(self) -> dict[str, JsonValue]:
        return {"kind": self.kind, "name": self.name, "why": self.why, "command": self.command}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AzureResource:
        return cls(data["kind"], data["name"], data["why"], data["command"])
