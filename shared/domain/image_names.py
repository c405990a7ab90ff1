"""References of images, cut into name, tag and digest as kustomize and the registries cut them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_REFERENCE = re.compile(r"(?P<name>[^\s@<>]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[\w.+-]+:[0-9a-fA-F]+))?")
"""distribution/reference grammar, loosely: name, optional tag, optional digest."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """One reference; the port of a registry belongs to the name."""

    name: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> ImageName | None:
        """The parts of a reference, or None where it is none."""
        match = _REFERENCE.fullmatch(text)
        return cls(match["name"], match["tag"], match["digest"]) if match else None

    @classmethod
    def of_entry(cls, entry: Any) -> ImageName | None:
        """What an entry of a kustomization's `images` makes of its image, as far as the entry says; None for a wrong form."""
        name = entry.get("newName", entry.get("name")) if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name or not isinstance(entry.get("name"), str):
            return None
        tag, digest = entry.get("newTag"), entry.get("digest")
        return cls(name, tag if isinstance(tag, str) and tag else None, digest if isinstance(digest, str) and digest else None)

    def written(self, tag: str) -> str:
        """The reference as text; `tag` where it has neither tag nor digest."""
        end = f":{self.tag}" if self.tag else ""
        return self.name + (end + (f"@{self.digest}" if self.digest else "") or f":{tag}")
