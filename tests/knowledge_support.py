"""Three small documents and an index of them, for the tests of the knowledge base."""

from __future__ import annotations

import io

from pypdf import PdfReader, PdfWriter

from shared.adapters.knowledge.embeddings import HashedGrams
from shared.adapters.knowledge.index import Index
from shared.domain.retrieval.changes import Changes
from shared.domain.retrieval.passages import Document, document_of
from shared.domain.retrieval.ports import DocumentIndex, KnowledgeBase

DISKS = document_of("articles/disks.md", "# Disks\nA disk belongs to one zone.\n# Sizes\nA disk can grow, never shrink.")
GATEWAY = document_of("articles/gateway.md", "# Gateway\nAn HTTPRoute names its Gateway by parentRefs.")
RULE = Document("rules/AKS0101.yaml", "AKS0101 The class of a disk", "The disk has no class.")


def index_of(*given: Document) -> Index:
    index = Index(HashedGrams())
    index.update(given)
    return index


def fill(index: DocumentIndex, *given: Document) -> Changes:
    """Make an index hold exactly these."""
    wanted = {document.name: document for document in given}
    return index.sync({name: document.digest for name, document in wanted.items()}, lambda names: [wanted[name] for name in names])


def found(index: KnowledgeBase, query: str) -> list[str]:
    return [hit.passage.slug for hit in index.search(query, 5)]


def pdf_of(*pages: str, title: str = "", password: str | None = None) -> bytes:
    """A PDF with a line of text on each page, by hand; encrypted where there is a password (it may be empty)."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    for text in pages:
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET" if text else ""
        objects += [f"<</Length {len(stream)}>>stream\n{stream}\nendstream"]
        objects += [f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {len(objects)} 0 R/Resources<</Font<</F1 3 0 R>>>>>>"]
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects[1] = f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>"
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(places) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{len(data)}\n%%EOF"
    return _rewritten(data + end.encode(), title, password)


def _rewritten(data: bytes, title: str, password: str | None) -> bytes:
    writer, file = PdfWriter(clone_from=PdfReader(io.BytesIO(data))), io.BytesIO()
    if title:
        writer.add_metadata({"/Title": title})
    if password is not None:
        writer.encrypt(password, owner_password="owner", algorithm="AES-256")
    writer.write(file)
    return file.getvalue()
