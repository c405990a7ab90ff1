"""The kustomizations of a run, kept true when files, kinds and API versions change under them.

`Kustomizations.blocks_conversion` is asked before an object is converted: a patch or replacement that would no longer fit the
result is a reason to leave the object alone. Afterwards `operations` and `patch_operations` say what must change in the
kustomizations and in the files of strategic-merge patches. What kustomize does is from its own documentation and from kubectl 1.35:
a patch file without a target is matched by apiVersion, kind and name; a target's fields are anchored regular expressions.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cached_property
from typing import Any

from shared.domain.convert.base import Op
from shared.domain.convert.kustomize_changes import INCLUDING, Changes, following, image_entries, listed, patches_nothing
from shared.domain.convert.kustomize_names import ROUTES, changes_names
from shared.domain.convert.kustomize_patches import body_fits, retyped_body
from shared.domain.convert.kustomize_patches import patches_of as read_patches
from shared.domain.convert.kustomize_remote import foreign_bases
from shared.domain.model import ResourceRef, Retyping

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

Read = Callable[[str], Sequence[Any] | None]
"""The parsed documents of a file of the run by its path; None where it is not there or not readable."""


class Kustomizations:
    """All kustomizations of a run: parsed content by path, and a reader of the other files."""

    def __init__(self, files: Mapping[str, Mapping[str, Any]], read: Read, copies: Mapping[str, str] | None = None) -> None:
        """`copies`: the paths of copies of remote bases by the names of these."""
        self._files = dict(files)
        self._copies = {name: posixpath.normpath(path) for name, path in (copies or {}).items()}
        self._patches = {path: tuple(read_patches(path, content, read)) for path, content in files.items()}
        self.new_names = frozenset(e["newName"] for c in files.values() for _, e in image_entries(c) if isinstance(e.get("newName"), str))
        self._versioned = {e["name"] for c in files.values() for _, e in image_entries(c) if e.get("newTag") or e.get("digest")}

    def patch_files(self) -> frozenset[str]:
        """Files that hold patches: fragments of objects, never whole manifests."""
        return frozenset(p.file for found in self._patches.values() for p in found if p.file is not None)

    def targets_of(self, file: str) -> list[Mapping[str, Any]]:
        """The targets with which kustomizations apply a patch file, each once."""
        targets = [p.target for found in self._patches.values() for p in found if p.file == file and p.target is not None]
        return [t for i, t in enumerate(targets) if t not in targets[:i]]

    def patches_on(self, file: str | None, ref: ResourceRef) -> list[Any]:
        """The bodies of the patches that are applied to an object of a file."""
        building = self.building(file) if file is not None else ()
        return [p.body for path in building for p in self._patches[path] if p.file != file and p.selects(ref)]

    def merges_before(self, file: str, ref: ResourceRef) -> bool:
        """Whether patchesStrategicMerge, which kustomize applies before `patches`, changes an object of a file."""
        return any(p.field == "patchesStrategicMerge" and p.selects(ref) for path in self.building(file) for p in self._patches[path])

    @property
    def paths(self) -> list[str]:
        """The kustomizations of the run."""
        return sorted(self._files)

    def is_copy(self, file: str) -> bool:
        """Whether a file is a copy of a remote base, or lies in one."""
        return any(f"{file}/".startswith(f"{copy}/") for copy in self._copies.values())

    def deletes(self, file: str, ref: ResourceRef) -> bool:
        """Whether a patch deletes an object of a file."""
        return any(isinstance(body, Mapping) and body.get("$patch") == "delete" for body in self.patches_on(file, ref))

    def lists(self, path: str, file: str) -> bool:
        """Whether a kustomization names a file or its folder itself, not as a copy."""
        return file in listed(path, self._files[path], INCLUDING)

    def versioned(self, image: str) -> bool:
        """Whether some kustomization of the run says the version of an image of this name (without a tag)."""
        return image in self._versioned

    def building(self, file: str) -> list[str]:
        """The kustomizations that build a file (or another kustomization), directly or through another one, in path order."""
        names = {file, posixpath.dirname(file)} if file in self._files else {file}
        found: set[str] = set()
        while more := {path for name in names for path in self._takers.get(name, ())} - found:
            found |= more
            names = {posixpath.dirname(path) for path in more}
        return sorted(found)

    @cached_property
    def _takers(self) -> Mapping[str, list[str]]:
        """The kustomizations that take a file or folder, by its path."""
        takers: dict[str, list[str]] = {}
        for path in self._files:
            for name in self._taken(path):
                takers.setdefault(name, []).append(path)
        return takers

    def _taken(self, path: str) -> set[str]:
        """What a kustomization lists, and what its copies of remote bases hold."""
        content = self._files[path]
        copies = {self._copies[b.name] for b in foreign_bases(path, content) if b.name in self._copies} if self._copies else set()
        folders = map(posixpath.dirname, self._files) if copies else ()
        inside = {folder for folder in folders for copy in copies if f"{folder}/".startswith(f"{copy}/")}
        return listed(path, content, INCLUDING) | copies | inside

    def blocks_conversion(self, file: str, retyping: Retyping) -> str | None:
        """Why an object of `file` must not be converted, or None. One sentence naming the kustomization."""
        for path in self.building(file):
            content = self._files[path]
            if retyping.kind in ROUTES and self.is_copy(file) and changes_names(content, frozenset()):
                return f"{path} changes names by a prefix or suffix, which kustomize does not follow inside a {retyping.kind}"
            for name in ("replacements", "vars"):
                if _mentions(content.get(name), retyping.ref):
                    return f"{path} copies values from or into this {retyping.ref.kind} ({name})"
            for patch in self._patches[path]:
                if patch.selects(retyping.ref) and not body_fits(patch, retyping):
                    return f"{path} patches fields of this {retyping.ref.kind} that its successor does not have ({patch.place})"
        return None

    def renaming(self, routes: Iterable[str], secrets: Set[str]) -> list[str]:
        """The kustomizations that list a file with routes and must say where these name others, as something above them changes names.

        `secrets` are those that the listeners of the Gateway name.
        """
        renamed = {file for file in routes if any(changes_names(self._files[path], secrets) for path in self.building(file))}
        return [path for path in self.paths if renamed & listed(path, self._files[path], INCLUDING)]

    def operations(self, changes: Changes) -> dict[str, tuple[Op, ...]]:
        """The operations per kustomization that keep it true; nothing where nothing changes."""
        moved: dict[str, dict[str, str]] = {}
        for file, names in changes.images.items():
            for path in self.building(file):
                moved.setdefault(path, {}).update(names)
        found = {
            path: tuple(following(path, content, self._patches[path], changes, moved.get(path, {})))
            for path, content in self._files.items()
        }
        return {path: ops for path, ops in found.items() if ops}

    def emptied_patches(self, changes: Changes) -> frozenset[str]:
        """Files of strategic-merge patches all of whose objects are gone, and the entries that name them with them."""
        bodies: dict[str, list[bool]] = {}
        for patch in (p for patches in self._patches.values() for p in patches if p.file is not None):
            bodies.setdefault(str(patch.file), []).append(patches_nothing(patch, changes))
        return frozenset(file for file, vain in bodies.items() if all(vain))

    def patch_operations(self, changes: Changes) -> dict[tuple[str, int], tuple[Op, ...]]:
        """The operations per (file, document) of strategic-merge patches that are matched by apiVersion and kind."""
        found: dict[tuple[str, int], tuple[Op, ...]] = {}
        for patch in (p for patches in self._patches.values() for p in patches if p.file is not None):
            found[str(patch.file), patch.document] = retyped_body(patch, changes.retyped)
        return {k: ops for k, ops in found.items() if ops}


def _mentions(value: Any, ref: ResourceRef) -> bool:
    """Whether a selector somewhere below names this kind, and this name or none."""
    if isinstance(value, Mapping):
        if value.get("kind") == ref.kind and value.get("name") in (None, ref.name):
            return True
        return any(_mentions(v, ref) for v in value.values())
    return isinstance(value, list) and any(_mentions(v, ref) for v in value)
