"""Indexes the container `knowledge`: only what changed is read, what is gone goes, a file that cannot be used is named and the rest stays.

A trigger tells of uploads alone, so every call lists the container and compares (that finds deletions too), and a timer calls when nothing
came. What was found lies in `cache/knowledge/status.json`, a function of the listing and of nothing else:

    {"schemaVersion": 1, "files": {"articles/a.md": {"etag": "0x1", "document": "articles/a.md", "digest": "...", "problem": null}}}

Two at once: the status is swapped under its ETag, and who has changed the index looks whether the status is still his. Whoever lists last
writes the last status, and whoever applied an older one sees that and begins again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from shared import logs
from shared.domain.errors import AksCopilotError, BusyError, ValidationError
from shared.domain.ports import BlobInfo, BlobStore
from shared.domain.retrieval.changes import Changes
from shared.domain.retrieval.passages import Document
from shared.domain.retrieval.ports import DocumentIndex, Library
from shared.pipeline import names

SCHEMA = 1
FOLDERS = ("articles/", "rules/")
MAX_STATUS_BYTES = 64 * 1024 * 1024
TRIES = 10
KEPT_CHARACTERS = 32 * 1024 * 1024
"""Of the documents that are kept between reading and indexing them; what is over that is read twice."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the container: the document that it is, and the `problem` for which it is not used."""

    etag: str
    document: str | None = None
    digest: str | None = None
    problem: str | None = None


Listing = Mapping[str, File]


def refresh(blobs: BlobStore, index: DocumentIndex, library: Library) -> Changes:
    """Bring the index up to date with the container. What changed in it is the answer; a repetition changes nothing.

    Raises BusyError where others keep changing the container, and what the storage and the index raise.
    """
    with logs.bound(stage="knowledge"):
        try:
            return _settled(blobs, index, library)
        except AksCopilotError as error:
            logs.failure("knowledge not indexed", error)
            raise


def _settled(blobs: BlobStore, index: DocumentIndex, library: Library) -> Changes:
    known = True
    for _ in range(TRIES):
        try:
            return _Refresh(blobs, index, library, known=known).run()
        except BusyError as error:
            known = known and not isinstance(error, _ReadOtherwiseError)
            logs.event("knowledge changed while it was indexed", reason=str(error))
    raise BusyError("the container of the knowledge base is being changed by others")


class _ReadOtherwiseError(BusyError):
    """This version of the program makes another document of a file than the one that wrote the status."""


class _Refresh:
    """One try; what the status says of a file that did not change is believed where it is `known`."""

    def __init__(self, blobs: BlobStore, index: DocumentIndex, library: Library, *, known: bool) -> None:
        self._blobs, self._index, self._library, self._known = blobs, index, library, known
        self._shipped = {document.name: document for document in library.shipped()}
        self._read: dict[str, Document] = {}
        """By the file's name."""
        self._room = KEPT_CHARACTERS

    def run(self) -> Changes:
        before, etag = self._status()
        files = self._listed(before if self._known else {})
        if files != before or etag is None:
            self._write(files, etag)
            self._tell(files, before)
        done = self._sync({file.document: (name, file) for name, file in files.items() if file.document and not file.problem})
        if self._status()[0] != files:
            raise BusyError("another one has listed the container since")
        if done:
            unusable = sum(file.problem is not None for file in files.values())
            logs.event("knowledge indexed", added=len(done.add), removed=len(done.remove - done.add), unusable=unusable)
        return done

    def _sync(self, team: Mapping[str, tuple[str, File]]) -> Changes:
        """A team's document takes the place of ours of the same name."""
        digests = {name: document.digest for name, document in self._shipped.items()}
        digests |= {document: file.digest or "" for document, (_, file) in team.items()}
        return self._index.sync(digests, lambda wanted: [self._loaded(*team[d]) if d in team else self._shipped[d] for d in wanted])

    def _status(self) -> tuple[Listing, str | None]:
        """What is stored, with its ETag; one that cannot be read is made anew."""
        found = self._blobs.read(names.CACHE, names.KNOWLEDGE_STATUS, max_bytes=MAX_STATUS_BYTES)
        if found is None:
            return {}, None
        try:
            value = json.loads(found[0])
            known = value["schemaVersion"] == SCHEMA
            return {name: File(**file) for name, file in value["files"].items()} if known else {}, found[1]
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}, found[1]

    def _write(self, files: Listing, etag: str | None) -> None:
        data = json.dumps({"schemaVersion": SCHEMA, "files": {name: asdict(file) for name, file in files.items()}}).encode()
        if not self._blobs.write(names.CACHE, names.KNOWLEDGE_STATUS, data, if_absent=etag is None, if_match=etag):
            raise BusyError("another one indexes it too")

    def _tell(self, files: Listing, before: Listing) -> None:
        """Only who wrote the listing tells, so that several at once tell once of each version."""
        for name, file in files.items():
            if file.problem and file != before.get(name):
                logs.event("knowledge file not used", file=name, reason=file.problem)

    def _listed(self, before: Listing) -> Listing:
        """Every file of the container; of two that are the same document the first by name is used."""
        files: dict[str, File] = {}
        first: dict[str | None, str] = {}
        for blob in (blob for folder in FOLDERS for blob in self._blobs.list(names.KNOWLEDGE, folder)):
            if self._library.belongs(blob.name):
                held = before.get(blob.name)
                file = held if held is not None and held.etag == blob.etag else self._opened(blob)
                if file.document:
                    owner = first.setdefault(file.document, blob.name)
                    file = replace(file, problem=None if owner == blob.name else f"{blob.name}: {owner} is {file.document} already")
                files[blob.name] = file
        return files

    def _opened(self, blob: BlobInfo) -> File:
        try:
            document = self._document(blob.name, blob.etag)
        except ValidationError as error:
            return File(blob.etag, problem=str(error))
        self._room -= len(document.text)
        if self._room > 0:
            self._read[blob.name] = document
        return File(blob.etag, document.name, document.digest)

    def _loaded(self, name: str, file: File) -> Document:
        """The document of a file; read again where only its ETag was looked at, or much came at once."""
        document = self._read.pop(name, None) or self._document(name, file.etag)
        if document.digest != file.digest:
            raise _ReadOtherwiseError(f"{name} is read otherwise than before")
        return document

    def _document(self, name: str, etag: str) -> Document:
        found = self._blobs.read(names.KNOWLEDGE, name, max_bytes=self._library.max_bytes)
        if found is None or found[1] != etag:
            raise BusyError(f"{name} changed while it was read")
        return self._library.read(name, found[0])
