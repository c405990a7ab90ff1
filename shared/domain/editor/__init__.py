"""Text-preserving edits of manifests (DESIGN 6.1) and the proof that they did what was asked (DESIGN 6.2)."""

from shared.domain.editor.apply import apply_operations
from shared.domain.editor.diff import equal
from shared.domain.editor.proof import prove

__all__ = ["apply_operations", "equal", "prove"]
